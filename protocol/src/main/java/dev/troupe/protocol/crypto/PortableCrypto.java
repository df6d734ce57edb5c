package dev.troupe.protocol.crypto;

import dev.troupe.protocol.MalformedException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.List;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.math.ec.rfc7748.X25519;
import org.bouncycastle.math.ec.rfc8032.Ed25519;
import org.jspecify.annotations.Nullable;

/** The cryptography port over the JDK and Bouncy Castle: no native library, the same everywhere. */
public final class PortableCrypto implements Crypto {

  /**
   * RSA keys outside these sizes, in bits, are refused: too weak, or too slow to verify (libp2p
   * peer-ids specification).
   */
  private static final int MIN_RSA_BITS = 2048;

  private static final int MAX_RSA_BITS = 8192;

  /**
   * The longest public exponent of an RSA key, in bits. The work of a verification grows with it: a
   * key made for the purpose would cost a thousand times what an honest one does.
   */
  private static final int MAX_RSA_EXPONENT_BITS = 32;

  private static final BigInteger LEAST_RSA_EXPONENT = BigInteger.valueOf(3);

  /** P-256, P-384 and P-521: those that go-libp2p and js-libp2p both accept. */
  private static final List<ECParameterSpec> CURVES =
      List.of(curve("secp256r1"), curve("secp384r1"), curve("secp521r1"));

  private static final ECDomainParameters SECP256K1 = secp256k1();

  @Override
  public String name() {
    return "JDK and Bouncy Castle";
  }

  @Override
  public MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public byte[] hmacSha256(byte[] key, byte[] data) {
    HMac mac = new HMac(new SHA256Digest());
    mac.init(new KeyParameter(key));
    mac.update(data, 0, data.length);
    byte[] result = new byte[mac.getMacSize()];
    mac.doFinal(result, 0);
    return result;
  }

  @Override
  public X25519KeyPair x25519(RandomSource random) {
    byte[] privateKey = random.bytes(X25519.SCALAR_SIZE);
    byte[] publicKey = new byte[X25519.POINT_SIZE];
    X25519.generatePublicKey(privateKey, 0, publicKey, 0);
    return new X25519KeyPair(privateKey, publicKey);
  }

  @Override
  public byte[] x25519Agree(byte[] privateKey, byte[] publicKey) throws MalformedException {
    if (publicKey.length != X25519.POINT_SIZE) {
      throw new MalformedException("an X25519 key of " + publicKey.length + " bytes, not 32");
    }
    byte[] secret = new byte[X25519.POINT_SIZE];
    if (!X25519.calculateAgreement(privateKey, 0, publicKey, 0, secret, 0)) {
      throw new MalformedException("an X25519 key of low order");
    }
    return secret;
  }

  @Override
  public byte[] ed25519PublicKey(byte[] seed) {
    byte[] publicKey = new byte[Ed25519.PUBLIC_KEY_SIZE];
    Ed25519.generatePublicKey(seed, 0, publicKey, 0);
    return publicKey;
  }

  @Override
  public byte[] ed25519Sign(byte[] seed, byte[] message) {
    byte[] signature = new byte[Ed25519.SIGNATURE_SIZE];
    Ed25519.sign(seed, 0, message, 0, message.length, signature, 0);
    return signature;
  }

  @Override
  public byte[] ed25519Sign(byte[] seed, byte[] publicKey, byte[] message) {
    byte[] signature = new byte[Ed25519.SIGNATURE_SIZE];
    Ed25519.sign(seed, 0, publicKey, 0, message, 0, message.length, signature, 0);
    return signature;
  }

  @Override
  public boolean ed25519Verify(byte[] publicKey, byte[] message, byte[] signature) {
    return publicKey.length == Ed25519.PUBLIC_KEY_SIZE
        && signature.length == Ed25519.SIGNATURE_SIZE
        && Ed25519.verify(signature, 0, publicKey, 0, message, 0, message.length);
  }

  @Override
  public boolean rsaVerify(byte[] publicKey, byte[] message, byte[] signature) {
    return verify("RSA", "SHA256withRSA", publicKey, message, signature);
  }

  @Override
  public boolean ecdsaVerify(byte[] publicKey, byte[] message, byte[] signature) {
    return verify("EC", "SHA256withECDSA", publicKey, message, signature);
  }

  private static boolean verify(
      String keyAlgorithm, String algorithm, byte[] publicKey, byte[] message, byte[] signature) {
    try {
      PublicKey key = read(keyAlgorithm, publicKey);
      if (!isAcceptable(key)) {
        return false;
      }
      Signature verifier = Signature.getInstance(algorithm);
      verifier.initVerify(key);
      verifier.update(message);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  @Override
  public boolean acceptsRsaKey(byte[] publicKey) {
    return accepts("RSA", publicKey);
  }

  @Override
  public boolean acceptsEcdsaKey(byte[] publicKey) {
    return accepts("EC", publicKey);
  }

  private static boolean accepts(String algorithm, byte[] publicKey) {
    try {
      return isAcceptable(read(algorithm, publicKey));
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static PublicKey read(String algorithm, byte[] publicKey)
      throws GeneralSecurityException {
    return KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(publicKey));
  }

  /** Whether the key is of a kind that peers may have, and cheap enough to verify with. */
  static boolean isAcceptable(PublicKey key) {
    if (key instanceof RSAPublicKey rsa) {
      int bits = rsa.getModulus().bitLength();
      BigInteger exponent = rsa.getPublicExponent();
      return bits >= MIN_RSA_BITS
          && bits <= MAX_RSA_BITS
          && exponent.bitLength() <= MAX_RSA_EXPONENT_BITS
          && exponent.compareTo(LEAST_RSA_EXPONENT) >= 0
          && exponent.testBit(0);
    }
    if (key instanceof ECPublicKey ec) {
      ECParameterSpec domain = ec.getParams();
      return CURVES.stream()
          .anyMatch(
              curve ->
                  domain.getCurve().equals(curve.getCurve())
                      && domain.getGenerator().equals(curve.getGenerator())
                      && domain.getOrder().equals(curve.getOrder()));
    }
    return false;
  }

  private static ECParameterSpec curve(String name) {
    try {
      AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
      parameters.init(new ECGenParameterSpec(name));
      return parameters.getParameterSpec(ECParameterSpec.class);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK knows the curves of NIST", e);
    }
  }

  @Override
  public boolean secp256k1Verify(byte[] publicKey, byte[] message, byte[] signature) {
    try {
      ECDSASigner verifier = new ECDSASigner();
      verifier.init(
          false, new ECPublicKeyParameters(SECP256K1.getCurve().decodePoint(publicKey), SECP256K1));
      BigInteger[] pair = DerSignature.decode(signature);
      return pair != null && verifier.verifySignature(sha256(message), pair[0], pair[1]);
    } catch (IllegalArgumentException e) {
      // Bouncy Castle's word for bytes that are no point of the curve.
      return false;
    }
  }

  /** The two numbers of an ECDSA signature on a curve of 256 bits. */
  private static final class DerSignature {

    private static final int SEQUENCE = 0x30;
    private static final int INTEGER = 0x02;
    private static final int MAX_NUMBER = 33; // 256 bits and a sign

    /**
     * Null for what is no DER sequence of two positive integers. Lengths below 128 take one byte.
     */
    static BigInteger @Nullable [] decode(byte[] der) {
      ByteBuffer in = ByteBuffer.wrap(der);
      if (der.length < 2 || in.get() != SEQUENCE || in.get() != in.remaining()) {
        return null;
      }
      BigInteger r = number(in);
      BigInteger s = number(in);
      return r == null || s == null || in.hasRemaining() ? null : new BigInteger[] {r, s};
    }

    private static @Nullable BigInteger number(ByteBuffer in) {
      if (in.remaining() < 2 || in.get() != INTEGER) {
        return null;
      }
      int size = in.get();
      if (size < 1 || size > Math.min(MAX_NUMBER, in.remaining())) {
        return null;
      }
      byte[] digits = new byte[size];
      in.get(digits);
      boolean padded = size > 1 && digits[0] == 0 && digits[1] >= 0;
      return digits[0] < 0 || padded ? null : new BigInteger(digits);
    }
  }

  @Override
  public Aead chaCha20Poly1305(byte[] key, boolean seal) {
    return new JcaAead(null, key, seal);
  }

  private static ECDomainParameters secp256k1() {
    X9ECParameters curve = CustomNamedCurves.getByName("secp256k1");
    return new ECDomainParameters(curve.getCurve(), curve.getG(), curve.getN(), curve.getH());
  }
}
