package dev.troupe.actors.world;

import java.time.Duration;

/**
 * The limits of a {@link dev.troupe.actors.host.Host}. Whatever exceeds one is refused with {@code
 * LIMIT_EXCEEDED} (our own calls) or closed at once (the remote's).
 *
 * @param agentVersion what identify says of us
 * @param dialTimeout for one address, from the call to a secured connection (default 10 s)
 * @param streamTimeout to agree on the protocol of a new stream (default 10 s)
 * @param identifyTimeout to hear the whole identify message (default 10 s)
 * @param linger how often a stream is looked at whose own half is closed: one that has not sent 64
 *     KiB more of what it had to send, or the rest, is reset, and so is one that nobody has read
 *     for ten such periods (default 30 s)
 * @param maxConnections secured connections in all (default 1000)
 * @param maxUpgrading inbound connections that are not yet secured (default 128)
 * @param maxUpgradingPerAddress of these, from one IP address, or of one IPv6 /64 network; loopback
 *     is no exception (default 32)
 * @param maxStreamsPerConnection open streams of one connection, either direction (default 1024)
 * @param maxReceiveWindow bytes that one connection's stream windows may grow to in all (default 16
 *     MiB)
 */
public record HostSettings(
    String agentVersion,
    Duration dialTimeout,
    Duration streamTimeout,
    Duration identifyTimeout,
    Duration linger,
    int maxConnections,
    int maxUpgrading,
    int maxUpgradingPerAddress,
    int maxStreamsPerConnection,
    int maxReceiveWindow) {

  /** The defaults named above. */
  public static final HostSettings DEFAULT =
      new HostSettings(
          "troupe/0.1.0",
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          1000,
          128,
          32,
          1024,
          16 * 1024 * 1024);

  /**
   * Checks the limits.
   *
   * @throws IllegalArgumentException naming the setting that is not positive, or too long
   */
  public HostSettings {
    if (agentVersion.length() > 256) {
      throw new IllegalArgumentException("agentVersion is longer than 256 characters");
    }
    positive("dialTimeout", dialTimeout.toNanos());
    positive("streamTimeout", streamTimeout.toNanos());
    positive("identifyTimeout", identifyTimeout.toNanos());
    positive("linger", linger.toNanos());
    positive("maxConnections", maxConnections);
    positive("maxUpgrading", maxUpgrading);
    positive("maxUpgradingPerAddress", maxUpgradingPerAddress);
    positive("maxStreamsPerConnection", maxStreamsPerConnection);
    positive("maxReceiveWindow", maxReceiveWindow);
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }

  /** These, with room for another number of connections. */
  public HostSettings withMaxConnections(int other) {
    return new HostSettings(
        agentVersion,
        dialTimeout,
        streamTimeout,
        identifyTimeout,
        linger,
        other,
        maxUpgrading,
        maxUpgradingPerAddress,
        maxStreamsPerConnection,
        maxReceiveWindow);
  }
}
