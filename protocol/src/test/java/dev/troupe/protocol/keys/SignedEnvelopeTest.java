package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class SignedEnvelopeTest {
  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey KEY = PrivateKey.generate(CRYPTO, new SeededRandom(1));
  private static final Bytes TYPE = Bytes.utf8("/a/type");
  private static final Bytes PAYLOAD = Bytes.utf8("a payload");

  private static SignedEnvelope sealed() {
    return SignedEnvelope.seal(CRYPTO, KEY, "domain", TYPE, PAYLOAD);
  }

  @Test
  void opensWhatWasSealedInTheSameDomain() throws MalformedException {
    SignedEnvelope opened = SignedEnvelope.open(CRYPTO, "domain", sealed().encoded());
    assertEquals(sealed(), opened);
    assertEquals(KEY.publicKey(), opened.publicKey());
    assertEquals(PAYLOAD, opened.payload());
  }

  @Test
  void signsDomainTypeAndPayloadEachBehindItsLength() {
    byte[] signed = Bytes.utf8("\u0006domain\u0007/a/type\u0009a payload").toArray();
    assertTrue(KEY.publicKey().verify(CRYPTO, signed, sealed().signature().toArray()));
  }

  @Test
  void holdsInNoOtherDomain() {
    Bytes encoded = sealed().encoded();
    assertThrows(MalformedException.class, () -> SignedEnvelope.open(CRYPTO, "elsewhere", encoded));
    assertThrows(IllegalArgumentException.class, () -> SignedEnvelope.open(CRYPTO, "", encoded));
  }

  @Test
  void refusesWhatWasChangedSinceItWasSigned() {
    SignedEnvelope sealed = sealed();
    PublicKey other = PrivateKey.generate(CRYPTO, new SeededRandom(2)).publicKey();
    SignedEnvelope[] changed = {
      new SignedEnvelope(other, TYPE, PAYLOAD, sealed.signature()),
      new SignedEnvelope(KEY.publicKey(), Bytes.utf8("/b/type"), PAYLOAD, sealed.signature()),
      new SignedEnvelope(KEY.publicKey(), TYPE, Bytes.utf8("b payload"), sealed.signature()),
      new SignedEnvelope(KEY.publicKey(), TYPE, PAYLOAD, Bytes.EMPTY),
      // the last byte of the type moved to the front of the payload
      new SignedEnvelope(
          KEY.publicKey(), TYPE.slice(0, 6), Bytes.utf8("ea payload"), sealed.signature()),
    };
    for (SignedEnvelope envelope : changed) {
      assertThrows(
          MalformedException.class,
          () -> SignedEnvelope.open(CRYPTO, "domain", envelope.encoded()));
    }
  }

  @Test
  void needsATypeOfThePayload() {
    assertThrows(
        IllegalArgumentException.class,
        () -> SignedEnvelope.seal(CRYPTO, KEY, "domain", Bytes.EMPTY, PAYLOAD));
    Bytes untyped =
        new SignedEnvelope(KEY.publicKey(), Bytes.EMPTY, PAYLOAD, Bytes.EMPTY).encoded();
    assertThrows(MalformedException.class, () -> SignedEnvelope.open(CRYPTO, "domain", untyped));
  }

  @Test
  void boundsItsSize() {
    Bytes large = Bytes.wrap(new byte[SignedEnvelope.MAX_ENCODED]);
    Bytes encoded = SignedEnvelope.seal(CRYPTO, KEY, "domain", TYPE, large).encoded();
    assertThrows(MalformedException.class, () -> SignedEnvelope.open(CRYPTO, "domain", encoded));
  }

  @Property
  void refusesArbitraryBytes(@ForAll byte[] bytes) {
    assertThrows(
        MalformedException.class, () -> SignedEnvelope.open(CRYPTO, "domain", Bytes.of(bytes)));
  }
}
