package dev.troupe.actors.builtin;

/** So many events at once, and one more each interval: a token bucket. Thread-safe. */
final class Allowance {

  private final int burst;
  private final long intervalNanos;

  /** When all of the burst is there again; before that, each interval until then is one less. */
  private long fullAt;

  /**
   * A full one.
   *
   * @param now the time of the caller, as in all other methods
   */
  Allowance(int burst, long intervalNanos, long now) {
    this.burst = burst;
    this.intervalNanos = intervalNanos;
    this.fullAt = now;
  }

  /** Takes one, if there is one. */
  synchronized boolean take(long now) {
    if (waitNanos(now) > 0) {
      return false;
    }
    fullAt = (now - fullAt > 0 ? now : fullAt) + intervalNanos;
    return true;
  }

  /** How long there will be none; 0 when there is one. */
  synchronized long waitNanos(long now) {
    return Math.max(0, fullAt - now - (burst - 1) * intervalNanos);
  }
}
