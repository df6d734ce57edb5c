package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class PeerRecordTest {
  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey KEY = PrivateKey.generate(CRYPTO, new SeededRandom(1));
  private static final PrivateKey OTHER = PrivateKey.generate(CRYPTO, new SeededRandom(2));

  private static Multiaddr address(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void comesOutOfItsEnvelopeAsItWentIn() throws MalformedException {
    PeerRecord record =
        new PeerRecord(
            KEY.peerId(),
            7,
            List.of(address("/ip4/192.0.2.1/tcp/4001"), address("/dns4/a.example/tcp/1/ws")));
    Bytes envelope = record.seal(CRYPTO, KEY).encoded();
    assertEquals(record, PeerRecord.open(CRYPTO, envelope));
  }

  @Test
  void takesThePeersOwnIdOffItsAddresses() {
    Multiaddr address = address("/ip4/192.0.2.1/tcp/4001");
    PeerRecord record = new PeerRecord(KEY.peerId(), 1, List.of(address.withPeer(KEY.peerId())));
    assertEquals(List.of(address), record.addresses());
    assertThrows(
        IllegalArgumentException.class,
        () -> new PeerRecord(KEY.peerId(), 1, List.of(address.withPeer(OTHER.peerId()))));
  }

  @Test
  void isOnlyTakenFromThePeerItself() {
    PeerRecord record = new PeerRecord(KEY.peerId(), 1, List.of());
    assertThrows(IllegalArgumentException.class, () -> record.seal(CRYPTO, OTHER));
    Bytes foreign =
        SignedEnvelope.seal(
                CRYPTO, OTHER, PeerRecord.DOMAIN, PeerRecord.PAYLOAD_TYPE, record.encoded())
            .encoded();
    assertThrows(MalformedException.class, () -> PeerRecord.open(CRYPTO, foreign));
  }

  @Test
  void isRefusedUnderAnotherDomainOrType() {
    PeerRecord record = new PeerRecord(KEY.peerId(), 1, List.of());
    Bytes domain =
        SignedEnvelope.seal(CRYPTO, KEY, "libp2p-else", PeerRecord.PAYLOAD_TYPE, record.encoded())
            .encoded();
    Bytes type =
        SignedEnvelope.seal(
                CRYPTO, KEY, PeerRecord.DOMAIN, Bytes.of((byte) 3, (byte) 2), record.encoded())
            .encoded();
    assertThrows(MalformedException.class, () -> PeerRecord.open(CRYPTO, domain));
    assertThrows(MalformedException.class, () -> PeerRecord.open(CRYPTO, type));
  }

  @Test
  void leavesOutAddressesItCannotRead() throws MalformedException {
    Bytes unknown = Bytes.fromHex("ffff3f0102");
    Multiaddr known = address("/ip4/192.0.2.1/tcp/4001");
    var message =
        dev.troupe.protocol.keys.proto.PeerRecord.newBuilder()
            .setPeerId(ByteString.copyFrom(KEY.peerId().bytes().toArray()))
            .setSeq(3);
    for (Bytes bytes :
        List.of(unknown, known.encoded(), known.withPeer(OTHER.peerId()).encoded())) {
      message.addAddressesBuilder().setMultiaddr(ByteString.copyFrom(bytes.toArray()));
    }
    PeerRecord record = PeerRecord.decode(Bytes.wrap(message.build().toByteArray()));
    assertEquals(new PeerRecord(KEY.peerId(), 3, List.of(known)), record);
  }

  @Test
  void boundsItsAddresses() {
    List<Multiaddr> many =
        Collections.nCopies(PeerRecord.MAX_ADDRESSES + 1, address("/ip4/192.0.2.1/tcp/4001"));
    assertThrows(IllegalArgumentException.class, () -> new PeerRecord(KEY.peerId(), 1, many));
  }

  @Test
  void comparesSequenceNumbersUnsigned() {
    PeerRecord largest = new PeerRecord(KEY.peerId(), -1, List.of());
    PeerRecord small = new PeerRecord(KEY.peerId(), 1, List.of());
    assertTrue(largest.isNewerThan(small));
    assertFalse(small.isNewerThan(largest));
    assertFalse(small.isNewerThan(small));
  }
}
