package dev.troupe.actors.host;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Hears of one {@link Stream}. Called on the connection's event loop, in order: it must not block.
 */
public interface StreamListener {

  /**
   * Bytes came, never more than were requested in all.
   *
   * @param data on the heap, with an accessible array; it belongs to the listener, which may keep
   *     it but not write to it
   */
  void onData(ByteBuffer data);

  /** There is room again after a {@link Stream#write} that took less than it was given. */
  void onWritable();

  /** The remote will send no more; all that it sent has been delivered. */
  void onRemoteClosed();

  /**
   * The stream has ended; nothing follows.
   *
   * @param failure null when both directions were closed in order, otherwise why it ended
   */
  void onClosed(@Nullable HostFailure failure);
}
