package dev.troupe.protocol.noise;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Aead;
import dev.troupe.protocol.crypto.Crypto;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** The hash, chaining key and cipher of a handshake under way (Noise, section 5.2). */
final class SymmetricState {

  private final Crypto crypto;
  private byte[] hash;
  private byte[] chainingKey;
  private byte @Nullable [] key;
  private long nonce;

  SymmetricState(Crypto crypto, String protocolName, byte[] prologue) {
    this.crypto = crypto;
    byte[] name = protocolName.getBytes(StandardCharsets.US_ASCII);
    this.hash = name.length <= 32 ? java.util.Arrays.copyOf(name, 32) : crypto.sha256(name);
    this.chainingKey = hash;
    mixHash(prologue);
  }

  byte[] hash() {
    return hash;
  }

  void mixHash(byte[] data) {
    MessageDigest digest = crypto.newSha256();
    digest.update(hash);
    hash = digest.digest(data);
  }

  void mixKey(byte[] material) {
    byte[][] keys = hkdf(material);
    chainingKey = keys[0];
    key = keys[1];
    nonce = 0;
  }

  byte[] encryptAndHash(byte[] plaintext) {
    byte[] ciphertext = plaintext;
    if (key != null) {
      ciphertext = new byte[plaintext.length + Aead.TAG_BYTES];
      crypto
          .chaCha20Poly1305(key, true)
          .seal(nonce++, hash, ByteBuffer.wrap(plaintext), ByteBuffer.wrap(ciphertext));
    }
    mixHash(ciphertext);
    return ciphertext;
  }

  byte[] decryptAndHash(byte[] ciphertext) throws MalformedException {
    byte[] plaintext = ciphertext;
    if (key != null) {
      if (ciphertext.length < Aead.TAG_BYTES) {
        throw new MalformedException("a Noise message is cut short");
      }
      plaintext = new byte[ciphertext.length - Aead.TAG_BYTES];
      crypto
          .chaCha20Poly1305(key, false)
          .open(nonce++, hash, ByteBuffer.wrap(ciphertext), ByteBuffer.wrap(plaintext));
    }
    mixHash(ciphertext);
    return plaintext;
  }

  /** The keys of the two directions, the initiator's first. */
  byte[][] split() {
    return hkdf(new byte[0]);
  }

  private byte[][] hkdf(byte[] material) {
    byte[] temp = crypto.hmacSha256(chainingKey, material);
    byte[] first = crypto.hmacSha256(temp, new byte[] {1});
    byte[] second = java.util.Arrays.copyOf(first, first.length + 1);
    second[first.length] = 2;
    return new byte[][] {first, crypto.hmacSha256(temp, second)};
  }
}
