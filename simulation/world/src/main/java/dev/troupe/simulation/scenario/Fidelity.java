package dev.troupe.simulation.scenario;

/** How much of a peer is real below its actors. */
public enum Fidelity {
  /** Simulated streams between the real actors: for size. */
  HOST,
  /** The built-in host over simulated links, byte for byte: for truth. */
  WIRE
}
