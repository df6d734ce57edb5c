package dev.troupe.simulation.world;

import java.time.Duration;

/**
 * How a simulated network behaves where nobody says otherwise.
 *
 * @param minLatency the shortest one-way latency between two machines; each pair draws its own
 *     between the two bounds, from the seed
 * @param maxLatency the longest
 * @param jitter what each parcel may take longer than its pair's latency, drawn evenly; parcels of
 *     one link never overtake
 * @param localLatency one way, within one machine
 * @param window bytes that one direction of a stream may have under way and unread
 * @param maxChunk the most bytes that arrive at once; small values try how a protocol puts frames
 *     together
 * @param silence after this long without a word from the other end, a connection is given up
 */
public record NetworkSettings(
    Duration minLatency,
    Duration maxLatency,
    Duration jitter,
    Duration localLatency,
    int window,
    int maxChunk,
    Duration silence) {

  /** 5 to 50 ms apart, 2 ms of jitter, 256 KiB windows, 16 KiB chunks, given up after 30 s. */
  public static final NetworkSettings DEFAULT =
      new NetworkSettings(
          Duration.ofMillis(5),
          Duration.ofMillis(50),
          Duration.ofMillis(2),
          Duration.ofNanos(50_000),
          256 * 1024,
          16 * 1024,
          Duration.ofSeconds(30));

  /**
   * Checks them.
   *
   * @throws IllegalArgumentException naming what is out of range
   */
  public NetworkSettings {
    require(!minLatency.isNegative(), "minLatency must not be negative");
    require(minLatency.compareTo(maxLatency) <= 0, "minLatency must not exceed maxLatency");
    require(!jitter.isNegative(), "jitter must not be negative");
    require(!localLatency.isNegative(), "localLatency must not be negative");
    require(window > 0, "window must be positive");
    require(maxChunk > 0, "maxChunk must be positive");
    require(!silence.isNegative() && !silence.isZero(), "silence must be positive");
  }

  /** These, with every pair of machines this far apart and no jitter. */
  public NetworkSettings withLatency(Duration latency) {
    return new NetworkSettings(
        latency, latency, Duration.ZERO, localLatency, window, maxChunk, silence);
  }

  /** These, with other flow control. */
  public NetworkSettings withFlow(int window, int maxChunk) {
    return new NetworkSettings(
        minLatency, maxLatency, jitter, localLatency, window, maxChunk, silence);
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
