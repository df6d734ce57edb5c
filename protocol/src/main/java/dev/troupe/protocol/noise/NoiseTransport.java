package dev.troupe.protocol.noise;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Aead;
import java.nio.ByteBuffer;

/**
 * The ciphers after the handshake: each record is one message of at most 65535 bytes, its tag
 * counted. Not thread-safe.
 */
public final class NoiseTransport {

  /** The most bytes of a record, encrypted (Noise, section 3). */
  public static final int MAX_RECORD = 65535;

  /** The most bytes of a record in the clear. */
  public static final int MAX_PLAINTEXT = MAX_RECORD - Aead.TAG_BYTES;

  private static final byte[] NO_DATA = new byte[0];

  private final Aead sealing;
  private final Aead opening;
  private long sealed;
  private long opened;

  NoiseTransport(Aead sealing, Aead opening) {
    this.sealing = sealing;
    this.opening = opening;
  }

  /**
   * Encrypts one record.
   *
   * @param plaintext at most {@link #MAX_PLAINTEXT} bytes, all of which are read
   * @return how many bytes were written
   */
  public int seal(ByteBuffer plaintext, ByteBuffer out) {
    return sealing.seal(next(sealed++), NO_DATA, plaintext, out);
  }

  /**
   * Checks and decrypts one record.
   *
   * @return how many bytes were written
   * @throws MalformedException if the tag is wrong; the connection cannot go on
   */
  public int open(ByteBuffer ciphertext, ByteBuffer out) throws MalformedException {
    return opening.open(next(opened++), NO_DATA, ciphertext, out);
  }

  private static long next(long counter) {
    // 2^64 - 1 is reserved by Noise; as a signed number we stop halfway there, which nobody lives
    // to see.
    if (counter < 0) {
      throw new IllegalStateException("the nonces of this connection are used up");
    }
    return counter;
  }
}
