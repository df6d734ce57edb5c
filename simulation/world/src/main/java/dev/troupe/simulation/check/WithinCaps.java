package dev.troupe.simulation.check;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** No stash and no set of children passes its cap. */
public final class WithinCaps implements Checker {

  /** Lookups of the DHT's own accord: one for each bucket that is refreshed, and one for itself. */
  private static final int OWN_LOOKUPS = 16;

  private static final long EVERY_NANOS = 10_000_000_000L;

  private long lookedAt = Long.MIN_VALUE / 2;

  @Override
  public String name() {
    return "within-caps";
  }

  @Override
  public List<String> during(Cluster cluster) {
    List<String> violations = new ArrayList<>();
    if (cluster.system().now() - lookedAt >= EVERY_NANOS) {
      lookedAt = cluster.system().now();
      Map<Node, Dht.StateChanged> states = cluster.survey(Peer::getDhtState);
      states.forEach((node, dht) -> checkStash(node, dht, violations));
      cluster.up().forEach(node -> checkChildren(cluster, node, violations));
    }
    return violations;
  }

  private static void checkStash(Node node, Dht.StateChanged dht, List<String> violations) {
    int stash = node.settings().dht().limits().stash();
    if (dht.stashed() > stash) {
      violations.add(node.name() + " stashes " + dht.stashed() + " operations of " + stash);
    }
  }

  private static void checkChildren(Cluster cluster, Node node, List<String> violations) {
    for (Map.Entry<String, Integer> entry : cluster.system().children(node.peer()).entrySet()) {
      String path = entry.getKey();
      int cap = cap(path.substring(path.lastIndexOf('/') + 1), node.settings());
      if (entry.getValue() > cap) {
        violations.add(path + " has " + entry.getValue() + " children, over its cap of " + cap);
      }
    }
  }

  private static int cap(String actor, PeerSettings settings) {
    return switch (actor) {
      case "connections" -> settings.host().maxConnections() + settings.connections().maxDials();
      case "dht" -> settings.dht().limits().running() + OWN_LOOKUPS;
      case "virtualconnections" -> settings.virtualConnections().connections();
      default -> Integer.MAX_VALUE;
    };
  }
}
