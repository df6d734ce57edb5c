package dev.troupe.simulation.scenarios;

import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.List;

/** Some peers take seconds to answer and others stop answering: everything still ends in time. */
public final class SlowAndSilentPeers implements Scenario {

  private static final Duration SLOW = Duration.ofSeconds(2);
  private static final Duration USUAL = Duration.ofMillis(20);

  @Override
  public String name() {
    return "slow-and-silent-peers";
  }

  @Override
  public String description() {
    return "some peers answer in seconds, others not at all";
  }

  @Override
  public int peers() {
    return 40;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(3);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    List<Node> nodes = Start.network(run, "lobby");
    for (Node node : nodes.subList(1, nodes.size())) {
      int kind = cluster.chance().nextInt(6);
      if (kind == 0) {
        run.fault(
            () -> {
              apart(cluster, node, SLOW);
              run.after(run.parameters().length(), () -> apart(cluster, node, USUAL));
            });
      } else if (kind == 1) {
        run.fault(() -> cluster.network().isolate(node.machine()));
      }
    }
    long end = cluster.system().now() + run.parameters().length().toNanos();
    while (cluster.system().now() < end) {
      Node asker = cluster.any();
      Node sought = cluster.any();
      cluster.findPeer(asker, sought.id());
      cluster.connect(asker, sought);
      cluster.put(asker, "of " + asker.name(), "value");
      cluster.get(asker, "of " + sought.name());
      cluster.provide(asker, "of " + asker.name());
      cluster.findProviders(asker, "of " + sought.name());
      run.advance(Duration.ofSeconds(2));
    }
    cluster.repair();
    run.advance(Duration.ofMinutes(12));
  }

  private static void apart(Cluster cluster, Node node, Duration latency) {
    for (Node other : cluster.nodes()) {
      if (other != node) {
        cluster.network().latency(node.machine(), other.machine(), latency);
      }
    }
  }
}
