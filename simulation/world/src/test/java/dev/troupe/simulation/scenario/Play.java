package dev.troupe.simulation.scenario;

import java.time.Duration;
import java.util.function.Consumer;

/** A scenario of a test. */
public record Play(String name, Consumer<Run> what) implements Scenario {

  @Override
  public String description() {
    return "does what a test wants";
  }

  @Override
  public int peers() {
    return 2;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(1);
  }

  @Override
  public void play(Run run) {
    what.accept(run);
  }
}
