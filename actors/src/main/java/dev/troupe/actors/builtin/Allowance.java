package dev.troupe.actors.builtin;

import java.util.concurrent.atomic.AtomicLong;

/** So many events at once, and one more each interval: a token bucket. Thread-safe. */
final class Allowance {

  private final int burst;
  private final long intervalNanos;

  /** When all of the burst is there again; before that, each interval until then is one less. */
  private final AtomicLong fullAt;

  /**
   * A full one.
   *
   * @param now the time of the caller, as in all other methods
   */
  Allowance(int burst, long intervalNanos, long now) {
    this.burst = burst;
    this.intervalNanos = intervalNanos;
    this.fullAt = new AtomicLong(now);
  }

  /** Takes one, if there is one. */
  boolean take(long now) {
    long before =
        fullAt.getAndUpdate(
            full ->
                waitNanos(full, now) > 0 ? full : Math.max(0, full - now) + now + intervalNanos);
    return waitNanos(before, now) == 0;
  }

  /** How long there will be none; 0 when there is one. */
  long waitNanos(long now) {
    return waitNanos(fullAt.get(), now);
  }

  private long waitNanos(long full, long now) {
    return Math.max(0, full - now - (burst - 1) * intervalNanos);
  }
}
