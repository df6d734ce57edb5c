package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.sun.management.ThreadMXBean;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.KademliaMessage.Type;
import dev.troupe.protocol.kademlia.PeerInfo.Connectedness;
import dev.troupe.protocol.kademlia.proto.DhtMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.varint.Varint;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class KademliaMessageTest {

  private static final PeerId PEER = Peers.at(1);

  @Test
  void theBytesAreThoseOfTheSpecification() throws MalformedException {
    // Assembled by hand from the specification's field numbers: type 1, key 2, record 3,
    // closerPeers 8, providerPeers 9.
    assertEquals("080412026869", KademliaMessage.findNode(Bytes.utf8("hi")).encode().hex());
    assertEquals("080112026869", KademliaMessage.getValue(Bytes.utf8("hi")).encode().hex());
    assertEquals(
        "12022f61" + "1a07" + "0a022f61" + "120176",
        KademliaMessage.putValue(new ValueRecord(Bytes.utf8("/a"), Bytes.utf8("v"))).encode().hex(),
        "PUT_VALUE is 0, which proto3 leaves out");
    KademliaMessage answer =
        KademliaMessage.findNode(Bytes.EMPTY)
            .answer(
                null,
                List.of(
                    new PeerInfo(
                        PEER,
                        List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/4001")),
                        Connectedness.CONNECTED)),
                List.of());
    assertEquals(
        "0804" + "4230" + "0a22" + PEER.bytes().hex() + "1208047f000001060fa1" + "1801",
        answer.encode().hex());
  }

  /** Written by the codec of @libp2p/kad-dht 16 (js-libp2p). */
  @Test
  void whatJsLibp2pWritesIsReadAndWrittenTheSame() throws MalformedException {
    PeerId peer = PeerId.parse("12D3KooWGKqYHDFLMPLxAJFmKUMgUgKkUBKSP5sXaaUtJYcjPWYd");
    List<PeerInfo> named =
        List.of(
            new PeerInfo(
                peer,
                List.of(
                    Multiaddr.parse("/ip4/127.0.0.1/tcp/4001"),
                    Multiaddr.parse("/ip6/::1/tcp/4002"))));
    String id = "00240801122060b2e9f2997b1e29561309eb2bf6b9e38ac9ae866112bb07c6e83420e5570e6e";
    String addresses = "1208047f000001060fa112142900000000000000000000000000000001060fa2";
    assertVector(
        "0804" + "1226" + id + "42480a26" + id + addresses,
        new KademliaMessage(Type.FIND_NODE, peer.bytes(), null, named, List.of()));
    assertVector(
        "0803" + "1226" + id + "4a480a26" + id + addresses,
        new KademliaMessage(Type.GET_PROVIDERS, peer.bytes(), null, List.of(), named));
    assertVector(
        "12092f746573742f6b6579"
            + "1a320a092f746573742f6b6579120576616c7565"
            + "2a1e323032362d30312d30325430333a30343a30352e3637383030303030305a",
        KademliaMessage.putValue(
            new ValueRecord(Bytes.utf8("/test/key"), Bytes.utf8("value"))
                .receivedAt(Instant.parse("2026-01-02T03:04:05.678Z"))));
  }

  private static void assertVector(String hex, KademliaMessage message) throws MalformedException {
    assertEquals(message, KademliaMessage.decode(Bytes.wrap(HexFormat.of().parseHex(hex))));
    assertEquals(hex, message.encode().hex());
  }

  @Test
  void decodingAfterEncodingIsIdentity() throws MalformedException {
    PeerInfo peer =
        new PeerInfo(
            PEER,
            List.of(Multiaddr.parse("/ip4/1.2.3.4/tcp/5"), Multiaddr.parse("/ip6/::1/tcp/6")),
            Connectedness.CAN_CONNECT);
    ValueRecord record =
        new ValueRecord(Bytes.utf8("/test/k"), Bytes.utf8("v"), "2026-01-02T03:04:05Z");
    for (Type type : Type.values()) {
      KademliaMessage message =
          new KademliaMessage(type, Bytes.utf8("key"), record, List.of(peer), List.of(peer, peer));
      assertEquals(message, KademliaMessage.decode(message.encode()));
    }
  }

  @Test
  void anEmptyMessageIsAPutWithoutARecord() throws MalformedException {
    KademliaMessage message = KademliaMessage.decode(Bytes.EMPTY);
    assertEquals(Type.PUT_VALUE, message.type());
    assertNull(message.record());
  }

  @Test
  void whatNobodyUsesIsIgnored() throws MalformedException {
    // clusterLevelRaw (10), and the record's publisher (666) and ttl (777), which rust-libp2p
    // sends.
    byte[] encoded = HexFormat.of().parseHex("08045001" + "1a0a" + "d22902abcdc8301e" + "0a00");
    KademliaMessage message = KademliaMessage.decode(Bytes.wrap(encoded));
    assertEquals(Type.FIND_NODE, message.type());
    assertEquals(new ValueRecord(Bytes.EMPTY, Bytes.EMPTY), message.record());
  }

  @Test
  void entriesThatCannotBeReadAreLeftOut() throws MalformedException {
    DhtMessage.Peer strange =
        DhtMessage.Peer.newBuilder().setId(ByteString.copyFromUtf8("no multihash")).build();
    DhtMessage.Peer readable =
        DhtMessage.Peer.newBuilder()
            .setId(ByteString.copyFrom(PEER.bytes().toArray()))
            .addAddrs(ByteString.copyFromUtf8("no multiaddr"))
            .addAddrs(
                ByteString.copyFrom(Multiaddr.parse("/ip4/1.2.3.4/tcp/5").encoded().toArray()))
            .setConnectionValue(77)
            .build();
    DhtMessage message =
        DhtMessage.newBuilder().addCloserPeers(strange).addCloserPeers(readable).build();
    assertEquals(
        List.of(new PeerInfo(PEER, List.of(Multiaddr.parse("/ip4/1.2.3.4/tcp/5")))),
        decode(message).closerPeers());
  }

  @Test
  void anAddressMayRepeatThePeer() throws MalformedException {
    Multiaddr address = Multiaddr.parse("/ip4/1.2.3.4/tcp/5");
    DhtMessage message =
        DhtMessage.newBuilder()
            .addCloserPeers(
                DhtMessage.Peer.newBuilder()
                    .setId(ByteString.copyFrom(PEER.bytes().toArray()))
                    .addAddrs(ByteString.copyFrom(address.withPeer(PEER).encoded().toArray())))
            .build();
    assertEquals(List.of(address), decode(message).closerPeers().get(0).addresses());
  }

  @Test
  void ofListsThatAreTooLongTheFirstEntriesAreRead() throws MalformedException {
    assertEquals(200, decode(withCloserPeers(200)).closerPeers().size());
    List<PeerInfo> closer = decode(withCloserPeers(300)).closerPeers();
    assertEquals(KademliaMessage.MAX_CLOSER_PEERS, closer.size());
    assertEquals(Peers.peer(0), closer.get(0).peer());
    DhtMessage.Builder message = DhtMessage.newBuilder();
    for (int i = 0; i < 20_000; i++) {
      message.addProviderPeers(
          DhtMessage.Peer.newBuilder().setId(ByteString.copyFrom(Peers.peer(i).bytes().toArray())));
    }
    List<PeerInfo> providers = decode(message.build()).providers();
    assertEquals(KademliaMessage.MAX_PROVIDERS, providers.size());
    assertEquals(Peers.peer(0), providers.get(0).peer());
  }

  @Test
  void anEntryThatIsTooLargeIsLeftOut() throws MalformedException {
    DhtMessage message =
        DhtMessage.newBuilder()
            .addCloserPeers(
                DhtMessage.Peer.newBuilder()
                    .setId(ByteString.copyFrom(PEER.bytes().toArray()))
                    .addAddrs(ByteString.copyFrom(new byte[KademliaMessage.MAX_PEER_SIZE])))
            .build();
    assertEquals(List.of(), decode(message).closerPeers());
  }

  @Test
  void ofAnAnswerTheFirstPeersStayWithinTheBudget() throws MalformedException {
    List<Multiaddr> addresses =
        List.of(
            Multiaddr.parse("/dns4/" + "a".repeat(250) + "/tcp/1"),
            Multiaddr.parse("/dns4/" + "b".repeat(250) + "/tcp/1"),
            Multiaddr.parse("/dns4/" + "c".repeat(250) + "/tcp/1"));
    List<PeerInfo> many =
        IntStream.range(0, 200).mapToObj(i -> new PeerInfo(Peers.peer(i), addresses)).toList();
    KademliaMessage request = KademliaMessage.findNode(PEER.bytes());
    KademliaMessage closerOnly = request.answer(null, many, List.of()).withinBudget();
    assertTrue(closerOnly.closerPeers().size() > 30);
    assertEquals(many.subList(0, closerOnly.closerPeers().size()), closerOnly.closerPeers());
    assertTrue(closerOnly.encode().size() <= KademliaMessage.ANSWER_BUDGET + 100);
    KademliaMessage both = request.answer(null, many, many).withinBudget();
    assertTrue(both.encode().size() <= KademliaMessage.ANSWER_BUDGET + 100);
    assertTrue(both.providers().size() >= 15 && both.closerPeers().size() >= 15);
    KademliaMessage few = request.answer(null, many.subList(0, 3), many.subList(0, 3));
    assertEquals(few, few.withinBudget());
  }

  @Test
  void ofTooManyAddressesTheFirstAreKept() throws MalformedException {
    DhtMessage.Peer.Builder peer =
        DhtMessage.Peer.newBuilder().setId(ByteString.copyFrom(PEER.bytes().toArray()));
    for (int port = 1; port <= 100; port++) {
      peer.addAddrs(
          ByteString.copyFrom(Multiaddr.parse("/ip4/1.2.3.4/tcp/" + port).encoded().toArray()));
    }
    List<Multiaddr> kept =
        decode(DhtMessage.newBuilder().addProviderPeers(peer).build())
            .providers()
            .get(0)
            .addresses();
    assertEquals(PeerInfo.MAX_ADDRESSES, kept.size());
    assertEquals(Multiaddr.parse("/ip4/1.2.3.4/tcp/1"), kept.get(0));
  }

  @Test
  void unknownTypesAndOversizedMessagesAreMalformed() {
    assertThrows(
        MalformedException.class,
        () -> KademliaMessage.decode(Bytes.wrap(HexFormat.of().parseHex("0806"))));
    assertThrows(
        MalformedException.class,
        () ->
            KademliaMessage.decode(
                Bytes.wrap(new byte[KademliaMessage.MAX_PROVIDERS_RESPONSE_SIZE + 1])));
    assertThrows(
        MalformedException.class,
        () ->
            KademliaMessage.decode(
                KademliaMessage.findNode(Bytes.wrap(new byte[KademliaMessage.MAX_KEY_SIZE + 1]))
                    .encode()));
  }

  @Property(tries = 2000)
  void arbitraryBytesNeverThrowUnchecked(@ForAll byte[] bytes) {
    try {
      KademliaMessage.decode(Bytes.wrap(bytes)).encode();
    } catch (MalformedException expected) {
      assertTrue(!expected.getMessage().isEmpty());
    }
  }

  private static DhtMessage withCloserPeers(int count) {
    DhtMessage.Builder message = DhtMessage.newBuilder();
    for (int i = 0; i < count; i++) {
      message.addCloserPeers(
          DhtMessage.Peer.newBuilder().setId(ByteString.copyFrom(Peers.peer(i).bytes().toArray())));
    }
    return message.build();
  }

  private static KademliaMessage decode(DhtMessage message) throws MalformedException {
    return KademliaMessage.decode(Bytes.wrap(message.toByteArray()));
  }

  @Test
  void aLargeMessageIsReadWithoutACopyOfIt() throws MalformedException {
    ByteBuffer large = ByteBuffer.allocate(KademliaMessage.MAX_PROVIDERS_RESPONSE_SIZE);
    int unknownField = 100 << 3 | 2;
    large.put(Varint.encode(unknownField)).put(Varint.encode(large.capacity() - 16));
    large.position(large.position() + large.capacity() - 16).flip();
    Bytes encoded = Bytes.wrap(large);
    KademliaMessage.decode(encoded);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    KademliaMessage.decode(encoded);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(allocated < encoded.size() / 4, "it took " + allocated + " bytes");
  }
}
