package dev.troupe.protocol.crypto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAPrivateKeySpec;
import java.security.spec.RSAPublicKeySpec;
import org.bouncycastle.jce.ECNamedCurveTable;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jce.spec.ECNamedCurveParameterSpec;
import org.bouncycastle.jce.spec.ECPublicKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose signatures are looked at: a signature that holds is still refused under a costly key. */
class AcceptableKeysTest {

  private static final Crypto CRYPTO = new PortableCrypto();
  private static final byte[] MESSAGE = "signed".getBytes(StandardCharsets.US_ASCII);

  private static byte[] signed(String algorithm, PrivateKey key) throws GeneralSecurityException {
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(key);
    signature.update(MESSAGE);
    return signature.sign();
  }

  @Test
  void refusesRsaExponentsThatAreLongerThan32BitsThoughTheSignatureHolds()
      throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    RSAPrivateCrtKey pair = (RSAPrivateCrtKey) generator.generateKeyPair().getPrivate();
    BigInteger phi =
        pair.getPrimeP()
            .subtract(BigInteger.ONE)
            .multiply(pair.getPrimeQ().subtract(BigInteger.ONE));
    for (int bits : new int[] {17, 32, 33, 64, 2000}) {
      BigInteger exponent = BigInteger.ONE.shiftLeft(bits - 1).setBit(0);
      while (!exponent.gcd(phi).equals(BigInteger.ONE)) {
        exponent = exponent.add(BigInteger.TWO);
      }
      assertEquals(bits, exponent.bitLength());
      KeyFactory factory = KeyFactory.getInstance("RSA");
      PublicKey key = factory.generatePublic(new RSAPublicKeySpec(pair.getModulus(), exponent));
      byte[] signature =
          signed(
              "SHA256withRSA",
              factory.generatePrivate(
                  new RSAPrivateKeySpec(pair.getModulus(), exponent.modInverse(phi))));
      assertEquals(bits <= 32, CRYPTO.rsaVerify(key.getEncoded(), MESSAGE, signature), bits + "");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2047, 65537, false",
    "2048, 65537, true",
    "8192, 65537, true",
    "8193, 65537, false",
    "2048, 3, true",
    "2048, 4, false",
    "2048, 65536, false",
    "2048, 4294967295, true",
    "2048, 4294967297, false",
  })
  void rsaKeysHaveBounds(int bits, BigInteger exponent, boolean acceptable)
      throws GeneralSecurityException {
    BigInteger modulus = BigInteger.ONE.shiftLeft(bits - 1).setBit(0);
    PublicKey key =
        KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(modulus, exponent));
    assertEquals(acceptable, PortableCrypto.isAcceptable(key));
    assertEquals(acceptable, CRYPTO.acceptsRsaKey(key.getEncoded()));
    assertFalse(CRYPTO.acceptsEcdsaKey(key.getEncoded()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"secp256r1", "secp384r1", "secp521r1"})
  void ecdsaKeysAreOnTheCurvesThatGoAndJsAccept(String curve) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec(curve));
    KeyPair pair = generator.generateKeyPair();
    byte[] key = pair.getPublic().getEncoded();
    byte[] signature = signed("SHA256withECDSA", pair.getPrivate());
    assertTrue(CRYPTO.ecdsaVerify(key, MESSAGE, signature));
    assertFalse(CRYPTO.ecdsaVerify(key, new byte[1], signature));
    assertFalse(CRYPTO.rsaVerify(key, MESSAGE, signature));
    assertTrue(CRYPTO.acceptsEcdsaKey(key));
    assertFalse(CRYPTO.acceptsRsaKey(key));
  }

  @Test
  void ecdsaKeysOnOtherCurvesAreRefused() throws GeneralSecurityException {
    ECNamedCurveParameterSpec curve = ECNamedCurveTable.getParameterSpec("secp256k1");
    PublicKey key =
        KeyFactory.getInstance("EC", new BouncyCastleProvider())
            .generatePublic(new ECPublicKeySpec(curve.getG(), curve));
    assertFalse(PortableCrypto.isAcceptable(key));
    assertFalse(CRYPTO.acceptsEcdsaKey(key.getEncoded()));
    assertFalse(CRYPTO.acceptsEcdsaKey(MESSAGE));
  }
}
