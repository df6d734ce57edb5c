package dev.troupe.protocol.multihash;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.varint.Varint;
import java.nio.ByteBuffer;

/**
 * A hash that names its function.
 *
 * @param code the function, from the multicodec table
 * @param digest at most {@link #MAX_DIGEST} bytes
 */
public record Multihash(long code, Bytes digest) implements Comparable<Multihash> {

  /** The bytes themselves. */
  public static final long IDENTITY = 0x00;

  /** SHA2-256. */
  public static final long SHA2_256 = 0x12;

  /** The longest digest that is accepted, in bytes. */
  public static final int MAX_DIGEST = 128;

  private static final int SHA2_256_BYTES = 32;

  /**
   * Refuses what cannot be encoded.
   *
   * @throws IllegalArgumentException if the code is negative or the digest too long, or not as long
   *     as its function makes it
   */
  public Multihash {
    if (code < 0
        || digest.size() > MAX_DIGEST
        || (code == SHA2_256 && digest.size() != SHA2_256_BYTES)) {
      throw new IllegalArgumentException(
          "no multihash: code " + code + ", digest of " + digest.size() + " bytes");
    }
  }

  /** SHA2-256 of some data. */
  public static Multihash sha256(Crypto crypto, Bytes data) {
    return new Multihash(SHA2_256, Bytes.wrap(crypto.sha256(data.toArray())));
  }

  /** The data itself, at most {@link #MAX_DIGEST} bytes. */
  public static Multihash identity(Bytes data) {
    return new Multihash(IDENTITY, data);
  }

  /** Code, length, digest. */
  public Bytes encoded() {
    ByteBuffer target =
        ByteBuffer.allocate(Varint.size(code) + Varint.size(digest.size()) + digest.size());
    Varint.write(code, target);
    Varint.write(digest.size(), target);
    target.put(digest.asReadOnlyBuffer());
    return Bytes.wrap(target.array());
  }

  /**
   * Reads one that fills all the bytes.
   *
   * @throws MalformedException if it is cut short, too long or followed by more, or its digest has
   *     not its function's length
   */
  public static Multihash decode(Bytes bytes) throws MalformedException {
    ByteBuffer source = bytes.asReadOnlyBuffer();
    Multihash multihash = read(source);
    if (source.hasRemaining()) {
      throw new MalformedException(source.remaining() + " bytes after a multihash");
    }
    return multihash;
  }

  /**
   * Reads one, and moves the position past it.
   *
   * @throws MalformedException if it is cut short or too long, or its digest has not its function's
   *     length
   */
  public static Multihash read(ByteBuffer source) throws MalformedException {
    long code = Varint.read(source);
    long length = Varint.read(source);
    if (length > MAX_DIGEST) {
      throw new MalformedException("a digest of " + length + " bytes, over " + MAX_DIGEST);
    }
    if (length > source.remaining()) {
      throw new MalformedException("a multihash is cut short");
    }
    if (code == SHA2_256 && length != SHA2_256_BYTES) {
      throw new MalformedException("a sha2-256 digest of " + length + " bytes, not 32");
    }
    byte[] digest = new byte[(int) length];
    source.get(digest);
    return new Multihash(code, Bytes.wrap(digest));
  }

  @Override
  public int compareTo(Multihash other) {
    return encoded().compareTo(other.encoded());
  }

  /** In hexadecimal. */
  @Override
  public String toString() {
    return encoded().hex();
  }
}
