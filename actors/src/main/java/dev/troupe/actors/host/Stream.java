package dev.troupe.actors.host;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;

/**
 * One stream of bytes in each direction between two peers, with a protocol agreed upon and demand
 * in both directions.
 *
 * <p>Every method may be called from any thread, by one caller at a time; none blocks. A stream
 * ends when both directions have been closed, when either side resets it, or when its connection
 * ends; {@link StreamListener#onClosed} then comes last. Calls after the end do nothing ({@link
 * #write} takes nothing).
 */
public interface Stream {

  /** The connection that carries it. */
  ConnectionInfo connection();

  /** What it speaks. */
  ProtocolId protocol();

  /** Which side opened it. */
  Direction direction();

  /** Who is at the other end. */
  default PeerId remote() {
    return connection().peer();
  }

  /**
   * Names who hears of this stream. Exactly once, before anything is requested.
   *
   * @throws IllegalStateException if the stream has been started before
   */
  void start(StreamListener listener);

  /**
   * Lets this many more bytes come. What is not requested waits in the muxer's window and, when
   * that is full, at the sender.
   *
   * @param bytes at least 1; sums saturate at {@link Long#MAX_VALUE}, which means without limit
   */
  void request(long bytes);

  /**
   * Sends bytes, as many as there is room for. The bytes taken are referred to until they have been
   * encrypted, not copied: the caller must not change them. The buffer's position moves past what
   * was taken.
   *
   * @return how many bytes were taken, 0 to {@code data.remaining()}; when fewer than all, {@link
   *     StreamListener#onWritable} follows as soon as there is room again
   */
  int write(ByteBuffer data);

  /**
   * No more will be written; what was taken before still goes out. Idempotent. A host may reset a
   * stream whose half is closed, and whose bytes the remote does not take or nobody here asks for,
   * after half a minute of the one or minutes of the other.
   */
  void closeWrite();

  /**
   * Ends the stream at once in both directions; what has not been sent is dropped.
   *
   * @param code an error code for muxers that can carry one, otherwise 0
   * @param reason for the local listener and the log
   */
  void reset(long code, String reason);
}
