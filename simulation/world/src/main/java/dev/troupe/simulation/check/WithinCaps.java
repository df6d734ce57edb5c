package dev.troupe.simulation.check;

import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.health.Health;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Letter;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * No stash, no queue and no set of children passes its cap. Every actor of a peer has one here; an
 * actor that has none is a violation itself.
 */
public final class WithinCaps implements Checker {

  /** Those children that a peer has one of: from its address book to its presence. */
  private static final int PARTS_OF_A_PEER = 8;

  /** Lookups of the DHT's own accord, one at a time of each: exploring, and announcing again. */
  private static final int OWN_LOOKUPS = 2;

  private static final long EVERY_NANOS = 10_000_000_000L;

  /** How many children each actor may have, by its {@link #kind}. */
  static final Map<String, ToIntFunction<PeerSettings>> CAPS = caps();

  private static Map<String, ToIntFunction<PeerSettings>> caps() {
    Map<String, ToIntFunction<PeerSettings>> caps = new LinkedHashMap<>();
    caps.put("", peer -> PARTS_OF_A_PEER + Peer.MAX_ERRANDS + Peer.MAX_ACCEPTORS);
    caps.put("addressbook", none());
    caps.put("connections", peer -> peer.host().maxConnections() + peer.connections().maxDials());
    caps.put("connections/connection*", none());
    caps.put("connections/dial*", none());
    caps.put("bootstrap", peer -> BootstrapPool.most(bootstraps(peer)));
    // A dial resolves each name of its peer; there are no more names than peers.
    caps.put("bootstrap/*", peer -> BootstrapPool.most(bootstraps(peer)));
    caps.put("bootstrap/*/*", none());
    caps.put(
        "dht",
        peer ->
            peer.dht().limits().running()
                + Dht.MAX_CORRECTIONS
                + peer.dht().table().checks()
                + OWN_LOOKUPS);
    caps.put("dht/lookup*", none());
    caps.put("health", peer -> Health.MAX_ERRANDS);
    caps.put("health/*", none());
    caps.put("gossip", peer -> peer.gossip().router().limits().topics());
    // One for each kind of answer, see Topic.
    caps.put("gossip/topic*", peer -> 2);
    caps.put("gossip/topic*/advertised", none());
    caps.put("gossip/topic*/discovered", none());
    caps.put("virtualconnections", peer -> peer.virtualConnections().connections());
    caps.put("virtualconnections/virtual*", none());
    caps.put("presence", peer -> peer.presence().identities() + peer.presence().searches());
    // A search reads what its candidates have signed; a publication has no children.
    caps.put("presence/*", peer -> peer.presence().candidates());
    caps.put("presence/*/*", none());
    caps.put("ping*", none());
    caps.put("perf*", none());
    caps.put("stream*", none());
    caps.put("dial*", peer -> 1);
    caps.put("dial*/resolution", none());
    // It watches an acceptor of streams.
    caps.put("*", none());
    return caps;
  }

  private long lookedAt = Long.MIN_VALUE / 2;

  private static ToIntFunction<PeerSettings> none() {
    return peer -> 0;
  }

  private static int bootstraps(PeerSettings peer) {
    return peer.dht().bootstrapPeers().size() + peer.bootstrap().backups().size();
  }

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
      checkQueues(cluster, violations);
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
    int root = node.peer().path().toStringWithoutAddress().length();
    cluster
        .system()
        .children(node.peer())
        .forEach(
            (path, children) -> {
              ToIntFunction<PeerSettings> caps = CAPS.get(kind(path.substring(root)));
              if (caps == null) {
                violations.add(path + " is an actor whose children have no cap");
              } else if (children > caps.applyAsInt(node.settings())) {
                violations.add(
                    path
                        + " has "
                        + children
                        + " children, over its cap of "
                        + caps.applyAsInt(node.settings()));
              }
            });
  }

  /**
   * The place of an actor below its peer, without what tells it from others of its kind: {@code
   * dht/lookup*} for a lookup, {@code presence/*} where actors have no names of their own.
   */
  static String kind(String path) {
    return (path.startsWith("/") ? path.substring(1) : path).replaceAll("[^a-z/][^/]*", "*");
  }

  /** What a peer has accepted to send and not answered waits in the queue of the receiver. */
  private static void checkQueues(Cluster cluster, List<String> violations) {
    Map<Node, Map<Node, Integer>> waiting = new LinkedHashMap<>();
    for (Letter letter : cluster.letters()) {
      if (letter.isOpen() && letter.from().isUp() && letter.from().listeningAt() >= 0) {
        waiting
            .computeIfAbsent(letter.from(), from -> new LinkedHashMap<>())
            .merge(letter.to(), 1, Integer::sum);
      }
    }
    waiting.forEach(
        (from, queues) -> {
          int queue = from.settings().virtualConnections().queue();
          queues.forEach(
              (to, count) -> {
                if (count > queue) {
                  violations.add(
                      from.name()
                          + " has "
                          + count
                          + " messages wait for "
                          + to.name()
                          + " of "
                          + queue);
                }
              });
        });
  }
}
