package dev.troupe.simulation.world;

/** Whoever may be bound to an endpoint of a machine. */
interface Listening {

  /** The machine that it is on. */
  SimulatedWorld machine();
}
