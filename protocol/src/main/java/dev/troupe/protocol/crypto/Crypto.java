package dev.troupe.protocol.crypto;

import dev.troupe.protocol.MalformedException;
import java.security.MessageDigest;

/**
 * All the cryptography that the protocols need. Thread-safe; keys and randomness are always passed
 * in.
 */
public interface Crypto {

  /** Which provider this is, for the log. */
  String name();

  /** A new SHA-256 digest. */
  MessageDigest newSha256();

  /** SHA-256 of some bytes: 32 bytes. */
  default byte[] sha256(byte[] data) {
    return newSha256().digest(data);
  }

  /** HMAC-SHA-256 (RFC 2104): 32 bytes. */
  byte[] hmacSha256(byte[] key, byte[] data);

  /** A new key pair for X25519. */
  X25519KeyPair x25519(RandomSource random);

  /**
   * The shared secret of X25519: 32 bytes.
   *
   * @throws MalformedException if the public key is not 32 bytes long or the result is all zero (a
   *     point of low order)
   */
  byte[] x25519Agree(byte[] privateKey, byte[] publicKey) throws MalformedException;

  /** The Ed25519 (RFC 8032) public key, 32 bytes, of a seed of 32 bytes. */
  byte[] ed25519PublicKey(byte[] seed);

  /** The Ed25519 signature, 64 bytes, of a message. */
  byte[] ed25519Sign(byte[] seed, byte[] message);

  /**
   * The same signature where the public key is at hand, which may halve the work.
   *
   * @param publicKey that of the seed: the signature under another would reveal the private key
   */
  default byte[] ed25519Sign(byte[] seed, byte[] publicKey, byte[] message) {
    return ed25519Sign(seed, message);
  }

  /** Whether an Ed25519 signature is right; false also for a key or signature of the wrong form. */
  boolean ed25519Verify(byte[] publicKey, byte[] message, byte[] signature);

  /**
   * Whether a SHA256withRSA signature is right; the key is a DER SubjectPublicKeyInfo. False also
   * for wrong forms, and without any work for keys that no peer may have: moduli of less than 2048
   * or more than 8192 bits, exponents that are even, below 3 or longer than 32 bits.
   */
  boolean rsaVerify(byte[] publicKey, byte[] message, byte[] signature);

  /**
   * Whether a SHA256withECDSA signature is right; the key is a DER SubjectPublicKeyInfo. False also
   * for wrong forms, and without any work for keys on any curve but P-256, P-384 and P-521.
   */
  boolean ecdsaVerify(byte[] publicKey, byte[] message, byte[] signature);

  /** Whether {@link #rsaVerify} does any work for a key. */
  boolean acceptsRsaKey(byte[] publicKey);

  /** Whether {@link #ecdsaVerify} does any work for a key. */
  boolean acceptsEcdsaKey(byte[] publicKey);

  /**
   * Whether an ECDSA signature (DER) over SHA-256 by a secp256k1 key (a point, compressed or not)
   * is right.
   */
  boolean secp256k1Verify(byte[] publicKey, byte[] message, byte[] signature);

  /**
   * ChaCha20-Poly1305 under a key of 32 bytes.
   *
   * @param seal whether it is to encrypt; otherwise it decrypts
   */
  Aead chaCha20Poly1305(byte[] key, boolean seal);
}
