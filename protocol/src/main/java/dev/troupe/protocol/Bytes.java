package dev.troupe.protocol;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An immutable string of bytes, with value equality and unsigned lexicographic order. Thread-safe.
 */
public final class Bytes implements Comparable<Bytes> {

  /** No bytes. */
  public static final Bytes EMPTY = new Bytes(new byte[0], 0, 0);

  private final byte[] array;
  private final int offset;
  private final int size;

  private Bytes(byte[] array, int offset, int size) {
    this.array = array;
    this.offset = offset;
    this.size = size;
  }

  /** A copy of these bytes. */
  public static Bytes of(byte... bytes) {
    return wrap(bytes.clone());
  }

  /** These bytes themselves: the caller must not change them any more. */
  public static Bytes wrap(byte[] bytes) {
    return bytes.length == 0 ? EMPTY : new Bytes(bytes, 0, bytes.length);
  }

  /**
   * What remains in a buffer, whose position does not move: without a copy if its array is
   * accessible, in which case the caller must not change it any more.
   */
  public static Bytes wrap(ByteBuffer buffer) {
    if (buffer.hasArray()) {
      return new Bytes(
          buffer.array(), buffer.arrayOffset() + buffer.position(), buffer.remaining());
    }
    byte[] copy = new byte[buffer.remaining()];
    buffer.duplicate().get(copy);
    return wrap(copy);
  }

  /**
   * The bytes that a hexadecimal text stands for.
   *
   * @throws IllegalArgumentException if it is not pairs of hexadecimal digits
   */
  public static Bytes fromHex(String hex) {
    return wrap(HexFormat.of().parseHex(hex));
  }

  /** The UTF-8 encoding of a text. */
  public static Bytes utf8(String text) {
    return wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  /** How many bytes. */
  public int size() {
    return size;
  }

  /** Whether there are none. */
  public boolean isEmpty() {
    return size == 0;
  }

  /**
   * One byte.
   *
   * @throws IndexOutOfBoundsException if the index is not within 0 to size - 1
   */
  public byte at(int index) {
    return array[offset + Objects.checkIndex(index, size)];
  }

  /** A copy. */
  public byte[] toArray() {
    return Arrays.copyOfRange(array, offset, offset + size);
  }

  /** A read-only view. */
  public ByteBuffer asReadOnlyBuffer() {
    return ByteBuffer.wrap(array, offset, size).slice().asReadOnlyBuffer();
  }

  /** To read them one after the other, without a copy of all. */
  public InputStream asInputStream() {
    return new ByteArrayInputStream(array, offset, size);
  }

  /**
   * Part of it, sharing the array.
   *
   * @throws IndexOutOfBoundsException if the range is not within it
   */
  public Bytes slice(int from, int to) {
    Objects.checkFromToIndex(from, to, size);
    return new Bytes(array, offset + from, to - from);
  }

  /** Both, one after the other. */
  public Bytes concat(Bytes other) {
    byte[] both = new byte[size + other.size];
    System.arraycopy(array, offset, both, 0, size);
    System.arraycopy(other.array, other.offset, both, size, other.size);
    return wrap(both);
  }

  /** Decoded as UTF-8, with replacement characters for what is not. */
  public String utf8() {
    return new String(array, offset, size, StandardCharsets.UTF_8);
  }

  /** Whether it is valid UTF-8. */
  public boolean isUtf8() {
    try {
      CharBuffer decoded =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(array, offset, size));
      return decoded.remaining() <= size;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** In lower-case hexadecimal. */
  public String hex() {
    return HexFormat.of().formatHex(array, offset, offset + size);
  }

  @Override
  public int compareTo(Bytes other) {
    return Arrays.compareUnsigned(
        array, offset, offset + size, other.array, other.offset, other.offset + other.size);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Bytes that
        && Arrays.equals(
            array, offset, offset + size, that.array, that.offset, that.offset + that.size);
  }

  @Override
  public int hashCode() {
    int hash = 1;
    for (int i = offset; i < offset + size; i++) {
      hash = 31 * hash + array[i];
    }
    return hash;
  }

  /** The size, and the first 32 bytes in hexadecimal. */
  @Override
  public String toString() {
    return size + " bytes " + slice(0, Math.min(size, 32)).hex() + (size > 32 ? "…" : "");
  }
}
