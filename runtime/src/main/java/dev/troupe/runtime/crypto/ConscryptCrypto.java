package dev.troupe.runtime.crypto;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Aead;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.JcaAead;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.crypto.X25519KeyPair;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import org.conscrypt.Conscrypt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Conscrypt (BoringSSL) for what bytes flow through, ChaCha20-Poly1305 and SHA-256, and the
 * portable implementation for the rest. Thread-safe.
 */
public final class ConscryptCrypto implements Crypto {

  private static final Logger LOG = LoggerFactory.getLogger(ConscryptCrypto.class);

  private final PortableCrypto portable = new PortableCrypto();
  private final Provider provider;

  private ConscryptCrypto(Provider provider) {
    this.provider = provider;
  }

  /**
   * Conscrypt where its native library loads, otherwise the portable implementation; the log says
   * which.
   */
  public static Crypto orPortable() {
    Crypto crypto;
    try {
      crypto =
          Conscrypt.isAvailable()
              ? new ConscryptCrypto(Conscrypt.newProvider())
              : new PortableCrypto();
    } catch (LinkageError e) {
      LOG.debug("Conscrypt does not load", e);
      crypto = new PortableCrypto();
    }
    LOG.info("cryptography: {}", crypto.name());
    return crypto;
  }

  @Override
  public String name() {
    return "Conscrypt";
  }

  @Override
  public MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256", provider);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Conscrypt has SHA-256", e);
    }
  }

  @Override
  public byte[] hmacSha256(byte[] key, byte[] data) {
    return portable.hmacSha256(key, data);
  }

  @Override
  public X25519KeyPair x25519(RandomSource random) {
    return portable.x25519(random);
  }

  @Override
  public byte[] x25519Agree(byte[] privateKey, byte[] publicKey) throws MalformedException {
    return portable.x25519Agree(privateKey, publicKey);
  }

  @Override
  public byte[] ed25519PublicKey(byte[] seed) {
    return portable.ed25519PublicKey(seed);
  }

  @Override
  public byte[] ed25519Sign(byte[] seed, byte[] message) {
    return portable.ed25519Sign(seed, message);
  }

  @Override
  public byte[] ed25519Sign(byte[] seed, byte[] publicKey, byte[] message) {
    return portable.ed25519Sign(seed, publicKey, message);
  }

  @Override
  public boolean ed25519Verify(byte[] publicKey, byte[] message, byte[] signature) {
    return portable.ed25519Verify(publicKey, message, signature);
  }

  @Override
  public boolean rsaVerify(byte[] publicKey, byte[] message, byte[] signature) {
    return portable.rsaVerify(publicKey, message, signature);
  }

  @Override
  public boolean ecdsaVerify(byte[] publicKey, byte[] message, byte[] signature) {
    return portable.ecdsaVerify(publicKey, message, signature);
  }

  @Override
  public boolean acceptsRsaKey(byte[] publicKey) {
    return portable.acceptsRsaKey(publicKey);
  }

  @Override
  public boolean acceptsEcdsaKey(byte[] publicKey) {
    return portable.acceptsEcdsaKey(publicKey);
  }

  @Override
  public boolean secp256k1Verify(byte[] publicKey, byte[] message, byte[] signature) {
    return portable.secp256k1Verify(publicKey, message, signature);
  }

  @Override
  public Aead chaCha20Poly1305(byte[] key, boolean seal) {
    return new DirectAead(new JcaAead(provider, key, seal));
  }
}
