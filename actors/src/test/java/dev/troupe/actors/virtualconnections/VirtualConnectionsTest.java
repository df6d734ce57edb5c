package dev.troupe.actors.virtualconnections;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.fakes.ScriptedHost;
import dev.troupe.actors.fakes.ScriptedStream;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.virtualconnections.VirtualConnections.Delivered;
import dev.troupe.actors.virtualconnections.VirtualConnections.Received;
import dev.troupe.actors.virtualconnections.VirtualConnections.SendFailed;
import dev.troupe.actors.virtualconnections.VirtualConnections.SendFailure;
import dev.troupe.actors.virtualconnections.VirtualConnections.StartRefused;
import dev.troupe.actors.virtualconnections.VirtualConnections.Started;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The actors of virtual connections, over a host that the test plays. */
class VirtualConnectionsTest {

  private static final ProtocolId MAIL = ProtocolId.of("/test/mail/1");
  private static final ProtocolId NEWS = ProtocolId.of("/test/news/1");
  private static final PeerId BOB = ScriptedWorld.key(2).peerId();
  private static final PeerId CAROL = ScriptedWorld.key(3).peerId();
  private static final PeerId DAVE = ScriptedWorld.key(4).peerId();

  private static final Duration ACKNOWLEDGEMENT = Duration.ofSeconds(5);
  private static final Duration NANO = Duration.ofNanos(1);

  /** As by default, with 4 messages a queue, 2 virtual connections, 2 protocols, 1000 bytes. */
  private static final VirtualConnectionSettings SETTINGS =
      new VirtualConnectionSettings(
          3, Duration.ofSeconds(2), ACKNOWLEDGEMENT, Duration.ofSeconds(30), 4, 2, 2, 1000);

  private final SimulatedSystem system = SimulatedSystem.create();
  private final ScriptedHost host = new ScriptedHost(ScriptedWorld.key(1).peerId());
  private final Probe<VirtualConnections.SendReply> sent = system.probe("sent");
  private final Probe<Received> mail = system.probe("mail");
  private final Probe<VirtualConnections.StartReply> started = system.probe("started");
  private final Probe<VirtualConnections.StopReply> stopped = system.probe("stopped");
  private final List<PeerId> connects = new ArrayList<>();
  private boolean reachable = true;
  private ActorRef<VirtualConnections.Command> virtual;

  @BeforeEach
  void spawn() {
    ActorRef<Connections.Command> connections =
        system.spawn(
            Behaviors.receive(Connections.Command.class)
                .onMessage(
                    Connections.Connect.class,
                    connect -> {
                      connects.add(connect.peer());
                      connect.replyTo().tell(answer(connect.peer()));
                      return Behaviors.same();
                    })
                .build(),
            "connections");
    virtual =
        system.spawn(
            VirtualConnections.create(SETTINGS, new ScriptedWorld(system), host, connections),
            "virtual");
    system.runUntilIdle();
  }

  @AfterEach
  void close() {
    system.close();
  }

  private Connections.ConnectReply answer(PeerId peer) {
    try {
      return reachable
          ? new Connections.Connected(peer, Multiaddr.parse("/ip4/127.0.0.1/tcp/4001"))
          : new Connections.ConnectFailed(
              peer, new HostFailure(HostFailure.Kind.UNREACHABLE, "no way"));
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  // ---- what the tests do

  private void send(PeerId peer, String text) {
    virtual.tell(new VirtualConnections.Send(peer, MAIL, Bytes.utf8(text), sent.ref()));
    system.runUntilIdle();
  }

  private void start(ProtocolId protocol) {
    virtual.tell(new VirtualConnections.Start(protocol, mail.ref(), started.ref()));
    system.runUntilIdle();
  }

  /** The host opens the stream that was asked for. */
  private ScriptedStream open() {
    ScriptedStream stream = host.takeOpening().succeed();
    system.runUntilIdle();
    return stream;
  }

  /** A remote opens a stream. */
  private ScriptedStream accept(PeerId peer, ProtocolId protocol) {
    ScriptedStream stream = host.accept(peer, protocol);
    system.runUntilIdle();
    return stream;
  }

  private void receive(ScriptedStream stream, Envelope... envelopes) {
    for (Envelope envelope : envelopes) {
      stream.receive(envelope.encoded().array());
    }
    system.runUntilIdle();
  }

  private static List<Envelope> written(ScriptedStream stream) {
    List<Envelope> envelopes = new ArrayList<>();
    ByteBuffer bytes = ByteBuffer.wrap(stream.takeWritten());
    try {
      while (bytes.hasRemaining()) {
        byte[] frame = new byte[bytes.getInt()];
        bytes.get(frame);
        envelopes.add(Envelope.decode(frame));
      }
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
    return envelopes;
  }

  /** The one message under way on a stream. */
  private static Envelope message(ScriptedStream stream) {
    List<Envelope> all = written(stream);
    assertEquals(1, all.size());
    assertFalse(all.get(0).isAcknowledgement());
    return all.get(0);
  }

  private static Envelope message(long id, String text) {
    return new Envelope(id, Bytes.utf8(text));
  }

  private static Envelope acknowledgement(long id) {
    return new Envelope(id, null);
  }

  private static String text(Envelope envelope) {
    Bytes data = envelope.data();
    assertNotNull(data);
    return data.utf8();
  }

  private List<String> heard() {
    system.runUntilIdle();
    return mail.received().stream().map(letter -> letter.data().utf8()).toList();
  }

  private void failed(SendFailure reason, int attempts) {
    SendFailed failed = sent.expect(SendFailed.class);
    assertEquals(reason, failed.reason(), failed.message());
    assertEquals(attempts, failed.attempts());
    assertFalse(failed.message().isBlank());
    sent.expectNone();
  }

  /** How many virtual connections there are. */
  private int children() {
    return system.children(virtual).values().iterator().next();
  }

  private void crash() {
    virtual.tell(new VirtualConnections.Stop(MAIL, null));
    virtual.tell(new VirtualConnections.Start(MAIL, mail.ref(), started.ref()));
    system.runUntilIdle();
  }

  // ---- sending

  @Test
  void messagesGoOneAtATimeInOrderEachAfterTheAcknowledgementOfTheOneBefore() {
    send(BOB, "one");
    send(BOB, "two");
    send(BOB, "three");
    ScriptedStream stream = open();
    for (String expected : List.of("one", "two", "three")) {
      Envelope sending = message(stream);
      assertEquals(expected, text(sending));
      sent.expectNone();
      receive(stream, acknowledgement(sending.id()));
      sent.expect(new Delivered(BOB, MAIL, 1));
    }
    assertEquals(List.of(BOB), connects);
    assertEquals(List.of(), written(stream));
  }

  @Test
  void anAcknowledgementOfAnotherMessageIsNone() {
    send(BOB, "one");
    ScriptedStream stream = open();
    Envelope sending = message(stream);
    receive(stream, acknowledgement(sending.id() + 1), acknowledgement(sending.id() - 1));
    sent.expectNone();
    receive(stream, acknowledgement(sending.id()), acknowledgement(sending.id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
    sent.expectNone(Duration.ofHours(1));
  }

  @Test
  void threeAttemptsWithTwoAndFourSecondsBetweenThemAreTheEndAndTheNextMessageGoesOn() {
    send(BOB, "one");
    send(BOB, "two");
    ScriptedStream first = open();
    final long id = message(first).id();
    system.advance(ACKNOWLEDGEMENT.minus(NANO));
    assertNull(first.resetReason);
    system.advance(NANO);
    assertTrue(first.resetReason != null);
    system.advance(Duration.ofSeconds(2).minus(NANO));
    assertEquals(0, host.openings.size());
    system.advance(NANO);
    ScriptedStream second = open();
    assertEquals(id, message(second).id());
    system.advance(ACKNOWLEDGEMENT);
    system.advance(Duration.ofSeconds(4).minus(NANO));
    assertEquals(0, host.openings.size());
    system.advance(NANO);
    ScriptedStream third = open();
    assertEquals(message(id, "one"), message(third));
    system.advance(ACKNOWLEDGEMENT.minus(NANO));
    sent.expectNone();
    system.advance(NANO);
    failed(SendFailure.NOT_ACKNOWLEDGED, 3);
    ScriptedStream next = open();
    Envelope two = message(next);
    assertEquals("two", text(two));
    assertNotEquals(id, two.id());
    receive(next, acknowledgement(two.id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
    sent.expectNone(Duration.ofHours(1));
    assertEquals(0, host.openings.size());
  }

  @Test
  void aStreamThatEndsIsAFailedAttemptAtOnce() {
    send(BOB, "one");
    ScriptedStream stream = open();
    final long id = message(stream).id();
    stream.resetRemotely();
    system.advance(Duration.ofSeconds(2));
    stream = open();
    assertEquals(id, message(stream).id());
    // Who closes its half says that it will not acknowledge.
    stream.closeRemotely();
    system.advance(Duration.ofSeconds(4));
    assertTrue(stream.isClosed());
    stream = open();
    receive(stream, acknowledgement(message(stream).id()));
    sent.expect(new Delivered(BOB, MAIL, 3));
  }

  @Test
  void aPeerThatCannotBeConnectedIsUnreachableAfterThreeAttempts() {
    reachable = false;
    send(BOB, "one");
    system.advance(Duration.ofSeconds(6).minus(NANO));
    sent.expectNone();
    assertEquals(2, connects.size());
    system.advance(NANO);
    failed(SendFailure.UNREACHABLE, 3);
    assertEquals(3, connects.size());
  }

  @Test
  void aStreamThatCannotBeOpenedMakesThePeerUnreachable() {
    send(BOB, "one");
    for (int pause : new int[] {2, 4, 0}) {
      host.takeOpening().fail(HostFailure.Kind.TIMED_OUT);
      system.advance(Duration.ofSeconds(pause));
    }
    failed(SendFailure.UNREACHABLE, 3);
    assertEquals(0, host.openings.size());
  }

  @Test
  void aMessageThatWentOutOnceIsNotCalledUnreachable() {
    send(BOB, "one");
    ScriptedStream stream = open();
    reachable = false;
    stream.resetRemotely();
    system.advance(Duration.ofSeconds(6));
    failed(SendFailure.NOT_ACKNOWLEDGED, 3);
  }

  @Test
  void aProtocolThatTheRemoteDoesNotSpeakIsNotTriedAgain() {
    send(BOB, "one");
    host.takeOpening().fail(HostFailure.Kind.PROTOCOL_NOT_SUPPORTED);
    system.runUntilIdle();
    failed(SendFailure.PROTOCOL_NOT_SUPPORTED, 1);
    sent.expectNone(Duration.ofMinutes(1));
    assertEquals(0, host.openings.size());
  }

  @Test
  void whatIsTooLargeIsRefusedAtOnceAndTheLargestIsNot() {
    send(BOB, "x".repeat(1001));
    failed(SendFailure.TOO_LARGE, 0);
    assertEquals(0, children());
    send(BOB, "x".repeat(1000));
    ScriptedStream stream = open();
    receive(stream, acknowledgement(message(stream).id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
  }

  @Test
  void aFullQueueRefusesAndHasRoomAgainAfterADelivery() {
    for (int i = 0; i < 4; i++) {
      send(BOB, "letter " + i);
    }
    sent.expectNone();
    send(BOB, "too many");
    failed(SendFailure.QUEUE_FULL, 0);
    // The queue is Bob's alone.
    send(CAROL, "for Carol");
    sent.expectNone();
    ScriptedStream stream = open();
    receive(stream, acknowledgement(message(stream).id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
    send(BOB, "fits");
    sent.expectNone();
  }

  @Test
  void oneVirtualConnectionTooManyIsRefusedInBothDirections() {
    start(MAIL);
    send(BOB, "one");
    send(CAROL, "two");
    send(DAVE, "three");
    failed(SendFailure.QUEUE_FULL, 0);
    ScriptedStream inbound = accept(DAVE, MAIL);
    assertEquals("too many virtual connections", inbound.resetReason);
    // Bob's and Carol's serve on, and one that has ended makes room.
    ScriptedStream stream = open();
    receive(stream, acknowledgement(message(stream).id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
    system.advance(Duration.ofSeconds(30));
    stream.closeRemotely();
    system.runUntilIdle();
    host.openings.clear();
    send(DAVE, "now");
    assertEquals(1, host.openings.size());
  }

  @Test
  void theStreamThatTheRemoteOpenedIsUsedForAnAnswer() {
    start(MAIL);
    ScriptedStream inbound = accept(BOB, MAIL);
    send(BOB, "answer");
    assertEquals(0, host.openings.size());
    receive(inbound, acknowledgement(message(inbound).id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
  }

  @Test
  void streamsOpenedAtTheSameTimeBothServe() {
    start(MAIL);
    send(BOB, "ours");
    ScriptedStream theirs = accept(BOB, MAIL);
    receive(theirs, message(7, "theirs"));
    assertEquals(List.of(acknowledgement(7)), written(theirs));
    ScriptedStream ours = open();
    // The older of the two carries our message, whichever it is.
    Envelope sending = message(theirs);
    receive(theirs, acknowledgement(sending.id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
    receive(ours, message(8, "here too"));
    assertEquals(List.of(acknowledgement(8)), written(ours));
    assertEquals(List.of("theirs", "here too"), heard());
    assertFalse(ours.isClosed() || theirs.isClosed());
  }

  @Test
  void aRemoteThatOpensStreamAfterStreamDoesNotDriveOutTheOneInUse() {
    start(MAIL);
    send(BOB, "one");
    ScriptedStream inUse = open();
    final Envelope sending = message(inUse);
    List<ScriptedStream> opened = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      opened.add(accept(BOB, MAIL));
    }
    assertNull(inUse.resetReason);
    assertEquals(3, opened.stream().filter(ScriptedStream::isClosed).count());
    assertTrue(opened.get(0).isClosed() && opened.get(2).isClosed());
    receive(inUse, acknowledgement(sending.id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
  }

  @Test
  void whatTheStreamHasNoRoomForFollowsWhenItHas() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    stream.room = 3;
    send(BOB, "in pieces");
    stream.makeRoom(10);
    system.runUntilIdle();
    stream.makeRoom(Long.MAX_VALUE);
    system.runUntilIdle();
    assertEquals("in pieces", text(message(stream)));
  }

  // ---- receiving

  @Test
  void aDuplicateIsAcknowledgedAgainAndToldOnceAlsoOnAnotherStream() {
    start(MAIL);
    ScriptedStream first = accept(BOB, MAIL);
    receive(first, message(1, "one"), message(1, "one"), message(2, "two"));
    assertEquals(
        List.of(acknowledgement(1), acknowledgement(1), acknowledgement(2)), written(first));
    ScriptedStream second = accept(BOB, MAIL);
    receive(second, message(2, "two"), message(3, "three"));
    assertEquals(List.of(acknowledgement(2), acknowledgement(3)), written(second));
    assertEquals(List.of("one", "two", "three"), heard());
    assertEquals(new Received(BOB, MAIL, Bytes.utf8("one")), mail.received().get(0));
  }

  @Test
  void theSameNumberOfAnotherPeerOrProtocolIsNoDuplicate() {
    start(MAIL);
    start(NEWS);
    receive(accept(BOB, MAIL), message(1, "Bob's"));
    receive(accept(BOB, NEWS), message(1, "Bob's news"));
    system.advance(Duration.ofMinutes(1));
    receive(accept(CAROL, MAIL), message(1, "Carol's"));
    assertEquals(List.of("Bob's", "Bob's news", "Carol's"), heard());
  }

  @Test
  void ofOnePairTheLast64MessagesAreRemembered() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    for (int i = 0; i < 65; i++) {
      receive(stream, message(i, "letter " + i));
    }
    assertEquals(65, heard().size());
    receive(stream, message(1, "remembered"), message(64, "remembered"));
    assertEquals(65, heard().size());
    assertEquals(67, written(stream).size());
    receive(stream, message(0, "forgotten"));
    assertEquals(65, heard().size());
    assertEquals(List.of(), written(stream), "its sender is past it");
  }

  @Test
  void whatArrivesAfterALaterMessageIsNotHeardAndAnotherLifeBeginsAnywhere() {
    start(MAIL);
    ScriptedStream stalled = accept(BOB, MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    receive(stream, message(1000, "one"), message(1002, "three"));
    written(stream);
    receive(stalled, message(1001, "two, given up"));
    assertEquals(List.of(), written(stalled));
    receive(stream, message(1003, "four"));
    receive(stream, message(1003 - (2 << 24), "of another life"));
    receive(stalled, message(999, "of the first life, and given up too"));
    receive(stream, message(1004 - (2 << 24), "and on"));
    assertEquals(List.of("one", "three", "four", "of another life", "and on"), heard());
    assertEquals(3, written(stream).size());
  }

  @Test
  void theRemoteMayCloseItsHalfAfterItsMessageAndIsAcknowledgedAllTheSame() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    stream.receive(message(1, "and that was all").encoded().array());
    stream.closeRemotely();
    system.runUntilIdle();
    assertEquals(List.of("and that was all"), heard());
    assertEquals(List.of(acknowledgement(1)), written(stream));
    assertTrue(stream.isClosed());
    assertNull(stream.resetReason);
    // It cannot carry what has to be acknowledged.
    send(BOB, "answer");
    assertEquals(1, host.openings.size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0000\u0000\u0000\u0004nope",
        "\u0000\u0000\u0000\u0002{}",
        "\u0000\u0000\u0000\u0000",
        "\u00ff\u00ff\u00ff\u00ff",
        "\u0000\u0000\u0010\u0000",
        "\u0000\u0000\u0000\u001b{\"type\":\"data\",\"id\":\"one\"}",
        "\u0000\u0000\u0000\u0013{\"type\":\"x\",\"id\":1}"
      })
  void aMalformedEnvelopeResetsItsStreamAndWhatFollowsItIsNotHeard(String bytes) {
    start(MAIL);
    ScriptedStream other = accept(BOB, MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    stream.receive(bytes.getBytes(StandardCharsets.ISO_8859_1));
    stream.receive(message(1, "after the garbage").encoded().array());
    system.runUntilIdle();
    assertTrue(stream.resetReason != null);
    assertEquals(List.of(), heard());
    receive(other, message(2, "served"));
    receive(accept(BOB, MAIL), message(3, "served as well"));
    assertEquals(List.of("served", "served as well"), heard());
    assertEquals(1, children());
  }

  @Test
  void anEnvelopeInPiecesIsHeardAndOneCutShortResetsItsStream() {
    start(MAIL);
    byte[] envelope = message(1, "byte by byte").encoded().array();
    ScriptedStream stream = accept(BOB, MAIL);
    for (byte each : envelope) {
      stream.receive(new byte[] {each});
      system.runUntilIdle();
    }
    assertEquals(List.of("byte by byte"), heard());
    stream.receive(Arrays.copyOf(envelope, envelope.length - 1));
    stream.closeRemotely();
    system.runUntilIdle();
    assertTrue(stream.resetReason != null);
    assertEquals(List.of("byte by byte"), heard());
  }

  @Test
  void aRemoteThatDoesNotReadItsAcknowledgementsIsReset() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    stream.room = 0;
    for (int i = 0; i < 64; i++) {
      receive(stream, message(i, ""));
    }
    assertNull(stream.resetReason);
    receive(stream, message(64, ""));
    assertTrue(stream.resetReason != null);
  }

  @Test
  void aRemoteThatSendsOnWithoutWaitingForAnyAcknowledgementIsReset() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    // Nobody receives, so nothing is acknowledged.
    virtual.tell(new VirtualConnections.Stop(MAIL, stopped.ref()));
    system.runUntilIdle();
    for (int i = 0; i < EnvelopeStream.MAX_UNANSWERED; i++) {
      receive(stream, message(i, ""));
    }
    assertNull(stream.resetReason);
    receive(stream, message(64, ""));
    assertTrue(stream.resetReason != null);
    assertEquals(List.of(), written(stream));
    assertEquals(List.of(), heard());
  }

  // ---- protocols

  @Test
  void aProtocolHasOneReceiverAndMayBeStartedAgainAfterItsStop() {
    start(MAIL);
    started.expect(new Started(MAIL));
    start(MAIL);
    assertEquals(MAIL, started.expect(StartRefused.class).protocol());
    virtual.tell(new VirtualConnections.Stop(MAIL, stopped.ref()));
    assertTrue(stopped.next().wasStarted());
    assertFalse(host.handles(MAIL));
    virtual.tell(new VirtualConnections.Stop(MAIL, stopped.ref()));
    assertFalse(stopped.next().wasStarted());
    start(MAIL);
    started.expect(new Started(MAIL));
    assertTrue(host.handles(MAIL));
  }

  @Test
  void oneProtocolTooManyIsRefused() {
    start(MAIL);
    start(NEWS);
    start(ProtocolId.of("/test/third/1"));
    started.expect(new Started(MAIL));
    started.expect(new Started(NEWS));
    assertTrue(started.expect(StartRefused.class).message().contains("2"));
    assertFalse(host.handles(ProtocolId.of("/test/third/1")));
  }

  @Test
  void aProtocolOfThePeerItselfIsRefusedAndStaysThePeers() {
    host.handle(NEWS, stream -> stream.reset(0, "the peer's own"));
    start(NEWS);
    started.expect(StartRefused.class);
    virtual.tell(new VirtualConnections.Stop(NEWS, stopped.ref()));
    assertFalse(stopped.next().wasStarted());
    assertTrue(host.handles(NEWS));
  }

  @Test
  void whenAReceiverOfTwoProtocolsStopsNeitherIsServed() {
    start(MAIL);
    start(NEWS);
    started.expect(new Started(MAIL));
    started.expect(new Started(NEWS));
    virtual.tell(new VirtualConnections.Stop(MAIL, stopped.ref()));
    start(MAIL);
    started.expect(new Started(MAIL));
    crash();
    system.stop(mail.ref());
    assertFalse(host.handles(MAIL));
    assertFalse(host.handles(NEWS));
    // Others may receive them now.
    Probe<Received> other = system.probe();
    virtual.tell(new VirtualConnections.Start(NEWS, other.ref(), started.ref()));
    system.runUntilIdle();
    assertTrue(host.handles(NEWS));
  }

  @Test
  void theEndOfAReceiverThatWasStoppedBeforeTouchesNobodyElse() {
    start(MAIL);
    virtual.tell(new VirtualConnections.Stop(MAIL, stopped.ref()));
    Probe<Received> other = system.probe();
    virtual.tell(new VirtualConnections.Start(MAIL, other.ref(), started.ref()));
    system.stop(mail.ref());
    assertTrue(host.handles(MAIL));
  }

  // ---- crashes

  @Test
  void aCrashOfAChildAnswersItsMessagesAndTheNextOneGoesOutAsANewIncarnation() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    receive(stream, message(5, "before"));
    written(stream);
    send(CAROL, "Carol's");
    send(BOB, "one");
    final long before = message(stream).id();
    receive(stream, acknowledgement(before));
    sent.expect(new Delivered(BOB, MAIL, 1));
    stream.defective = true;
    virtual.tell(new VirtualConnections.Send(BOB, MAIL, Bytes.utf8("two"), sent.ref()));
    virtual.tell(new VirtualConnections.Send(BOB, MAIL, Bytes.utf8("three"), sent.ref()));
    system.runUntilIdle();
    assertEquals(SendFailure.CRASHED, sent.expect(SendFailed.class).reason());
    failed(SendFailure.CRASHED, 0);
    assertTrue(stream.isClosed());
    host.takeOpening();
    send(BOB, "four");
    ScriptedStream next = open();
    Envelope four = message(next);
    assertEquals("four", text(four));
    assertTrue(four.id() > before + 2, "a new incarnation counts on");
    receive(next, acknowledgement(four.id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
    // What was received is remembered above the child.
    receive(next, message(5, "before"), message(6, "after"));
    assertEquals(List.of("before", "after"), heard());
    assertEquals(List.of(acknowledgement(5), acknowledgement(6)), written(next));
  }

  @Test
  void aCrashOfAllAnswersEveryMessageAndStartedProtocolsGoOn() {
    start(NEWS);
    ScriptedStream inbound = accept(BOB, NEWS);
    receive(inbound, message(1, "before"));
    start(MAIL);
    send(BOB, "one");
    ScriptedStream outbound = open();
    message(outbound);
    send(BOB, "two");
    virtual.tell(new VirtualConnections.Start(MAIL, null, null));
    // More than a stash of a restart would hold.
    for (int i = 0; i < 2000; i++) {
      virtual.tell(new VirtualConnections.Send(BOB, MAIL, Bytes.utf8("late"), sent.ref()));
    }
    system.runUntilIdle();
    assertEquals(SendFailure.CRASHED, sent.expect(SendFailed.class).reason());
    assertEquals(SendFailure.CRASHED, sent.expect(SendFailed.class).reason());
    // Four of the late ones wait, the others are refused: each is accounted for.
    assertEquals(2 + 1996, sent.received().size());
    assertTrue(inbound.isClosed() && outbound.isClosed());
    assertEquals(1, children());
    assertTrue(host.handles(NEWS));
    receive(accept(BOB, NEWS), message(1, "before"), message(2, "after"));
    assertEquals(List.of("before", "after"), heard());
    ScriptedStream next = open();
    assertEquals("late", text(message(next)));
  }

  @Test
  void aStreamThatOpensWhenItsConnectionHasEndedIsNotLeftBehind() {
    send(BOB, "one");
    ScriptedHost.Opening opening = host.takeOpening();
    system.stop(virtual);
    assertTrue(opening.cancelled);
    assertTrue(opening.succeed().isClosed());
    failed(SendFailure.STOPPING, 0);
  }

  // ---- the end

  @Test
  void theEndAnswersAllMessagesAndUnhandlesAllProtocols() {
    start(MAIL);
    send(BOB, "one");
    ScriptedStream stream = open();
    send(BOB, "two");
    send(CAROL, "three");
    system.stop(virtual);
    for (int i = 0; i < 3; i++) {
      assertEquals(SendFailure.STOPPING, sent.expect(SendFailed.class).reason());
    }
    sent.expectNone();
    assertTrue(stream.isClosed());
    assertFalse(host.handles(MAIL));
  }

  @Test
  void anIdleVirtualConnectionClosesItsStreamsAndEnds() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    system.advance(Duration.ofSeconds(20));
    receive(stream, message(1, "still here"));
    system.advance(Duration.ofSeconds(30).minus(NANO));
    assertFalse(stream.writeClosed);
    assertEquals(1, children());
    system.advance(NANO);
    assertTrue(stream.writeClosed);
    assertNull(stream.resetReason);
    stream.closeRemotely();
    system.runUntilIdle();
    assertEquals(0, children());
    // What was received is remembered beyond it.
    receive(accept(BOB, MAIL), message(1, "still here"), message(2, "again"));
    assertEquals(List.of("still here", "again"), heard());
  }

  @Test
  void aStreamThatTheRemoteDoesNotCloseAfterIdlenessIsReset() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    system.advance(Duration.ofSeconds(30));
    assertTrue(stream.writeClosed);
    system.advance(VirtualConnection.CLOSING.minus(NANO));
    assertNull(stream.resetReason);
    assertEquals(1, children());
    system.advance(NANO);
    assertTrue(stream.resetReason != null);
    assertEquals(0, children());
  }

  @Test
  void aFrameInManyPiecesIsTakenOnce() {
    start(MAIL);
    ScriptedStream stream = accept(BOB, MAIL);
    byte[] one = message(1, "x".repeat(900)).encoded().array();
    byte[] two = message(2, "short").encoded().array();
    byte[] both = Arrays.copyOf(one, one.length + two.length);
    System.arraycopy(two, 0, both, one.length, two.length);
    for (byte each : both) {
      stream.receive(new byte[] {each});
    }
    system.runUntilIdle();
    assertEquals(List.of("x".repeat(900), "short"), heard());
  }

  @Test
  void theEndByItsCommandAnswersWhatIsInTheMailboxToo() {
    start(MAIL);
    send(BOB, "one");
    virtual.tell(new VirtualConnections.End());
    virtual.tell(new VirtualConnections.Send(BOB, MAIL, Bytes.utf8("late"), sent.ref()));
    virtual.tell(new VirtualConnections.Start(NEWS, mail.ref(), started.ref()));
    virtual.tell(new VirtualConnections.Stop(MAIL, stopped.ref()));
    ScriptedStream stream = host.accept(BOB, MAIL);
    system.runUntilIdle();
    assertEquals(SendFailure.STOPPING, sent.expect(SendFailed.class).reason());
    assertEquals(SendFailure.STOPPING, sent.expect(SendFailed.class).reason());
    started.expect(VirtualConnections.Started.class);
    started.expect(VirtualConnections.StartRefused.class);
    stopped.expect(new VirtualConnections.StopReply(MAIL, false));
    assertTrue(stream.isClosed());
    assertFalse(host.handles(MAIL));
  }

  @Test
  void aStreamThatOpensAtTheMomentOfIdlenessIsServed() {
    start(MAIL);
    accept(BOB, MAIL);
    long idle = system.now() + Duration.ofSeconds(30).toNanos();
    system.runUntil(() -> system.now() == idle, Duration.ofSeconds(30));
    long events = system.eventCount();
    system.runUntil(() -> system.eventCount() > events, Duration.ZERO);
    // The timer has fired, and the virtual connection has not heard of it yet.
    ScriptedStream late = host.accept(BOB, MAIL);
    system.runUntilIdle();
    receive(late, message(1, "just in time"));
    assertEquals(List.of("just in time"), heard());
    assertEquals(List.of(acknowledgement(1)), written(late));
  }

  @Test
  void aMessageThatWaitsLongerThanTheIdleTimeKeepsItsVirtualConnection() {
    send(BOB, "one");
    // The host has not answered yet.
    system.advance(Duration.ofMinutes(2));
    assertEquals(1, children());
    ScriptedStream stream = open();
    receive(stream, acknowledgement(message(stream).id()));
    sent.expect(new Delivered(BOB, MAIL, 1));
  }
}
