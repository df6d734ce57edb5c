package dev.troupe.simulation.kernel;

/** In which order the simulator runs what is ready at the same instant of virtual time. */
public enum Order {
  /** First ready, first run: the run a single-threaded machine would give. */
  FIFO,

  /**
   * One of the ready tasks, drawn from the seed. The messages of one mailbox keep their order, as
   * Pekko promises; all else may interleave as on a machine with many cores.
   */
  RANDOM
}
