package dev.troupe.simulation.kernel;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * The run broke one of the rules that keep it replayable, or code outside an actor threw. Its
 * message names the place and how to replay the run. An error and not an exception, so that no
 * actor's supervision and no handler of the code under test takes it for its own; test frameworks
 * report it as a failed assertion.
 */
public final class SimulationFailure extends AssertionError {

  @Serial private static final long serialVersionUID = 1L;

  SimulationFailure(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
