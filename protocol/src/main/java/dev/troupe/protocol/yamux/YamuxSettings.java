package dev.troupe.protocol.yamux;

/**
 * The limits of a {@link YamuxSession}.
 *
 * @param maxStreams open streams in all, either direction; a remote's further one is reset
 * @param maxStreamWindow bytes that the receive window of one stream may grow to; at least 256 KiB
 * @param maxConnectionWindow bytes that all grown windows may have together beyond 256 KiB each
 * @param maxSendBuffer bytes of one stream that wait to be sent
 * @param keepAliveNanos how long the connection may be silent before it is pinged; {@link
 *     Long#MAX_VALUE} for never
 * @param pingTimeoutNanos how long the answer may take
 */
public record YamuxSettings(
    int maxStreams,
    int maxStreamWindow,
    int maxConnectionWindow,
    int maxSendBuffer,
    long keepAliveNanos,
    long pingTimeoutNanos) {

  /** 1024 streams, windows of 16 MiB, 1 MiB to be sent, a ping after 30 s, 10 s for its answer. */
  public static final YamuxSettings DEFAULT =
      new YamuxSettings(1024, 16 << 20, 16 << 20, 1 << 20, 30_000_000_000L, 10_000_000_000L);

  /**
   * Checks the limits.
   *
   * @throws IllegalArgumentException naming the one that is wrong
   */
  public YamuxSettings {
    if (maxStreams <= 0) {
      throw new IllegalArgumentException("maxStreams must be positive, not " + maxStreams);
    }
    if (maxStreamWindow < YamuxSession.INITIAL_WINDOW) {
      throw new IllegalArgumentException("maxStreamWindow must be 256 KiB at least");
    }
    if (maxConnectionWindow < 0 || maxSendBuffer <= 0) {
      throw new IllegalArgumentException("maxConnectionWindow and maxSendBuffer must be positive");
    }
    if (keepAliveNanos <= 0 || pingTimeoutNanos <= 0) {
      throw new IllegalArgumentException("keepAliveNanos and pingTimeoutNanos must be positive");
    }
  }
}
