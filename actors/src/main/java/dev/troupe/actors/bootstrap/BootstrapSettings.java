package dev.troupe.actors.bootstrap;

import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.List;

/**
 * How a peer keeps in touch with its bootstrap peers. The primaries are named in the settings of
 * the DHT.
 *
 * @param backups who stands in while no primary can be reached, the preferred first (default none)
 * @param connections how many bootstrap peers to be connected to at once (default 3)
 * @param dialTimeout for one dial of one of them, all its addresses (default 10 s, 5 to 30 s); the
 *     dial budget of connections and the dial timeout of the host bound it as well
 * @param failoverAfter a bootstrap peer that has not answered for so long no longer holds up the
 *     others: the next one is dialled as well, and the backups where there is no other primary
 *     (default 5 s)
 * @param attempts how often in a row one is dialled a pause apart, before the pauses grow (default
 *     3)
 * @param pause between these (default 5 s)
 * @param maxPause what the pauses grow to, doubling, while it cannot be reached (default 60 s)
 */
public record BootstrapSettings(
    List<Multiaddr> backups,
    int connections,
    Duration dialTimeout,
    Duration failoverAfter,
    int attempts,
    Duration pause,
    Duration maxPause) {

  private static final Duration LEAST_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration MOST_TIMEOUT = Duration.ofSeconds(30);

  /** The defaults named above. */
  public static final BootstrapSettings DEFAULT =
      new BootstrapSettings(
          List.of(),
          3,
          Duration.ofSeconds(10),
          Duration.ofSeconds(5),
          3,
          Duration.ofSeconds(5),
          Duration.ofSeconds(60));

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the one that is wrong
   */
  public BootstrapSettings {
    backups = List.copyOf(backups);
    positive("connections", connections);
    if (dialTimeout.compareTo(LEAST_TIMEOUT) < 0 || dialTimeout.compareTo(MOST_TIMEOUT) > 0) {
      throw new IllegalArgumentException(
          "dialTimeout must be from 5 to 30 s, not " + dialTimeout.toMillis() + " ms");
    }
    positive("failoverAfter", failoverAfter.toNanos());
    positive("attempts", attempts);
    positive("pause", pause.toNanos());
    if (maxPause.compareTo(pause) < 0) {
      throw new IllegalArgumentException(
          "maxPause (" + maxPause + ") must not be below pause (" + pause + ")");
    }
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }

  /** These, with other backups. */
  public BootstrapSettings withBackups(List<Multiaddr> others) {
    return new BootstrapSettings(
        others, connections, dialTimeout, failoverAfter, attempts, pause, maxPause);
  }

  /** These, connected to another number of bootstrap peers. */
  public BootstrapSettings withConnections(int other) {
    return new BootstrapSettings(
        backups, other, dialTimeout, failoverAfter, attempts, pause, maxPause);
  }
}
