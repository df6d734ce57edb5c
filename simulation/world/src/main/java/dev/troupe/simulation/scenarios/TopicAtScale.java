package dev.troupe.simulation.scenarios;

import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;

/** One topic, many subscribers, and all the time somebody speaks. */
public final class TopicAtScale implements Scenario {

  @Override
  public String name() {
    return "topic-at-scale";
  }

  @Override
  public String description() {
    return "one topic with many subscribers, all hear all";
  }

  @Override
  public int peers() {
    return 200;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(1);
  }

  @Override
  public void play(Run run) {
    Start.network(run, "lobby");
    run.advance(Duration.ofMinutes(1));
    long end = run.cluster().system().now() + run.parameters().length().toNanos();
    while (run.cluster().system().now() < end) {
      run.cluster().publishToAll(run.cluster().any(), "lobby", Start.DELIVERY);
      run.advance(Duration.ofSeconds(1));
    }
    run.advance(Start.DELIVERY.plusSeconds(2));
  }
}
