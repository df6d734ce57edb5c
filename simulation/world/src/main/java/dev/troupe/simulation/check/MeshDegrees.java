package dev.troupe.simulation.check;

import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.Peer;
import dev.troupe.protocol.gossipsub.GossipsubSettings;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A mesh is never above its upper degree for two looks in a row (a heartbeat prunes what grafts
 * have brought), and after settling not below its lower one where there are peers to graft.
 */
public final class MeshDegrees implements Checker {

  private static final long EVERY_NANOS = 10_000_000_000L;

  private long lookedAt = Long.MIN_VALUE / 2;
  private Map<String, Integer> above = new LinkedHashMap<>();

  @Override
  public String name() {
    return "mesh-degrees";
  }

  @Override
  public List<String> during(Cluster cluster) {
    if (cluster.system().now() - lookedAt < EVERY_NANOS) {
      return List.of();
    }
    lookedAt = cluster.system().now();
    List<String> violations = new ArrayList<>();
    Map<String, Integer> aboveNow = new LinkedHashMap<>();
    IntSummaryStatistics degrees = new IntSummaryStatistics();
    look(
        cluster,
        (node, mesh) -> {
          degrees.accept(mesh.mesh().size());
          int high = settings(node).degreeHigh();
          if (mesh.mesh().size() > high) {
            String where = node.name() + "/" + mesh.topic();
            aboveNow.put(where, mesh.mesh().size());
            if (above.containsKey(where)) {
              violations.add(
                  "the mesh of " + where + " stays above " + high + ": " + mesh.mesh().size());
            }
          }
        });
    above = aboveNow;
    cluster.measurements().meshes(lookedAt, degrees);
    return violations;
  }

  @Override
  public List<String> after(Cluster cluster) {
    List<String> violations = new ArrayList<>();
    look(
        cluster,
        (node, mesh) -> {
          int low = Math.min(settings(node).degreeLow(), mesh.peers().size());
          if (mesh.mesh().size() < low) {
            violations.add(
                "the mesh of "
                    + node.name()
                    + "/"
                    + mesh.topic()
                    + " has "
                    + mesh.mesh().size()
                    + " of "
                    + mesh.peers().size()
                    + " peers");
          }
        });
    return violations;
  }

  private static GossipsubSettings settings(Node node) {
    return node.settings().gossip().router();
  }

  private interface Look {
    void at(Node node, Gossip.TopicPeers mesh);
  }

  private static void look(Cluster cluster, Look look) {
    TreeSet<String> topics = new TreeSet<>();
    cluster.up().forEach(node -> topics.addAll(node.topics()));
    for (String topic : topics) {
      Map<Node, Gossip.TopicPeers> answers =
          cluster.survey(replyTo -> Peer.getTopicPeers(topic, replyTo));
      answers.forEach(
          (node, mesh) -> {
            if (node.topics().contains(topic)) {
              look.at(node, mesh);
            }
          });
    }
  }
}
