package dev.troupe.protocol.crypto;

/**
 * A key pair for X25519 (RFC 7748). Its arrays are handed out as they are, without a copy, and must
 * not be changed; its text shows nothing.
 */
public final class X25519KeyPair {

  /** How many bytes each half has. */
  public static final int KEY_BYTES = 32;

  private final byte[] privateKey;
  private final byte[] publicKey;

  /**
   * A pair of two halves of 32 bytes, which it takes over.
   *
   * @throws IllegalArgumentException if one has another length
   */
  public X25519KeyPair(byte[] privateKey, byte[] publicKey) {
    if (privateKey.length != KEY_BYTES || publicKey.length != KEY_BYTES) {
      throw new IllegalArgumentException("each half of an X25519 key has " + KEY_BYTES + " bytes");
    }
    this.privateKey = privateKey;
    this.publicKey = publicKey;
  }

  /** The private half. */
  public byte[] privateKey() {
    return privateKey;
  }

  /** The public half. */
  public byte[] publicKey() {
    return publicKey;
  }

  @Override
  public String toString() {
    return "X25519KeyPair";
  }
}
