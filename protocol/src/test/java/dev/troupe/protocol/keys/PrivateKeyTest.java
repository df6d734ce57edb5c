package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import java.util.Locale;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrivateKeyTest {
  private static final Crypto CRYPTO = new PortableCrypto();

  private static String hexOf(PrivateKey key) {
    return Bytes.wrap(key.encoded()).hex();
  }

  @Test
  void decodesAndEncodesTheSpecificationsKey() throws MalformedException {
    byte[] vector = KeyVectors.get("ed25519.private");
    PrivateKey key = PrivateKey.decode(CRYPTO, vector);
    assertEquals(Bytes.of(vector), Bytes.wrap(key.encoded()));
    assertEquals(Bytes.wrap(KeyVectors.get("ed25519.public")), key.publicKey().encoded());
  }

  @Test
  void decodesTheOldFormWithThePublicHalfTwice() throws MalformedException {
    String current = Bytes.wrap(KeyVectors.get("ed25519.private")).hex();
    String publicHalf = current.substring(current.length() - 64);
    String old = "08011260" + current.substring(8) + publicHalf;
    assertEquals(current, hexOf(PrivateKey.decode(CRYPTO, Bytes.fromHex(old).toArray())));
    String wrong = old.substring(0, old.length() - 2) + "00";
    assertThrows(
        MalformedException.class, () -> PrivateKey.decode(CRYPTO, Bytes.fromHex(wrong).toArray()));
  }

  @Test
  void refusesAPublicHalfThatIsNotOfTheSeed() {
    byte[] vector = KeyVectors.get("ed25519.private");
    vector[vector.length - 1] ^= 1;
    assertThrows(MalformedException.class, () -> PrivateKey.decode(CRYPTO, vector));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ecdsa", "secp256k1", "rsa"})
  void namesTheTypesThatItDoesNotSignWith(String name) {
    MalformedException refused =
        assertThrows(
            MalformedException.class,
            () -> PrivateKey.decode(CRYPTO, KeyVectors.get(name + ".private")));
    assertTrue(refused.getMessage().toLowerCase(Locale.ROOT).contains(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0801", "08011200", "080112400000", "0809120100"})
  void refusesMalformedKeys(String hex) {
    assertThrows(
        MalformedException.class, () -> PrivateKey.decode(CRYPTO, Bytes.fromHex(hex).toArray()));
  }

  @Test
  void refusesKeysThatAreTooLarge() {
    byte[] large = new byte[PrivateKey.MAX_ENCODED + 1];
    assertThrows(MalformedException.class, () -> PrivateKey.decode(CRYPTO, large));
    assertThrows(IllegalArgumentException.class, () -> PrivateKey.fromSeed(CRYPTO, new byte[31]));
  }

  @Test
  void isDecidedByItsRandomness() {
    String first = hexOf(PrivateKey.generate(CRYPTO, new SeededRandom(1)));
    assertEquals(first, hexOf(PrivateKey.generate(CRYPTO, new SeededRandom(1))));
    assertFalse(first.equals(hexOf(PrivateKey.generate(CRYPTO, new SeededRandom(2)))));
  }

  @Test
  void signsWhatItsPublicHalfVerifies() {
    PrivateKey key = PrivateKey.generate(CRYPTO, new SeededRandom(3));
    byte[] signature = key.sign(CRYPTO, KeyVectors.MESSAGE);
    assertTrue(key.publicKey().verify(CRYPTO, KeyVectors.MESSAGE, signature));
    assertFalse(key.publicKey().verify(CRYPTO, new byte[3], signature));
  }

  @Test
  void showsNothingOfTheSeed() {
    PrivateKey key = PrivateKey.generate(CRYPTO, new SeededRandom(4));
    String seed = hexOf(key).substring(8, 72);
    assertFalse(key.toString().contains(seed.substring(0, 8)));
  }

  @Property
  void roundTripsEverySeed(@ForAll byte[] material) throws MalformedException {
    byte[] seed = CRYPTO.sha256(material);
    PrivateKey key = PrivateKey.fromSeed(CRYPTO, seed);
    assertEquals(hexOf(key), hexOf(PrivateKey.decode(CRYPTO, key.encoded())));
  }

  @Property
  void refusesArbitraryBytes(@ForAll byte[] bytes) {
    assertThrows(MalformedException.class, () -> PrivateKey.decode(CRYPTO, bytes));
  }
}
