package dev.troupe.simulation.kernel;

import java.util.concurrent.Executor;

/** Runs its tasks one at a time and in the order given, as the event loop of a connection does. */
public interface SerialExecutor extends Executor {

  /**
   * Runs what the world brings: at once where nothing waits and nothing runs, and otherwise in its
   * turn. Only from {@linkplain SimulatedSystem#arrange an arrangement}, never from an actor.
   */
  void arrive(Runnable task);
}
