package dev.troupe.protocol.varint;

import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;

/**
 * Unsigned varints: 7 bits a byte, the least significant first, at most 9 bytes (63 bits), in their
 * shortest form only.
 *
 * <p>Source: multiformats, unsigned-varint specification.
 */
public final class Varint {

  /** The most bytes that one may take. */
  public static final int MAX_BYTES = 9;

  private Varint() {}

  /**
   * How many bytes a value takes, 1 to 9.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public static int size(long value) {
    if (value < 0) {
      throw new IllegalArgumentException("negative: " + value);
    }
    return Math.max(1, (63 - Long.numberOfLeadingZeros(value)) / 7 + 1);
  }

  /** Writes a value, which must not be negative. */
  public static void write(long value, ByteBuffer target) {
    long rest = value;
    for (int i = size(value); i > 1; i--) {
      target.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    target.put((byte) rest);
  }

  /** A value, which must not be negative, as bytes. */
  public static byte[] encode(long value) {
    byte[] bytes = new byte[size(value)];
    write(value, ByteBuffer.wrap(bytes));
    return bytes;
  }

  /**
   * Reads one.
   *
   * @throws MalformedException if it is cut short, longer than 9 bytes or not in its shortest form
   */
  public static long read(ByteBuffer source) throws MalformedException {
    long value = peek(source);
    if (value < 0) {
      throw new MalformedException("a varint is cut short");
    }
    source.position(source.position() + size(value));
    return value;
  }

  /**
   * Reads one without moving the position.
   *
   * @return the value, or -1 when more bytes are needed
   * @throws MalformedException if it is longer than 9 bytes or not in its shortest form
   */
  public static long peek(ByteBuffer source) throws MalformedException {
    long value = 0;
    for (int i = 0; i < MAX_BYTES; i++) {
      if (i == source.remaining()) {
        return -1;
      }
      byte b = source.get(source.position() + i);
      value |= (b & 0x7fL) << (7 * i);
      if (b >= 0) {
        if (b == 0 && i > 0) {
          throw new MalformedException("a varint is not in its shortest form");
        }
        return value;
      }
    }
    throw new MalformedException("a varint is longer than " + MAX_BYTES + " bytes");
  }
}
