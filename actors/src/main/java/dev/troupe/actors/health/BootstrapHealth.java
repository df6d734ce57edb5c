package dev.troupe.actors.health;

import dev.troupe.actors.bootstrap.Bootstrap;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How one bootstrap peer is.
 *
 * @param bootstrap who it is, and how it stands with it
 * @param reachable whether it is connected and answered the last ping
 * @param latency the round trip of that ping; null while there was none
 * @param grade what that is called; null while there was none
 * @param peers how many peers it named when it was asked last for those nearest to us (20 at most,
 *     where it keeps to the specification); null while it has not answered
 */
public record BootstrapHealth(
    Bootstrap bootstrap,
    boolean reachable,
    @Nullable Duration latency,
    @Nullable Grade grade,
    @Nullable Integer peers) {

  /** What a latency is called. */
  public enum Grade {
    /** Nothing to complain of. */
    GOOD,
    /** Above the slow latency. */
    SLOW,
    /** Above the latency to warn of. */
    POOR
  }
}
