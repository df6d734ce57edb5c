package dev.troupe.protocol.varint;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Takes a stream of bytes apart into frames, each behind its length as a varint. Holds at most one
 * incomplete frame beside what it was fed last. After a malformed length it is spent: it holds
 * nothing, takes nothing in, and throws the same again. Not thread-safe.
 */
public final class FrameDecoder {

  private static final int SMALLEST_BUFFER = 256;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final int maxFrame;
  private ByteBuffer pending = NOTHING; // between its position and its limit
  private @Nullable String fault;

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

  /**
   * Adds bytes, all of which are consumed (copied). Take the frames out with {@link #next} before
   * adding more.
   */
  public void feed(ByteBuffer data) {
    if (fault != null) {
      data.position(data.limit());
      return;
    }
    int needed = Math.addExact(pending.remaining(), data.remaining());
    if (needed > pending.capacity()) {
      pending = ByteBuffer.allocate(Math.max(needed, grown())).put(pending);
    } else if (pending.capacity() - pending.limit() >= data.remaining()) {
      // Room behind what is pending: nothing moves, however small the pieces are that come.
      append(data);
      return;
    } else {
      pending.compact();
    }
    pending.put(data).flip();
  }

  private void append(ByteBuffer data) {
    int start = pending.position();
    pending.position(pending.limit()).limit(pending.capacity());
    pending.put(data).flip().position(start);
  }

  /**
   * Twice the buffer, up to the largest frame: a frame that comes in many small pieces is not
   * copied for each of them.
   */
  private int grown() {
    long largest = (long) Varint.MAX_BYTES + maxFrame;
    return (int)
        Math.max(
            SMALLEST_BUFFER,
            Math.min(2L * pending.capacity(), Math.min(largest, Integer.MAX_VALUE - 8)));
  }

  /**
   * Takes the next complete frame out.
   *
   * @return null when more bytes are needed
   * @throws MalformedException if its length is over the limit or no varint; the stream cannot be
   *     read on
   */
  public @Nullable Bytes next() throws MalformedException {
    if (fault != null) {
      throw new MalformedException(fault);
    }
    try {
      long length = Varint.peek(pending);
      if (length > maxFrame) {
        throw new MalformedException(
            "a frame of " + length + " bytes, over the limit of " + maxFrame);
      }
      return length < 0 || pending.remaining() - Varint.size(length) < length
          ? null
          : take((int) length);
    } catch (MalformedException e) {
      fault = e.getMessage();
      pending = NOTHING;
      throw e;
    }
  }

  private Bytes take(int length) {
    byte[] frame = new byte[length];
    pending.position(pending.position() + Varint.size(length));
    pending.get(frame);
    if (!pending.hasRemaining() && pending.capacity() > SMALLEST_BUFFER) {
      pending = NOTHING; // a stream at rest holds no large buffer
    }
    return Bytes.wrap(frame);
  }

  /** How many bytes of an incomplete frame it holds. */
  public int buffered() {
    return pending.remaining();
  }
}
