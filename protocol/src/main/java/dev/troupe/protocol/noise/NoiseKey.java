package dev.troupe.protocol.noise;

import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.crypto.X25519KeyPair;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.PublicKey;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The Noise static key of a host, signed by its identity once, for all of its sessions: that saves
 * each handshake a key and a signature. It lives as long as the host, and is never stored
 * (specification, "Static Key Authentication").
 *
 * <p>Immutable and thread-safe.
 */
public final class NoiseKey {

  private static final byte[] SIGNED_PREFIX =
      "noise-libp2p-static-key:".getBytes(StandardCharsets.US_ASCII);

  private final X25519KeyPair pair;
  private final PublicKey identity;
  private final byte[] signature;

  private NoiseKey(X25519KeyPair pair, PublicKey identity, byte[] signature) {
    this.pair = pair;
    this.identity = identity;
    this.signature = signature;
  }

  /** A new key of this identity. */
  public static NoiseKey generate(Crypto crypto, RandomSource random, PrivateKey identity) {
    X25519KeyPair pair = crypto.x25519(random);
    return new NoiseKey(
        pair, identity.publicKey(), identity.sign(crypto, signedBytes(pair.publicKey())));
  }

  X25519KeyPair pair() {
    return pair;
  }

  PublicKey identity() {
    return identity;
  }

  byte[] signature() {
    return signature;
  }

  /** What an identity signs of its static key. */
  static byte[] signedBytes(byte[] staticKey) {
    byte[] bytes = Arrays.copyOf(SIGNED_PREFIX, SIGNED_PREFIX.length + staticKey.length);
    System.arraycopy(staticKey, 0, bytes, SIGNED_PREFIX.length, staticKey.length);
    return bytes;
  }
}
