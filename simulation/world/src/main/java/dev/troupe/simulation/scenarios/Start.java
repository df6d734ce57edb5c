package dev.troupe.simulation.scenarios;

import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** How most scenarios begin and end. */
final class Start {

  /** Within which a message reaches everybody in a mesh that has settled. */
  static final Duration DELIVERY = Duration.ofSeconds(10);

  private Start() {}

  /** A peer that others join through. */
  static Node bootstrap(Cluster cluster) {
    return cluster.start("bootstrap", UnaryOperator.identity());
  }

  /** How many connections a peer of a large network keeps, at most and after trimming. */
  private static final int HIGH_WATER = 120;

  private static final int LOW_WATER = 80;

  /** Settings that join through some nodes. */
  static UnaryOperator<PeerSettings> knowing(List<Node> bootstraps) {
    return knowing(bootstraps, HIGH_WATER, LOW_WATER);
  }

  /** The same with so many connections, at most and after trimming. */
  static UnaryOperator<PeerSettings> knowing(List<Node> bootstraps, int highWater, int lowWater) {
    List<Multiaddr> addresses = bootstraps.stream().map(Node::address).toList();
    return settings ->
        settings
            .withDht(settings.dht().withBootstrapPeers(addresses))
            .withConnections(settings.connections().withWaterMarks(highWater, lowWater));
  }

  /** A bootstrap peer and enough others, all in one topic, given time to find one another. */
  static List<Node> network(Run run, String topic) {
    return network(run, topic, UnaryOperator.identity());
  }

  /** The same with other settings, which are changed before anything else. */
  static List<Node> network(Run run, String topic, UnaryOperator<PeerSettings> change) {
    Cluster cluster = run.cluster();
    List<Node> nodes = new ArrayList<>();
    nodes.add(cluster.start("bootstrap", change));
    cluster.subscribe(nodes.get(0), topic);
    for (int i = 1; i < run.parameters().peers(); i++) {
      Node node =
          cluster.start(
              "peer-" + i, settings -> knowing(nodes.subList(0, 1)).apply(change.apply(settings)));
      cluster.subscribe(node, topic);
      nodes.add(node);
      run.advance(Duration.ofMillis(20));
    }
    run.advance(Duration.ofMinutes(1));
    return nodes;
  }

  /** So many peers publish what everybody must hear. */
  static void everyoneSpeaks(Run run, String topic, int messages) {
    for (int i = 0; i < messages; i++) {
      Node speaker = run.cluster().any();
      if (speaker.topics().contains(topic)) {
        run.cluster().publishToAll(speaker, topic, DELIVERY);
      }
      run.advance(Duration.ofMillis(300));
    }
    run.advance(DELIVERY.plusSeconds(2));
  }
}
