package dev.troupe.simulation.scenarios;

import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The network falls into two halves, long enough for connections to die, and grows together. */
public final class PartitionHeals implements Scenario {

  @Override
  public String name() {
    return "partition-heals";
  }

  @Override
  public String description() {
    return "the network falls into two halves and grows together again";
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
    Start.everyoneSpeaks(run, "lobby", 5);
    List<Node> one = new ArrayList<>();
    List<Node> other = new ArrayList<>();
    nodes.forEach(node -> (cluster.chance().nextBoolean() ? one : other).add(node));
    run.fault(() -> cluster.partition(one, other));
    long end = cluster.system().now() + run.parameters().length().toNanos();
    while (cluster.system().now() < end) {
      Node asker = cluster.any();
      cluster.put(asker, "of " + asker.name(), "value");
      cluster.findPeer(asker, cluster.any().id());
      cluster.publish(asker, "lobby", "to whom it may reach");
      run.advance(Duration.ofSeconds(5));
    }
    cluster.repair();
    // The halves find one another when their topics discover again, at the latest.
    run.advance(Duration.ofMinutes(12));
    Start.everyoneSpeaks(run, "lobby", 5);
  }
}
