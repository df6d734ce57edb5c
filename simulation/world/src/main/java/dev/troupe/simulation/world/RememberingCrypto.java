package dev.troupe.simulation.world;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Aead;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.crypto.X25519KeyPair;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The same cryptography, which does not work out twice what a world of peers asks again and again:
 * a thousand peers check the signature of one message, and both ends of a handshake agree on one
 * secret. What it answers does not depend on what it remembers. For one thread.
 */
final class RememberingCrypto implements Crypto {

  /** How much of each kind is remembered; what was remembered first is forgotten first. */
  private static final int MEMORY = 16_384;

  private final Crypto crypto;
  private final Map<Signed, Boolean> verified = new Memory<>();

  /** Public keys of ours by their private ones. */
  private final Map<Bytes, Bytes> publicKeys = new Memory<>();

  private final Map<Pair, byte[]> secrets = new Memory<>();

  private record Signed(Bytes key, Bytes message, Bytes signature) {}

  /** Two public keys, in either order. */
  private record Pair(Bytes lower, Bytes higher) {
    static Pair of(Bytes one, Bytes other) {
      return one.compareTo(other) < 0 ? new Pair(one, other) : new Pair(other, one);
    }
  }

  private static final class Memory<K, V> extends LinkedHashMap<K, V> {
    private static final long serialVersionUID = 1;

    @Override
    protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
      return size() > MEMORY;
    }
  }

  RememberingCrypto(Crypto crypto) {
    this.crypto = crypto;
  }

  @Override
  public String name() {
    return crypto.name();
  }

  @Override
  public MessageDigest newSha256() {
    return crypto.newSha256();
  }

  @Override
  public byte[] hmacSha256(byte[] key, byte[] data) {
    return crypto.hmacSha256(key, data);
  }

  @Override
  public X25519KeyPair x25519(RandomSource random) {
    X25519KeyPair pair = crypto.x25519(random);
    publicKeys.put(Bytes.of(pair.privateKey()), Bytes.of(pair.publicKey()));
    return pair;
  }

  @Override
  public byte[] x25519Agree(byte[] privateKey, byte[] publicKey) throws MalformedException {
    Bytes own = publicKeys.get(Bytes.of(privateKey));
    if (own == null) {
      return crypto.x25519Agree(privateKey, publicKey);
    }
    Pair pair = Pair.of(own, Bytes.of(publicKey));
    byte[] known = secrets.get(pair);
    if (known == null) {
      known = crypto.x25519Agree(privateKey, publicKey);
      secrets.put(pair, known);
    }
    return known.clone();
  }

  @Override
  public byte[] ed25519PublicKey(byte[] seed) {
    return crypto.ed25519PublicKey(seed);
  }

  @Override
  public byte[] ed25519Sign(byte[] seed, byte[] message) {
    return crypto.ed25519Sign(seed, message);
  }

  @Override
  public byte[] ed25519Sign(byte[] seed, byte[] publicKey, byte[] message) {
    return crypto.ed25519Sign(seed, publicKey, message);
  }

  @Override
  public boolean ed25519Verify(byte[] publicKey, byte[] message, byte[] signature) {
    return verified.computeIfAbsent(
        new Signed(Bytes.of(publicKey), Bytes.of(message), Bytes.of(signature)),
        signed -> crypto.ed25519Verify(publicKey, message, signature));
  }

  @Override
  public boolean rsaVerify(byte[] publicKey, byte[] message, byte[] signature) {
    return crypto.rsaVerify(publicKey, message, signature);
  }

  @Override
  public boolean ecdsaVerify(byte[] publicKey, byte[] message, byte[] signature) {
    return crypto.ecdsaVerify(publicKey, message, signature);
  }

  @Override
  public boolean acceptsRsaKey(byte[] publicKey) {
    return crypto.acceptsRsaKey(publicKey);
  }

  @Override
  public boolean acceptsEcdsaKey(byte[] publicKey) {
    return crypto.acceptsEcdsaKey(publicKey);
  }

  @Override
  public boolean secp256k1Verify(byte[] publicKey, byte[] message, byte[] signature) {
    return crypto.secp256k1Verify(publicKey, message, signature);
  }

  @Override
  public Aead chaCha20Poly1305(byte[] key, boolean seal) {
    return crypto.chaCha20Poly1305(key, seal);
  }
}
