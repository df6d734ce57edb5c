package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A point of the 256-bit keyspace: the SHA-256 of what it stands for, be that the bytes of a peer
 * id, of a multihash or of a record's key (specification, "Distance").
 *
 * <p>The four words are the 256 bits, the most significant first.
 */
public record Key(long w0, long w1, long w2, long w3) {

  /** How many bits a key has. */
  public static final int BITS = 256;

  /** The point that stands for these bytes. */
  public static Key of(Bytes preimage) {
    return ofDigest(sha256().digest(preimage.toArray()));
  }

  /** The point at which a peer lives. */
  public static Key of(PeerId peer) {
    return of(peer.bytes());
  }

  /**
   * The point whose bits these are.
   *
   * @throws IllegalArgumentException unless there are 32 bytes
   */
  public static Key ofDigest(byte[] digest) {
    if (digest.length != BITS / 8) {
      throw new IllegalArgumentException("a key has 32 bytes, not " + digest.length);
    }
    ByteBuffer words = ByteBuffer.wrap(digest);
    return new Key(words.getLong(), words.getLong(), words.getLong(), words.getLong());
  }

  /** The XOR distance between this point and another. */
  public Distance distanceTo(Key other) {
    return new Distance(w0 ^ other.w0, w1 ^ other.w1, w2 ^ other.w2, w3 ^ other.w3);
  }

  /**
   * How many leading bits this point shares with another: 0 to 256, the latter only with itself.
   */
  public int commonPrefixLength(Key other) {
    return distanceTo(other).leadingZeros();
  }

  @Override
  public String toString() {
    return String.format("%016x%016x%016x%016x", w0, w1, w2, w3);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError("every Java platform has SHA-256", impossible);
    }
  }
}
