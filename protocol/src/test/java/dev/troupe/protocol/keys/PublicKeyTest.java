package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PublicKeyTest {
  private static final Crypto CRYPTO = new PortableCrypto();

  @ParameterizedTest
  @CsvSource({"ecdsa, ECDSA", "ed25519, ED25519", "secp256k1, SECP256K1", "rsa, RSA"})
  void decodesAndEncodesTheSpecificationsKeys(String name, KeyType type) throws MalformedException {
    byte[] vector = KeyVectors.get(name + ".public");
    PublicKey key = PublicKey.decode(vector);
    assertEquals(type, key.type());
    assertEquals(Bytes.of(vector), key.encoded());
    assertEquals(Bytes.of(vector), Bytes.wrap(key.toMessage().toByteArray()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ecdsa", "secp256k1", "rsa"})
  void verifiesSignaturesOfTheSpecificationsKeys(String name) throws MalformedException {
    PublicKey key = PublicKey.decode(KeyVectors.get(name + ".public"));
    byte[] signature = KeyVectors.get(name + ".signature");
    assertTrue(key.verify(CRYPTO, KeyVectors.MESSAGE, signature));
    assertFalse(key.verify(CRYPTO, new byte[1], signature));
    for (int i = 0; i < signature.length; i += 7) {
      byte[] changed = signature.clone();
      changed[i] ^= 1;
      assertFalse(key.verify(CRYPTO, KeyVectors.MESSAGE, changed), "changed at " + i);
    }
    assertFalse(key.verify(CRYPTO, KeyVectors.MESSAGE, new byte[0]));
  }

  @Test
  void refusesRsaKeysThatAreTooSmall() {
    PublicKey small = new PublicKey(KeyType.RSA, Bytes.wrap(KeyVectors.get("small-rsa.spki")));
    assertFalse(small.verify(CRYPTO, KeyVectors.MESSAGE, KeyVectors.get("small-rsa.signature")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", // nothing
        "0801", // no key
        "1220aaaa", // no type
        "08041200", // an unknown type
        "0801121f" + "00000000000000000000000000000000000000000000000000000000000000", // 31 bytes
        "08021221"
            + "04"
            + "0000000000000000000000000000000000000000000000000000000000000000", // no point
        "08001200", // empty RSA
        "0801122000", // cut short
      })
  void refusesMalformedKeys(String hex) {
    assertThrows(MalformedException.class, () -> PublicKey.decode(Bytes.fromHex(hex).toArray()));
  }

  @Test
  void refusesKeysThatAreTooLarge() {
    assertThrows(
        MalformedException.class, () -> PublicKey.decode(new byte[PublicKey.MAX_ENCODED + 1]));
    assertThrows(
        IllegalArgumentException.class,
        () -> new PublicKey(KeyType.RSA, Bytes.wrap(new byte[PublicKey.MAX_ENCODED + 1])));
  }

  @Test
  void givesOneEncodingForAKeyHoweverItCame() throws MalformedException {
    Bytes canonical = Bytes.wrap(KeyVectors.get("ed25519.public"));
    // the type behind the key, and a field that nobody knows
    Bytes unusual =
        canonical
            .slice(2, canonical.size())
            .concat(Bytes.fromHex("0801"))
            .concat(Bytes.fromHex("5801"));
    assertEquals(canonical, PublicKey.decode(unusual.toArray()).encoded());
  }

  @Property
  void decodesNothingThatItWouldNotEncode(@ForAll byte[] bytes) {
    try {
      PublicKey key = PublicKey.decode(bytes);
      assertEquals(key, PublicKey.decode(key.encoded().toArray()));
    } catch (MalformedException refused) {
      assertFalse(refused.getMessage().isEmpty());
    }
  }

  @Property(tries = 300)
  void neverThrowsOverAKeyOrSignatureOfTheWrongForm(
      @ForAll KeyType type, @ForAll byte[] raw, @ForAll byte[] signature) {
    try {
      assertFalse(new PublicKey(type, Bytes.of(raw)).verify(CRYPTO, KeyVectors.MESSAGE, signature));
    } catch (IllegalArgumentException wrongLength) {
      assertTrue(type == KeyType.ED25519 || type == KeyType.SECP256K1 || raw.length == 0);
    }
  }
}
