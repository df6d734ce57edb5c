package dev.troupe.actors.builtin;

import dev.troupe.actors.host.StreamListener;
import java.nio.ByteBuffer;

/**
 * A stream of a {@link MuxedConnection}, before its protocol is agreed upon. Everything happens on
 * the connection's event loop. Calls after the end do nothing.
 */
interface MuxedStream {

  /** Names who hears of it, in place of who heard before. */
  void listen(StreamListener listener);

  /** Lets this many more bytes come. */
  void request(long bytes);

  /** Takes bytes by reference as far as there is room, and says how many. */
  int write(ByteBuffer data);

  /** How many bytes that {@link #write} took have not left for the link. */
  int unsent();

  /** How many more bytes {@link #write} would take. */
  int room();

  /**
   * Has {@link StreamListener#onWritable} follow as soon as half of the room is free, which may be
   * at once.
   */
  void notifyWhenWritable();

  /** No more will be written. */
  void closeWrite();

  /** Ends it at once. The listener hears {@link StreamListener#onClosed} with this reason. */
  void reset(long code, String reason);
}
