package dev.troupe.simulation.check;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.peer.Peer;
import dev.troupe.protocol.kademlia.Distance;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * After settling, each routing table knows the neighbourhood of its peer as the key space really
 * is: of the {@value #NEIGHBOURS} peers nearest to it, at least {@value #KNOWN}. Clients of the DHT
 * are in no table.
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
    Map<PeerId, Key> all = new LinkedHashMap<>();
    cluster.up().stream()
        .filter(node -> node.settings().dht().mode() != DhtMode.CLIENT)
        .forEach(node -> all.put(node.id(), Key.of(node.id())));
    Map<Node, Dht.Table> tables = cluster.survey(Peer::getDhtTable);
    for (Node node : cluster.up()) {
      Dht.Table table = tables.get(node);
      if (table == null) {
        violations.add(node.name() + " does not say who is in its table");
        continue;
      }
      Set<PeerId> known = new LinkedHashSet<>(table.peers());
      List<PeerId> nearest = nearest(node.id(), all);
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

  private static List<PeerId> nearest(PeerId self, Map<PeerId, Key> all) {
    Key here = Key.of(self);
    NavigableMap<Distance, PeerId> nearest = new TreeMap<>();
    all.forEach(
        (peer, key) -> {
          if (!peer.equals(self)) {
            nearest.put(here.distanceTo(key), peer);
            if (nearest.size() > NEIGHBOURS) {
              nearest.pollLastEntry();
            }
          }
        });
    return List.copyOf(nearest.values());
  }
}
