package dev.troupe.actors.ping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.fakes.ScriptedHost;
import dev.troupe.actors.fakes.ScriptedStream;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PingTest {

  private static final PeerId BOB = ScriptedWorld.key(2).peerId();

  private final ScriptedHost host = new ScriptedHost(ScriptedWorld.key(1).peerId());
  private final List<Object> outcomes = new ArrayList<>();
  private long now = 1000;
  private byte next;

  private Ping.Answering answering;

  @BeforeEach
  void answer() {
    answering = Ping.answer(host);
  }

  private Cancellable ping(int count) {
    return Ping.run(
        host,
        () -> now,
        bytes -> Arrays.fill(bytes, ++next),
        BOB,
        count,
        new Completion<>() {
          @Override
          public void succeeded(List<Long> roundTrips) {
            outcomes.add(roundTrips);
          }

          @Override
          public void failed(HostFailure failure) {
            outcomes.add(failure.kind());
          }
        });
  }

  private static byte[] payload(int value, int size) {
    byte[] payload = new byte[size];
    Arrays.fill(payload, (byte) value);
    return payload;
  }

  // ---- the one who pings

  @Test
  void pingsFollowEachOtherAndEachRoundTripIsTold() {
    ping(3);
    ScriptedStream stream = host.takeOpening().succeed();
    for (int i = 1; i <= 3; i++) {
      assertEquals(List.of(), outcomes);
      byte[] sent = stream.takeWritten();
      assertArrayEquals(payload(i, 32), sent);
      now += i * 10;
      stream.receive(sent);
    }
    assertEquals(List.of(List.of(10L, 20L, 30L)), outcomes);
    assertEquals(0, stream.takeWritten().length);
    assertTrue(stream.writeClosed);
    stream.closeRemotely();
    assertTrue(stream.isClosed());
    assertEquals(1, outcomes.size());
  }

  @Test
  void anEchoInPiecesIsOnePing() {
    ping(1);
    ScriptedStream stream = host.takeOpening().succeed();
    stream.receive(payload(1, 31));
    assertEquals(List.of(), outcomes);
    now += 5;
    stream.receive(payload(1, 1));
    assertEquals(List.of(List.of(5L)), outcomes);
    // No more than one ping was asked for.
    assertEquals(0, stream.demand);
  }

  @Test
  void anotherEchoThanWhatWasSentIsMalformed() {
    ping(2);
    ScriptedStream stream = host.takeOpening().succeed();
    stream.receive(payload(9, 32));
    assertEquals(List.of(HostFailure.Kind.MALFORMED), outcomes);
    assertTrue(stream.resetReason != null);
  }

  @Test
  void tooFewBytesOrAResetIsAReset() {
    ping(1);
    ScriptedStream stream = host.takeOpening().succeed();
    stream.receive(payload(1, 31));
    stream.closeRemotely();
    assertTrue(stream.resetReason != null);
    ping(2);
    host.takeOpening().succeed().resetRemotely();
    assertEquals(List.of(HostFailure.Kind.STREAM_RESET, HostFailure.Kind.STREAM_RESET), outcomes);
  }

  @Test
  void aStreamThatCannotBeOpenedIsToldAsItIs() {
    ping(1);
    host.takeOpening().fail(HostFailure.Kind.PROTOCOL_NOT_SUPPORTED);
    assertEquals(List.of(HostFailure.Kind.PROTOCOL_NOT_SUPPORTED), outcomes);
  }

  @Test
  void calledOffItEndsItsStreamWheneverThatOpens() {
    Cancellable early = ping(1);
    ScriptedHost.Opening opening = host.takeOpening();
    early.cancel();
    assertTrue(opening.cancelled);
    // The host had opened it already.
    assertTrue(opening.succeed().isClosed());
    Cancellable late = ping(1);
    ScriptedStream stream = host.takeOpening().succeed();
    late.cancel();
    late.cancel();
    assertTrue(stream.resetReason != null);
    assertEquals(List.of(HostFailure.Kind.STREAM_RESET, HostFailure.Kind.STREAM_RESET), outcomes);
  }

  @Test
  void pingsAreOneToAThousand() {
    assertThrows(IllegalArgumentException.class, () -> ping(0));
    assertThrows(IllegalArgumentException.class, () -> ping(Ping.MAX_COUNT + 1));
    assertEquals(0, host.openings.size());
  }

  // ---- the one who answers

  @Test
  void severalPingsAreAnsweredUntilTheRemoteCloses() {
    ScriptedStream stream = host.accept(BOB, Ping.PROTOCOL);
    for (int i = 1; i <= 5; i++) {
      stream.receive(payload(i, 20));
      stream.receive(payload(i, 12));
      assertArrayEquals(payload(i, 32), stream.takeWritten());
      assertEquals(32, stream.demand);
    }
    stream.closeRemotely();
    assertTrue(stream.isClosed());
    assertNull(stream.resetReason);
  }

  @Test
  void aRemoteThatDoesNotReadGetsAllItSentLaterAndMaySendNoMoreThanOnePing() {
    ScriptedStream stream = host.accept(BOB, Ping.PROTOCOL);
    stream.room = 0;
    stream.receive(payload(1, 16));
    stream.receive(payload(2, 16));
    assertEquals(0, stream.demand);
    stream.makeRoom(10);
    assertEquals(0, stream.demand);
    stream.makeRoom(Long.MAX_VALUE);
    assertEquals(32, stream.demand);
    byte[] echo = stream.takeWritten();
    assertEquals(32, echo.length);
    assertEquals(List.of(1, 1, 2, 2), ends(echo, 0, 15, 16, 31));
  }

  @Test
  void aPeerHasTwoStreamsAtOnceAndMakesRoomByEndingOne() {
    ScriptedStream first = host.accept(BOB, Ping.PROTOCOL);
    ScriptedStream second = host.accept(BOB, Ping.PROTOCOL);
    assertTrue(host.accept(BOB, Ping.PROTOCOL).resetReason != null);
    assertFalse(host.accept(ScriptedWorld.key(3).peerId(), Ping.PROTOCOL).isClosed());
    first.closeRemotely();
    assertFalse(host.accept(BOB, Ping.PROTOCOL).isClosed());
    assertTrue(host.accept(BOB, Ping.PROTOCOL).isClosed());
    second.receive(payload(1, 32));
    assertEquals(32, second.takeWritten().length);
  }

  @Test
  void aStreamWithoutAPingFromOneLookToTheNextIsReset() {
    ScriptedStream busy = host.accept(BOB, Ping.PROTOCOL);
    ScriptedStream idle = host.accept(BOB, Ping.PROTOCOL);
    answering.endIdle();
    assertFalse(idle.isClosed(), "it may have been opened just now");
    busy.receive(payload(1, 32));
    idle.receive(payload(1, 31));
    answering.endIdle();
    assertTrue(idle.resetReason != null);
    assertFalse(busy.isClosed());
    answering.endIdle();
    assertTrue(busy.resetReason != null);
    assertFalse(host.accept(BOB, Ping.PROTOCOL).isClosed());
    assertFalse(host.accept(BOB, Ping.PROTOCOL).isClosed());
  }

  private static List<Integer> ends(byte[] bytes, int... at) {
    return Arrays.stream(at).mapToObj(i -> (int) bytes[i]).toList();
  }

  @Test
  void theEchoThatWaitsForRoomGoesOutAfterTheRemoteClosed() {
    ScriptedStream stream = host.accept(BOB, Ping.PROTOCOL);
    stream.room = 0;
    stream.receive(payload(1, 32));
    stream.closeRemotely();
    assertFalse(stream.writeClosed);
    stream.makeRoom(Long.MAX_VALUE);
    assertArrayEquals(payload(1, 32), stream.takeWritten());
    assertTrue(stream.isClosed());
  }

  @Test
  void halfAPingAtTheEndResetsTheStream() {
    ScriptedStream stream = host.accept(BOB, Ping.PROTOCOL);
    stream.receive(payload(1, 32));
    stream.receive(payload(2, 7));
    stream.closeRemotely();
    assertTrue(stream.resetReason != null);
    // Others are answered.
    ScriptedStream other = host.accept(BOB, Ping.PROTOCOL);
    other.receive(payload(1, 32));
    assertEquals(32, other.takeWritten().length);
  }
}
