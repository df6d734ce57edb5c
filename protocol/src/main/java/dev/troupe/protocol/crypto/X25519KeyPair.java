package dev.troupe.protocol.crypto;

/**
 * A key pair for X25519 (RFC 7748).
 *
 * @param privateKey 32 bytes, owned by whoever asked for it
 * @param publicKey 32 bytes
 */
public record X25519KeyPair(byte[] privateKey, byte[] publicKey) {
  @Override
  public String toString() {
    return "X25519KeyPair";
  }
}
