package dev.troupe.simulation.scenarios;

import dev.troupe.actors.connections.Connections;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import dev.troupe.simulation.world.Loss;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Everybody connects to one peer at once, over a network in which a tenth of what is sent is late
 * by seconds: nearly all succeed, and soon.
 */
public final class CrowdConnects implements Scenario {

  private static final Loss LOSS = new Loss(0, 0, 0.1, Duration.ofSeconds(3));

  /** The part of them that must succeed. */
  static final double SUCCESSES = 0.98;

  /** How long they may take on average. */
  static final Duration AVERAGE = Duration.ofSeconds(8);

  @Override
  public String name() {
    return "crowd-connects";
  }

  @Override
  public String description() {
    return "everybody connects to one peer at once, over a network that stalls";
  }

  @Override
  public int peers() {
    return 51;
  }

  @Override
  public Duration length() {
    return Duration.ofSeconds(30);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    Node one = Start.bootstrap(cluster);
    run.advance(Duration.ofSeconds(1));
    run.fault(() -> cluster.loss(LOSS));
    List<Operation> connects = new ArrayList<>();
    for (int i = 1; i < run.parameters().peers(); i++) {
      Node node = cluster.start("peer-" + i, settings -> settings);
      connects.add(cluster.connect(node, one));
    }
    run.advance(run.parameters().length());
    cluster.calm();
    List<Operation> made =
        connects.stream()
            .filter(connect -> connect.reply() instanceof Connections.Connected)
            .toList();
    run.expect(
        made.size() >= Math.floor(SUCCESSES * connects.size()),
        made.size() + " of " + connects.size() + " connected");
    double average = made.stream().mapToLong(Operation::latency).average().orElse(0);
    run.expect(average < AVERAGE.toNanos(), "connecting took " + average / 1e9 + " s on average");
    run.advance(Duration.ofMinutes(11));
  }
}
