package dev.troupe.protocol.crypto;

import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;

/**
 * ChaCha20-Poly1305 (RFC 8439) under one key, in one direction. The nonce is four zero bytes and
 * the counter in little-endian order (Noise specification, section 12.3). Buffers may be on the
 * heap or direct, and must not overlap. Not thread-safe.
 */
public interface Aead {

  /** How many bytes longer the ciphertext is: the authentication tag. */
  int TAG_BYTES = 16;

  /** How many bytes a key has. */
  int KEY_BYTES = 32;

  /**
   * Encrypts all that remains in {@code plaintext}.
   *
   * @param counter never the same twice for one key
   * @param out has room for the plaintext and the tag; its position moves past what was written
   * @return how many bytes were written
   * @throws java.nio.BufferOverflowException if it has not
   * @throws IllegalStateException if this object was made to open, or was just given the same
   *     counter
   */
  int seal(long counter, byte[] associatedData, ByteBuffer plaintext, ByteBuffer out);

  /**
   * Checks and decrypts all that remains in {@code ciphertext}. A counter may be tried again.
   *
   * @param out has room for the plaintext
   * @return how many bytes were written
   * @throws MalformedException if it is shorter than a tag or the tag is wrong; what is in {@code
   *     out} then means nothing, and its position has not moved
   * @throws java.nio.BufferOverflowException if {@code out} has no room
   * @throws IllegalStateException if this object was made to seal
   */
  int open(long counter, byte[] associatedData, ByteBuffer ciphertext, ByteBuffer out)
      throws MalformedException;
}
