package dev.troupe.actors.link;

import java.nio.ByteBuffer;

/** Hears of one {@link RawLink}. Called on the link's loop. */
public interface RawLinkListener {

  /**
   * Bytes came.
   *
   * @param data may be direct and belongs to the transport: it must be consumed before the method
   *     returns
   */
  void onRead(ByteBuffer data);

  /**
   * No more {@link #onRead} follows at once: the time to answer everything that came in one batch.
   */
  void onReadComplete();

  /** The link is writable again after it was not. */
  void onWritable();

  /**
   * The link is over; nothing follows. Called exactly once, whichever side closed it.
   *
   * @param reason for people, such as the error of the operating system
   */
  void onClosed(String reason);
}
