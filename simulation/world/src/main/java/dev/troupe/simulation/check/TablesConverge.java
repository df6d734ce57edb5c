package dev.troupe.simulation.check;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.peer.Peer;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * After settling, each routing table knows the neighbourhood of its peer as the key space really
 * is: of the {@value #NEIGHBOURS} peers nearest to it, at least {@value #KNOWN}.
 */
public final class TablesConverge implements Checker {

  private static final int NEIGHBOURS = 8;
  private static final int KNOWN = 6;

  @Override
  public String name() {
    return "tables-converge";
  }

  @Override
  public List<String> after(Cluster cluster) {
    List<String> violations = new ArrayList<>();
    List<PeerId> all = cluster.up().stream().map(Node::id).toList();
    Map<Node, Dht.Table> tables = cluster.survey(Peer::getDhtTable);
    for (Node node : cluster.up()) {
      Dht.Table table = tables.get(node);
      if (table == null) {
        violations.add(node.name() + " does not say who is in its table");
        continue;
      }
      Set<PeerId> known = new LinkedHashSet<>(table.peers());
      Key self = Key.of(node.id());
      List<PeerId> nearest =
          all.stream()
              .filter(each -> !each.equals(node.id()))
              .sorted(Comparator.comparing(each -> self.distanceTo(Key.of(each))))
              .limit(NEIGHBOURS)
              .toList();
      long found = nearest.stream().filter(known::contains).count();
      if (found < Math.min(KNOWN, nearest.size())) {
        violations.add(
            node.name()
                + " knows "
                + found
                + " of the "
                + nearest.size()
                + " peers nearest to it (table: "
                + known.size()
                + ")");
      }
    }
    return violations;
  }
}
