package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;

/** Plays runs, one after the other. */
interface Player extends AutoCloseable {

  /** Plays one run and waits for its end; what it could not play is a violation of the reply. */
  WorkerReply play(Parameters parameters);

  @Override
  void close();
}
