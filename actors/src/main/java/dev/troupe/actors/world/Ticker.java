package dev.troupe.actors.world;

/** Monotonic time. */
@FunctionalInterface
public interface Ticker {

  /** Nanoseconds since a fixed but arbitrary moment; only differences mean something. */
  long nanos();
}
