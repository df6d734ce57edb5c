package dev.troupe.actors.virtualconnections;

import java.time.Duration;

/**
 * How {@link VirtualConnections} send.
 *
 * @param attempts how often a message is tried (default 3)
 * @param backoff before the second attempt (default 2 s), doubled before each further one
 * @param acknowledgement how long the remote's may take (default 5 s)
 * @param idle a stream without traffic for so long is closed (default 30 s)
 * @param queue messages that may wait for one peer and protocol (default 256); a further one is
 *     refused
 * @param connections pairs of peer and protocol at a time (default 10,000); a further one is
 *     refused
 * @param protocols that are received (default 1000); a further one is refused
 * @param maxMessage bytes of a message (default 1 MiB)
 */
public record VirtualConnectionSettings(
    int attempts,
    Duration backoff,
    Duration acknowledgement,
    Duration idle,
    int queue,
    int connections,
    int protocols,
    int maxMessage) {

  /** The defaults named above. */
  public static final VirtualConnectionSettings DEFAULT =
      new VirtualConnectionSettings(
          3,
          Duration.ofSeconds(2),
          Duration.ofSeconds(5),
          Duration.ofSeconds(30),
          256,
          10_000,
          1000,
          1024 * 1024);

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the one that is not positive
   */
  public VirtualConnectionSettings {
    positive("attempts", attempts);
    positive("backoff", backoff.toNanos());
    positive("acknowledgement", acknowledgement.toNanos());
    positive("idle", idle.toNanos());
    positive("queue", queue);
    positive("connections", connections);
    positive("protocols", protocols);
    positive("maxMessage", maxMessage);
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }
}
