package dev.troupe.simulation.world;

/** Whoever may be bound to an endpoint of a machine. */
interface Listening {

  /** The machine that it is on. */
  SimulatedWorld machine();

  /** The machine has another address: where it was bound at all addresses, it is bound there. */
  void moved(Endpoint before, Endpoint now);
}
