package dev.troupe.simulation.scenarios;

import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Letter;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import dev.troupe.simulation.world.Loss;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Peers talk in pairs, both sides at once, while either is bounced, crashes in part or hears
 * nothing of the other: what is said to be delivered has been heard, in order, and once. When all
 * that has ended, every word arrives at the first attempt.
 */
public final class Conversations implements Scenario {

  private static final Duration OUTAGE = Duration.ofSeconds(40);
  private static final Loss LOSS = new Loss(0.2, 0.05, 0.2, Duration.ofSeconds(8));

  @Override
  public String name() {
    return "conversations";
  }

  @Override
  public String description() {
    return "peers talk in pairs over virtual connections that are lost and stall";
  }

  @Override
  public int peers() {
    return 12;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(5);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    List<Node> nodes = Start.network(run, "lobby");
    nodes.forEach(cluster::receiveLetters);
    long end = cluster.system().now() + run.parameters().length().toNanos();
    while (cluster.system().now() < end) {
      int unlucky = cluster.chance().nextInt(nodes.size());
      run.fault(() -> misfortune(run, nodes.get(unlucky), partner(nodes, unlucky)));
      for (int i = 0; i < 5; i++) {
        talk(cluster, nodes);
        run.advance(Duration.ofMillis(500 + cluster.chance().nextInt(1000)));
      }
    }
    run.advance(OUTAGE);
    cluster.calm();
    run.advance(Duration.ofMinutes(12));
    for (int i = 0; i < nodes.size(); i++) {
      cluster.connect(nodes.get(i), partner(nodes, i));
    }
    run.advance(Duration.ofSeconds(30));
    List<Letter> last = talk(cluster, nodes);
    run.advance(Duration.ofSeconds(5));
    for (Letter letter : last) {
      run.expect(
          letter.sending().reply() instanceof VirtualConnections.Delivered delivered
              && delivered.attempts() == 1,
          letter + " arrives at once when all is calm, not: " + letter.sending().reply());
    }
  }

  /** Who talks to whom: the first to the second and back, the third to the fourth and back. */
  private static Node partner(List<Node> nodes, int which) {
    return nodes.get(Math.min(which ^ 1, nodes.size() - 1));
  }

  /** Everybody who is there says some words to their partner at the same instant. */
  private static List<Letter> talk(Cluster cluster, List<Node> nodes) {
    List<Letter> said = new ArrayList<>();
    for (int i = 0; i < nodes.size(); i++) {
      Node other = partner(nodes, i);
      int words = nodes.get(i).isUp() && other != nodes.get(i) ? cluster.chance().nextInt(1, 4) : 0;
      for (int word = 0; word < words; word++) {
        said.add(cluster.send(nodes.get(i), other));
      }
    }
    return said;
  }

  private static void misfortune(Run run, Node node, Node other) {
    Cluster cluster = run.cluster();
    RandomGenerator chance = cluster.chance();
    Duration time = Duration.ofMillis(chance.nextInt((int) OUTAGE.toMillis()));
    int what = chance.nextInt(9);
    if (!node.isUp()) {
      return;
    }
    switch (what) {
      case 0 -> run.bounce(node, time);
      case 1 -> run.bounce(node, Duration.ZERO);
      case 2 -> {
        cluster.partition(List.of(node), List.of(other));
        run.after(time, cluster::repair);
      }
      case 3 -> {
        cluster.partitionOneWay(List.of(node), List.of(other));
        run.after(time, cluster::repair);
      }
      case 4 -> {
        cluster.hold(node, other);
        run.after(time, () -> cluster.release(node, other));
      }
      case 5 -> {
        cluster.loss(node, other, LOSS);
        run.after(time, () -> cluster.loss(node, other, Loss.NONE));
      }
      case 6 -> cluster.stopReading(node, time);
      case 7 -> cluster.crashAnyActor(node, "virtualconnections");
      default -> cluster.crashAnyActor(node);
    }
  }
}
