package dev.troupe.simulation.report;

import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.Peer;
import dev.troupe.simulation.kernel.SimulationFailure;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What the peers that run say of themselves at the end.
 *
 * @param failure why there is nothing or not all, or empty
 */
record Survey(List<Table> tables, List<Mesh> meshes, String failure) {

  static final Survey NOTHING = new Survey(List.of(), List.of(), "");

  /** How many peers are in a routing table. */
  record Table(String node, int peers) {}

  /** How many of the peers of a topic that somebody knows are in the mesh. */
  record Mesh(String topic, String node, int degree, int peers) {}

  static Survey of(Cluster cluster) {
    List<Table> tables = new ArrayList<>();
    List<Mesh> meshes = new ArrayList<>();
    try {
      cluster
          .survey(Peer::getDhtTable)
          .forEach((node, table) -> tables.add(new Table(node.name(), table.peers().size())));
      TreeSet<String> topics = new TreeSet<>();
      cluster.up().forEach(node -> topics.addAll(node.topics()));
      for (String topic : topics) {
        Map<Node, Gossip.TopicPeers> answers =
            cluster.survey(replyTo -> Peer.getTopicPeers(topic, replyTo));
        answers.forEach(
            (node, known) -> {
              if (node.topics().contains(topic)) {
                meshes.add(new Mesh(topic, node.name(), known.mesh().size(), known.peers().size()));
              }
            });
      }
      return new Survey(tables, meshes, "");
    } catch (SimulationFailure ended) {
      return new Survey(
          tables, meshes, "The engine has failed, so the peers could not be asked at the end.");
    }
  }
}
