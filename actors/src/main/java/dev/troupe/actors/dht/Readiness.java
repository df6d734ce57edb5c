package dev.troupe.actors.dht;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long an operation may wait in the stash for the DHT to become ready; what follows has a
 * budget of its own.
 *
 * @param limit null: until the gate opens, which it does at the bootstrap deadline at the latest;
 *     zero: not at all
 */
public record Readiness(@Nullable Duration limit) {

  /** Waits until the gate opens. */
  public static final Readiness UNTIL_GATE_OPENS = new Readiness(null);

  /** Does not wait: {@code NOT_READY} at once. */
  public static final Readiness FAIL_FAST = new Readiness(Duration.ZERO);

  /**
   * Refuses a negative limit.
   *
   * @throws IllegalArgumentException if the limit is negative
   */
  public Readiness {
    if (limit != null && limit.isNegative()) {
      throw new IllegalArgumentException("the readiness budget must not be negative: " + limit);
    }
  }

  /** Waits at most this long. */
  public static Readiness within(Duration limit) {
    return new Readiness(limit);
  }
}
