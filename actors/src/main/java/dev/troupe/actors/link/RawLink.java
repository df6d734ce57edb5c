package dev.troupe.actors.link;

import dev.troupe.protocol.multiaddr.Multiaddr;
import java.nio.ByteBuffer;

/**
 * A duplex of bytes that has been opened: a TCP connection, a WebSocket, a simulated pipe, a stream
 * through a relay. It is neither secured nor multiplexed.
 *
 * <p>Not thread-safe: everything, listener calls included, happens on {@link #loop()}. Only {@link
 * #loop()} and the addresses may be read elsewhere.
 *
 * <p>Writing: {@link #reserve} a buffer, fill it, {@link #commit} it, as often as {@link
 * #isWritable} allows, then {@link #flush} once.
 */
public interface RawLink {

  /** Where everything of this link happens. */
  EventLoop loop();

  /** This end's address, without {@code /p2p}. */
  Multiaddr localAddress();

  /** The other end's address, without {@code /p2p}. */
  Multiaddr remoteAddress();

  /**
   * Names who hears of this link, and starts reading. Exactly once.
   *
   * @throws IllegalStateException if the link has been started before
   */
  void start(RawLinkListener listener);

  /**
   * Stops or resumes reading; what has been read already may still be delivered. Reading is on
   * after {@link #start}.
   */
  void setReading(boolean reading);

  /**
   * A buffer to fill, pooled and usually direct. Exactly one may be out at a time.
   *
   * @param capacity how many bytes it must have room for, in bytes
   * @return empty, with at least {@code capacity} bytes remaining; valid until {@link #commit}, and
   *     not after
   */
  ByteBuffer reserve(int capacity);

  /**
   * Queues the reserved buffer for sending, up to its position. When nothing has been put into it,
   * it just goes back.
   */
  void commit();

  /** Sends what has been queued. */
  void flush();

  /**
   * Whether less is queued than the transport's high-water mark. {@link RawLinkListener#onWritable}
   * tells when a link that was not writable is so again.
   */
  boolean isWritable();

  /** Flushes what is queued, then closes. {@link RawLinkListener#onClosed} follows. Idempotent. */
  void close();

  /**
   * Closes at once; what is queued is dropped. {@link RawLinkListener#onClosed} follows.
   * Idempotent.
   */
  void abort();
}
