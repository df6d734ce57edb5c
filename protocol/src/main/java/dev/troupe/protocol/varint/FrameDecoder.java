package dev.troupe.protocol.varint;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Takes a stream of bytes apart into frames, each behind its length as a varint. Holds at most one incomplete frame beside what it
 * was fed last. Not thread-safe.
 */
public final class FrameDecoder {

  private final int maxFrame;
  private ByteBuffer pending = ByteBuffer.allocate(0);

  /**
   * A decoder at the start of a stream.
   *
   * @param maxFrame the most bytes that a frame may have, its length not counted
   */
  public FrameDecoder(int maxFrame) {
    if (maxFrame < 0) {
      throw new IllegalArgumentException("maxFrame must not be negative: " + maxFrame);
    }
    this.maxFrame = maxFrame;
  }

  /** Adds bytes, all of which are consumed (copied). Take the frames out with {@link #next} before adding more. */
  public void feed(ByteBuffer data) {
    ByteBuffer joined = ByteBuffer.allocate(pending.remaining() + data.remaining());
    joined.put(pending).put(data).flip();
    pending = joined;
  }

  /**
   * Takes the next complete frame out.
   *
   * @return null when more bytes are needed
   * @throws MalformedException if its length is over the limit or no varint; the stream cannot be read on
   */
  public @Nullable Bytes next() throws MalformedException {
    long length = Varint.peek(pending);
    if (length > maxFrame) {
      throw new MalformedException("a frame of " + length + " bytes, over the limit of " + maxFrame);
    }
    if (length < 0 || pending.remaining() - Varint.size(length) < length) {
      return null;
    }
    byte[] frame = new byte[(int) length];
    pending.position(pending.position() + Varint.size(length));
    pending.get(frame);
    return Bytes.wrap(frame);
  }

  /** How many bytes of an incomplete frame it holds. */
  public int buffered() {
    return pending.remaining();
  }
}
