package dev.troupe.protocol.presence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.SignedEnvelope;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.presence.InvalidPresenceException.Fault;
import dev.troupe.protocol.presence.proto.Presence;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PresenceRecordTest {

  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey KEY = seeded(1);
  private static final PrivateKey OTHER = seeded(2);
  private static final PeerId PEER = KEY.peerId();
  private static final String ALICE = "/eth/0xa11ce";
  private static final Instant NOW = Instant.parse("2026-05-06T07:08:09.123Z");
  private static final Duration LIFETIME = Duration.ofMinutes(5);

  private static PrivateKey seeded(int seed) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) seed);
    return PrivateKey.fromSeed(CRYPTO, bytes);
  }

  private static PresenceRecord record(PeerId peer, String identity, Instant published) {
    return new PresenceRecord(identity, peer, published, LIFETIME, "id", "Alice", List.of());
  }

  private static Bytes sealed(Instant published) {
    return record(PEER, ALICE, published).seal(CRYPTO, KEY);
  }

  private static Fault fault(PeerId peer, String identity, Bytes encoded) {
    return assertThrows(
            InvalidPresenceException.class,
            () -> PresenceRecord.open(CRYPTO, peer, identity, encoded, NOW))
        .fault();
  }

  private static Fault fault(Bytes encoded) {
    return fault(PEER, ALICE, encoded);
  }

  /** Signed by a key, whatever it says. */
  private static Bytes envelope(PrivateKey key, String domain, Bytes payload) {
    return SignedEnvelope.seal(CRYPTO, key, domain, Bytes.utf8("/troupe/presence"), payload)
        .encoded();
  }

  private static Presence.Builder message() {
    return Presence.newBuilder()
        .setIdentity(ALICE)
        .setPeerId(ByteString.copyFrom(PEER.bytes().asReadOnlyBuffer()))
        .setPublishedMillis(NOW.toEpochMilli())
        .setLifetimeMillis(LIFETIME.toMillis());
  }

  private static Bytes signed(PrivateKey key, Presence.Builder message) {
    return envelope(key, "troupe-presence", Bytes.wrap(message.build().toByteArray()));
  }

  @Test
  void whatIsSealedCanBeOpened() throws Exception {
    Multiaddr address = Multiaddr.parse("/ip4/192.0.2.1/tcp/4001");
    PresenceRecord record =
        new PresenceRecord(
            ALICE,
            PEER,
            NOW.plusNanos(1),
            LIFETIME,
            "id",
            "Älice",
            List.of(address.withPeer(PEER)));
    assertEquals(List.of(address), record.addresses());
    assertEquals(NOW, record.published(), "to the millisecond");
    Bytes encoded = record.seal(CRYPTO, KEY);
    assertEquals(record, PresenceRecord.open(CRYPTO, PEER, ALICE, encoded, NOW));
    assertEquals(
        encoded,
        signed(
            KEY,
            message()
                .setAgentId("id")
                .setAgentName("Älice")
                .addMultiaddrs(ByteString.copyFrom(address.encoded().asReadOnlyBuffer()))));
  }

  @Test
  void aForgedOneIsRefused() {
    assertEquals(Fault.OTHER_SIGNER, fault(signed(OTHER, message())));
    Bytes ofOther = record(OTHER.peerId(), ALICE, NOW).seal(CRYPTO, OTHER);
    assertEquals(Fault.OTHER_SIGNER, fault(ofOther), "in the place of another");
    assertThrows(
        IllegalArgumentException.class, () -> record(PEER, ALICE, NOW).seal(CRYPTO, OTHER));
    Bytes ofBob = record(PEER, "/eth/0xb0b", NOW).seal(CRYPTO, KEY);
    assertEquals(Fault.OTHER_IDENTITY, fault(ofBob));
    assertEquals(Fault.OTHER_IDENTITY, fault(PEER, "/eth/0xa11ce0", sealed(NOW)));
  }

  @Test
  void whatIsNotSignedIsRefused() {
    Bytes payload = Bytes.wrap(message().build().toByteArray());
    assertEquals(Fault.NOT_SIGNED, fault(envelope(KEY, "another-purpose", payload)));
    assertEquals(Fault.NOT_SIGNED, fault(payload));
    assertEquals(Fault.NOT_SIGNED, fault(Bytes.EMPTY));
    byte[] changed = sealed(NOW).toArray();
    for (int i = 0; i < changed.length; i++) {
      changed[i] ^= 1;
      Bytes encoded = Bytes.wrap(changed.clone());
      assertThrows(
          InvalidPresenceException.class,
          () -> PresenceRecord.open(CRYPTO, PEER, ALICE, encoded, NOW));
      changed[i] ^= 1;
    }
  }

  @Test
  void itIsValidForItsTimeExactly() throws Exception {
    Bytes first = sealed(NOW.minus(LIFETIME).plusMillis(1));
    assertEquals(NOW.plusMillis(1), PresenceRecord.open(CRYPTO, PEER, ALICE, first, NOW).expires());
    assertEquals(Fault.EXPIRED, fault(sealed(NOW.minus(LIFETIME))));
    Bytes last = sealed(NOW.plus(PresenceRecord.CLOCK_TOLERANCE));
    PresenceRecord.open(CRYPTO, PEER, ALICE, last, NOW);
    assertEquals(
        Fault.FUTURE_DATED, fault(sealed(NOW.plus(PresenceRecord.CLOCK_TOLERANCE).plusMillis(1))));
  }

  @Test
  void noneLivesForLong() throws Exception {
    long longest = PresenceRecord.MAX_LIFETIME.toMillis();
    PresenceRecord.open(
        CRYPTO, PEER, ALICE, signed(KEY, message().setLifetimeMillis(longest)), NOW);
    assertEquals(
        Fault.LIVES_TOO_LONG, fault(signed(KEY, message().setLifetimeMillis(longest + 1))));
    assertEquals(Fault.MALFORMED, fault(signed(KEY, message().setLifetimeMillis(-1))));
    assertEquals(Fault.MALFORMED, fault(signed(KEY, message().setPublishedMillis(-1))));
    Presence.Builder lastOfAll =
        message().setPublishedMillis(Long.MAX_VALUE).setLifetimeMillis(longest);
    assertEquals(Fault.FUTURE_DATED, fault(signed(KEY, lastOfAll)));
  }

  @Test
  void anOversizedOneIsNeitherMadeNorRead() throws Exception {
    PresenceRecord small = record(PEER, ALICE, NOW);
    int rest = PresenceRecord.MAX_ENCODED - small.seal(CRYPTO, KEY).size();
    // Three lengths of the protobuf grow by a byte each as it grows.
    String name = "Alice" + "x".repeat(rest - 2);
    Bytes largest = named(name).seal(CRYPTO, KEY);
    assertTrue(PresenceRecord.MAX_ENCODED - largest.size() <= 2, () -> "" + largest.size());
    PresenceRecord.open(CRYPTO, PEER, ALICE, largest, NOW);
    assertThrows(IllegalArgumentException.class, () -> named(name + "xxx").seal(CRYPTO, KEY));
    assertEquals(
        Fault.TOO_LARGE, fault(signed(KEY, message().setAgentId("id").setAgentName(name + "xxx"))));
  }

  private static PresenceRecord named(String name) {
    return new PresenceRecord(ALICE, PEER, NOW, LIFETIME, "id", name, List.of());
  }

  @Test
  void nonsenseThatIsSignedIsMalformed() {
    assertEquals(Fault.MALFORMED, fault(envelope(KEY, "troupe-presence", Bytes.utf8("nonsense"))));
    assertEquals(Fault.MALFORMED, fault(signed(KEY, message().clearPeerId())));
    assertEquals(Fault.MALFORMED, fault(signed(KEY, message().setIdentity("alice"))));
    Bytes otherType =
        SignedEnvelope.seal(
                CRYPTO,
                KEY,
                "troupe-presence",
                Bytes.utf8("/else"),
                Bytes.wrap(message().build().toByteArray()))
            .encoded();
    assertEquals(Fault.MALFORMED, fault(otherType));
  }

  @Test
  void addressesAreBounded() throws Exception {
    Multiaddr address = Multiaddr.parse("/ip4/192.0.2.1/tcp/4001");
    List<Multiaddr> many = Collections.nCopies(PresenceRecord.MAX_ADDRESSES + 1, address);
    PresenceRecord record = new PresenceRecord(ALICE, PEER, NOW, LIFETIME, "", "", many);
    assertEquals(PresenceRecord.MAX_ADDRESSES, record.addresses().size());
    Presence.Builder message = message();
    ByteString bytes = ByteString.copyFrom(address.encoded().asReadOnlyBuffer());
    many.forEach(each -> message.addMultiaddrs(bytes));
    assertEquals(Fault.MALFORMED, fault(signed(KEY, message)));
    Presence.Builder unreadable = message().addMultiaddrs(ByteString.copyFromUtf8("?"));
    unreadable.addMultiaddrs(bytes);
    assertEquals(
        List.of(address),
        PresenceRecord.open(CRYPTO, PEER, ALICE, signed(KEY, unreadable), NOW).addresses());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "alice", "eth/0xa", "/eth/\n"})
  void whatIsNoIdentityIsRefused(String text) {
    assertFalse(PresenceRecord.isIdentity(text));
    assertThrows(IllegalArgumentException.class, () -> record(PEER, text, NOW));
  }

  @Test
  void anIdentityHasALength() {
    assertTrue(PresenceRecord.isIdentity("/" + "x".repeat(PresenceRecord.MAX_IDENTITY - 1)));
    assertFalse(PresenceRecord.isIdentity("/" + "x".repeat(PresenceRecord.MAX_IDENTITY)));
    assertFalse(PresenceRecord.isIdentity("/" + "ä".repeat(PresenceRecord.MAX_IDENTITY / 2)));
  }

  @Test
  void theDhtTakesOneOfThePeerInItsPlaceOnly() throws Exception {
    Namespaces namespaces =
        Namespaces.BUILT_IN.with(PresenceNamespace.NAME, new PresenceNamespace(CRYPTO, () -> NOW));
    Bytes key = PresenceRecord.keyOf(PEER, ALICE);
    assertEquals(Bytes.utf8("/presence/" + PEER + ALICE), key);
    namespaces.validate(key, sealed(NOW));
    for (Bytes bad :
        List.of(
            Bytes.utf8("/presence/" + PEER),
            Bytes.utf8("/presence/" + PEER + "/"),
            Bytes.utf8("/presence/nobody" + ALICE),
            Bytes.utf8("/presence/" + PEER + ALICE).concat(Bytes.of((byte) 0xff)))) {
      InvalidRecordException refused =
          assertThrows(InvalidRecordException.class, () -> namespaces.validate(bad, sealed(NOW)));
      assertEquals(Fault.BAD_KEY, ((InvalidPresenceException) refused.getCause()).fault());
    }
    assertThrows(
        InvalidRecordException.class,
        () -> namespaces.validate(PresenceRecord.keyOf(OTHER.peerId(), ALICE), sealed(NOW)));
  }

  @Test
  void theLaterOneIsBetterWhicheverComesFirst() {
    PresenceNamespace namespace = new PresenceNamespace(CRYPTO, () -> NOW);
    Bytes key = PresenceRecord.keyOf(PEER, ALICE);
    Bytes earlier = sealed(NOW.minusMillis(1));
    Bytes later = sealed(NOW);
    assertEquals(1, namespace.select(key, List.of(earlier, later)));
    assertEquals(0, namespace.select(key, List.of(later, earlier)));
    Bytes asLate = named("Alicia").seal(CRYPTO, KEY);
    assertNotEquals(
        namespace.select(key, List.of(later, asLate)),
        namespace.select(key, List.of(asLate, later)));
    assertTrue(namespace.isOrdered());
  }
}
