package dev.troupe.actors.dht;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** The pauses between bootstrap rounds. Pure. */
final class Pauses {

  private final RandomGenerator random;
  private int failures;

  Pauses(RandomGenerator random) {
    this.random = random;
  }

  /**
   * How long to wait before the next round: the interval, doubled with each call since the last
   * {@link #reset}, up to eight times; and up to a fifth more, lest all who lost the same bootstrap
   * peer come back at the same moment.
   */
  Duration next(Duration interval) {
    long doubled = interval.toNanos() << Math.min(failures++, 3);
    return Duration.ofNanos(doubled + random.nextLong(doubled / 5 + 1));
  }

  /** The next pause is a short one again. */
  void reset() {
    failures = 0;
  }
}
