package dev.troupe.actors.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.DhtFixture.InboundPipe;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.KademliaMessage.Type;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.varint.Frames;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the Dht answers to other peers, and what it does not put up with. */
class DhtServerTest {

  private static final PeerId SENDER = Script.peer(500);

  private DhtFixture fixture;

  @BeforeEach
  void start() {
    fixture = new DhtFixture(DhtSettings.DEFAULT);
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void twentyOfTheNearestAreNamedAndNeverTheOneWhoAsks() throws Exception {
    for (int i = 1; i <= 60; i++) {
      fixture.identify(Script.peerNumber(i));
    }
    InboundPipe pipe = fixture.openInbound(Script.peer(30));
    pipe.send(KademliaMessage.findNode(Script.peer(30).bytes()));
    List<PeerInfo> closer = pipe.answer().closerPeers();
    assertEquals(20, closer.size());
    assertTrue(closer.stream().noneMatch(info -> info.peer().equals(Script.peer(30))));
  }

  @Test
  void aConnectedPeerIsNamedThoughItDoesNotServe() throws Exception {
    Script client = Script.peerNumber(7);
    client.server = false;
    fixture.identify(client);
    assertEquals(0, fixture.state().peers());
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.send(KademliaMessage.findNode(client.peer.bytes()));
    assertEquals(client.peer, pipe.answer().closerPeers().get(0).peer());
  }

  @Test
  void whoAsksForThisPeerIsToldWhereItListens() throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.send(KademliaMessage.findNode(DhtFixture.SELF.bytes()));
    assertEquals(
        List.of(new PeerInfo(DhtFixture.SELF, List.of(Script.address(0)))),
        pipe.answer().closerPeers());
  }

  @Test
  void aValueIsStoredEchoedAndReturned() throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    KademliaMessage put =
        KademliaMessage.putValue(new ValueRecord(Bytes.utf8("/test/k"), Bytes.utf8("v")));
    pipe.send(put);
    assertEquals(put, pipe.answer());
    pipe.send(KademliaMessage.getValue(Bytes.utf8("/test/k")));
    ValueRecord stored = pipe.answer().record();
    assertEquals("v", stored.value().utf8());
    assertEquals("2024-01-01T00:00:00.000000000Z", stored.timeReceived());
    pipe.closeRemote();
    assertTrue(pipe.writeClosed);
    assertNull(pipe.resetReason);
  }

  @Test
  void anInvalidRecordIsRefusedByAReset() {
    for (KademliaMessage request :
        List.of(
            KademliaMessage.putValue(new ValueRecord(Bytes.utf8("/unknown/k"), Bytes.utf8("v"))),
            KademliaMessage.putValue(new ValueRecord(Bytes.utf8("/pk/x"), Bytes.utf8("v"))),
            new KademliaMessage(Type.PUT_VALUE, Bytes.utf8("/test/a"), null, List.of(), List.of()),
            new KademliaMessage(
                Type.PUT_VALUE,
                Bytes.utf8("/test/a"),
                new ValueRecord(Bytes.utf8("/test/b"), Bytes.utf8("v")),
                List.of(),
                List.of()),
            KademliaMessage.findNode(Bytes.EMPTY),
            new KademliaMessage(
                Type.GET_PROVIDERS, Bytes.utf8("no hash"), null, List.of(), List.of()),
            new KademliaMessage(
                Type.ADD_PROVIDER, Bytes.utf8("no hash"), null, List.of(), List.of()))) {
      InboundPipe pipe = fixture.openInbound(SENDER);
      pipe.send(request);
      assertNotNull(pipe.resetReason, request.toString());
      assertFalse(pipe.hasAnswered());
    }
  }

  @Test
  void aProviderRecordIsTakenFromTheProviderItselfOnly() throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    PeerInfo self = new PeerInfo(SENDER, List.of(Script.address(500)));
    pipe.send(KademliaMessage.addProvider(Script.hash("x"), Script.peerNumber(9).info()));
    pipe.send(
        new KademliaMessage(
            Type.ADD_PROVIDER,
            Script.hash("y").encoded(),
            null,
            List.of(),
            List.of(Script.peerNumber(9).info(), self)));
    assertFalse(pipe.hasAnswered(), "there is no answer to ADD_PROVIDER");
    pipe.send(KademliaMessage.getProviders(Script.hash("x")));
    assertEquals(List.of(), pipe.answer().providers());
    pipe.send(KademliaMessage.getProviders(Script.hash("y")));
    assertEquals(List.of(self), pipe.answer().providers());
  }

  @Test
  void anOldPingIsAnswered() throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    KademliaMessage ping = new KademliaMessage(Type.PING, Bytes.EMPTY, null, List.of(), List.of());
    pipe.send(ping);
    assertEquals(ping, pipe.answer());
  }

  @Test
  void requestsSentTogetherAreAnsweredInOrder() throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    byte[] first = Frames.encode(KademliaMessage.getValue(Bytes.utf8("/test/1")).encode());
    byte[] second = Frames.encode(KademliaMessage.getValue(Bytes.utf8("/test/2")).encode());
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    pipe.sendBytes(both);
    assertEquals("/test/1", pipe.answer().key().utf8());
    assertEquals("/test/2", pipe.answer().key().utf8());
  }

  @Test
  void aRequestInManyPiecesIsAnswered() throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    for (byte b : Frames.encode(KademliaMessage.getValue(Bytes.utf8("/test/1")).encode())) {
      pipe.sendBytes(new byte[] {b});
    }
    assertEquals("/test/1", pipe.answer().key().utf8());
  }

  @Test
  void whoDoesNotReadItsAnswersGetsNoMoreCredit() throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.room = 3;
    byte[] request = Frames.encode(KademliaMessage.getValue(Bytes.utf8("/test/1")).encode());
    long credit = pipe.credit;
    pipe.sendBytes(request);
    pipe.sendBytes(request);
    assertEquals(credit, pipe.credit);
    pipe.makeRoom();
    assertEquals("/test/1", pipe.answer().key().utf8());
    assertEquals("/test/1", pipe.answer().key().utf8());
    assertEquals(credit + 2L * request.length, pipe.credit);
  }

  @Test
  void malformedOversizedAndTruncatedRequestsAreResetAndOthersStillServed() throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 200; i++) {
      byte[] junk = new byte[1 + random.nextInt(64)];
      random.nextBytes(junk);
      InboundPipe pipe = fixture.openInbound(SENDER);
      pipe.sendBytes(junk);
      pipe.closeRemote();
      assertTrue(pipe.over || pipe.writeClosed || pipe.hasAnswered());
    }
    InboundPipe oversized = fixture.openInbound(SENDER);
    oversized.sendBytes(new byte[] {(byte) 0x81, (byte) 0x80, 0x04}); // 64 KiB and one byte
    assertNotNull(oversized.resetReason);
    InboundPipe truncated = fixture.openInbound(SENDER);
    truncated.sendBytes(new byte[] {10, 1, 2});
    truncated.closeRemote();
    assertNotNull(truncated.resetReason);
    InboundPipe good = fixture.openInbound(SENDER);
    good.send(KademliaMessage.getValue(Bytes.utf8("/test/1")));
    good.answer();
  }

  @Test
  void whateverIsAnsweredIsWithinTheBudgetAndReadableByUs() throws Exception {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 1; i <= 60; i++) {
      Script greedy = Script.peerNumber(i);
      greedy.listens = greedyAddresses(random);
      fixture.identify(greedy);
    }
    KademliaMessage put =
        KademliaMessage.putValue(
            new ValueRecord(
                Bytes.utf8("/test/" + "k".repeat(1000)),
                Bytes.wrap(new byte[ValueRecord.MAX_VALUE_SIZE])));
    for (int i = 0; i < 100; i++) {
      fixture
          .openInbound(Script.peer(1000 + i))
          .send(
              KademliaMessage.addProvider(
                  Script.hash("x"), new PeerInfo(Script.peer(1000 + i), greedyAddresses(random))));
    }
    PeerInfo filler = new PeerInfo(SENDER, greedyAddresses(random));
    for (KademliaMessage request :
        List.of(
            new KademliaMessage(
                Type.PUT_VALUE, put.key(), put.record(), List.of(filler), List.of(filler)),
            KademliaMessage.getValue(put.key()),
            KademliaMessage.getProviders(Script.hash("x")),
            KademliaMessage.findNode(Script.peer(30).bytes()),
            KademliaMessage.findNode(DhtFixture.SELF.bytes()))) {
      InboundPipe pipe = fixture.openInbound(SENDER);
      pipe.send(request);
      Bytes encoded = pipe.answerBytes();
      KademliaMessage answer = KademliaMessage.decode(encoded);
      int beside = 200 + request.key().size();
      if (answer.record() != null) {
        beside += answer.record().key().size() + answer.record().value().size();
      }
      assertTrue(encoded.size() <= KademliaMessage.ANSWER_BUDGET + beside, request.toString());
      assertTrue(encoded.size() <= KademliaMessage.maxResponseSize(request.type()));
      assertEquals(answer, KademliaMessage.decode(answer.encode()));
      if (request.type() != Type.PUT_VALUE) {
        assertTrue(answer.closerPeers().size() >= 10, "the nearest are named all the same");
      } else {
        assertEquals(List.of(), answer.closerPeers(), "an echo of the record, not of the padding");
      }
    }
  }

  private static List<Multiaddr> greedyAddresses(SplittableRandom random) throws Exception {
    List<Multiaddr> addresses = new ArrayList<>();
    for (int i = 0; i < 1 + random.nextInt(40); i++) {
      String name = "a".repeat(1 + random.nextInt(250));
      addresses.add(Multiaddr.parse("/dns4/" + name + "/tcp/" + (1 + random.nextInt(65535))));
    }
    return addresses;
  }

  @Test
  void anIdleStreamIsClosedThoughBytesTrickle() {
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.sendBytes(new byte[] {100});
    for (int i = 0; i < 59; i++) {
      fixture.advance(Duration.ofSeconds(1));
      pipe.sendBytes(new byte[] {0});
    }
    assertNull(pipe.resetReason);
    fixture.advance(Duration.ofSeconds(1));
    assertNotNull(pipe.resetReason);
  }

  @Test
  void thereIsRoomForSoManyStreams() throws Exception {
    fixture.close();
    fixture =
        new DhtFixture(
            DhtSettings.DEFAULT.withLimits(new DhtSettings.Limits(10, 10, 10, 3, 10, 10, 10)));
    List<InboundPipe> pipes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      pipes.add(fixture.openInbound(SENDER));
    }
    assertEquals("too many DHT streams", fixture.openInbound(SENDER).resetReason);
    pipes.get(0).closeRemote();
    InboundPipe next = fixture.openInbound(SENDER);
    next.send(KademliaMessage.getValue(Bytes.utf8("/test/1")));
    next.answer();
    // A crash resets them all, and counts anew.
    fixture.crash();
    for (int i = 0; i < 3; i++) {
      assertNull(fixture.openInbound(SENDER).resetReason);
    }
    assertEquals("too many DHT streams", fixture.openInbound(SENDER).resetReason);
  }

  @Test
  void onePeerHasSoManyStreams() throws Exception {
    fixture.close();
    fixture =
        new DhtFixture(
            DhtSettings.DEFAULT.withLimits(new DhtSettings.Limits(10, 10, 10, 10, 2, 10, 10)));
    InboundPipe first = fixture.openInbound(SENDER);
    fixture.openInbound(SENDER);
    assertEquals("too many DHT streams", fixture.openInbound(SENDER).resetReason);
    assertNull(fixture.openInbound(Script.peer(501)).resetReason, "others have theirs");
    first.closeRemote();
    assertNull(fixture.openInbound(SENDER).resetReason);
  }

  @Test
  void aStreamIsMindedUntilItHasReallyEnded() throws Exception {
    fixture.close();
    fixture =
        new DhtFixture(
            DhtSettings.DEFAULT.withLimits(new DhtSettings.Limits(10, 10, 10, 10, 1, 10, 10)));
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.ends = false;
    pipe.send(KademliaMessage.getValue(Bytes.utf8("/test/1")));
    pipe.closeRemote();
    assertTrue(pipe.writeClosed);
    assertEquals("too many DHT streams", fixture.openInbound(SENDER).resetReason, "it counts");
    fixture.advance(Duration.ofSeconds(59));
    assertNull(pipe.resetReason);
    fixture.advance(Duration.ofSeconds(1));
    assertNotNull(pipe.resetReason);
    assertNull(fixture.openInbound(SENDER).resetReason);
  }

  @Test
  void aClientDoesNotServeAndAServerDoesWhateverIsKnown() {
    assertNotNull(fixture.openInbound(SENDER), "auto serves while nothing is known");
    reachability(Dht.Reachability.PRIVATE);
    assertNull(fixture.openInbound(SENDER));
    reachability(Dht.Reachability.PUBLIC);
    assertNotNull(fixture.openInbound(SENDER));
    fixture.close();
    fixture = new DhtFixture(DhtSettings.DEFAULT.withMode(DhtMode.CLIENT));
    assertNull(fixture.openInbound(SENDER));
    reachability(Dht.Reachability.PUBLIC);
    assertNull(fixture.openInbound(SENDER));
    fixture.close();
    fixture = new DhtFixture(DhtSettings.DEFAULT.withMode(DhtMode.SERVER));
    reachability(Dht.Reachability.PRIVATE);
    assertNotNull(fixture.openInbound(SENDER));
  }

  private void reachability(Dht.Reachability reachability) {
    fixture.dht.tell(new Dht.ReachabilityChanged(reachability));
    fixture.system.runUntilIdle();
  }
}
