package dev.troupe.protocol.connection;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.connection.ConnectionCloseReason.Kind;
import dev.troupe.protocol.yamux.YamuxSession;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectionMachineTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 17, 1000, 100_000})
  void bothSidesLearnWhoTheOtherIsHoweverTheBytesAreCut(int maxPiece) {
    ConnectionPair pair = new ConnectionPair(maxPiece, ConnectionPair.key(2).peerId());
    pair.dialer.maxPiece = maxPiece;
    pair.listener.maxPiece = maxPiece;
    pair.start();
    assertEquals(ConnectionPair.key(2).peerId(), pair.dialer.remote);
    assertEquals(ConnectionPair.key(1).peerId(), pair.listener.remote);
  }

  @Test
  void somebodyElseAtTheAddressIsNamed() {
    ConnectionPair pair = new ConnectionPair(1, ConnectionPair.key(3).peerId());
    pair.start();
    ConnectionCloseReason end = pair.dialer.end;
    assertNotNull(end);
    assertEquals(Kind.WRONG_PEER, end.kind());
    assertTrue(end.message().contains(ConnectionPair.key(3).peerId().toString()));
    assertTrue(end.message().contains(ConnectionPair.key(2).peerId().toString()));
    assertNull(pair.dialer.remote);
  }

  @Test
  void manyMegabytesArriveAsTheyWereSent() {
    ConnectionPair pair = new ConnectionPair(5, null);
    pair.start();
    byte[] data = new byte[5_000_000];
    new Random(9).nextBytes(data);
    ByteBuffer left = ByteBuffer.wrap(data);
    int stream = pair.dialer.open();
    while (left.hasRemaining()) {
      pair.dialer.machine.write(stream, left, pair.now);
      pair.settle();
    }
    pair.dialer.machine.closeWrite(stream, pair.now);
    pair.settle();
    assertArrayEquals(data, pair.listener.received(stream));
    assertEquals(List.of(stream), pair.listener.remoteClosed);
    assertTrue(pair.dialer.closed.isEmpty());
    pair.listener.machine.closeWrite(stream, pair.now);
    pair.settle();
    assertEquals(List.of(stream), pair.dialer.closed);
    assertEquals(List.of(stream), pair.listener.closed);
    assertEquals(0, pair.dialer.machine.streamCount());
    assertEquals(0, pair.listener.machine.streamCount());
  }

  @Test
  void anUnreadStreamHoldsOneWindowAndDoesNotStallOthers() {
    ConnectionPair pair = new ConnectionPair(6, null);
    pair.listener.readEverything = false;
    pair.start();
    int unread = pair.dialer.open();
    ByteBuffer flood = ByteBuffer.allocate(3_000_000);
    for (int i = 0; i < 10; i++) {
      pair.dialer.machine.write(unread, flood, pair.now);
      pair.settle();
    }
    assertEquals(
        3_000_000 - YamuxSession.INITIAL_WINDOW - (1 << 20),
        flood.remaining(),
        "one window at the remote, one send buffer here, no more");
    int other = pair.dialer.open();
    pair.dialer.machine.write(other, ByteBuffer.wrap(new byte[] {42}), pair.now);
    pair.settle();
    pair.listener.machine.request(other, 10, pair.now);
    assertArrayEquals(new byte[] {42}, pair.listener.received(other));
    assertEquals(0, pair.listener.received(unread).length);
    pair.listener.machine.request(unread, 100, pair.now);
    assertEquals(100, pair.listener.received(unread).length);
    pair.listener.machine.request(unread, Long.MAX_VALUE, pair.now);
    pair.settle();
    assertEquals(List.of(unread), pair.dialer.writable);
  }

  @Test
  void theEndOfAnAnswerDoesNotComeInOneReadWithTheAnswer() {
    ConnectionPair pair = new ConnectionPair(11, null);
    pair.start();
    int stream = pair.dialer.open();
    pair.dialer.machine.write(stream, ByteBuffer.wrap(new byte[] {1}), pair.now);
    pair.settle();

    pair.listener.machine.write(stream, ByteBuffer.wrap(new byte[] {2}), pair.now);
    pair.listener.machine.closeWrite(stream, pair.now);
    pair.listener.sendTo(pair.dialer);
    assertArrayEquals(new byte[] {2}, pair.dialer.received(stream));
    assertEquals(List.of(), pair.dialer.remoteClosed);

    pair.settle();
    assertEquals(List.of(stream), pair.dialer.remoteClosed);
  }

  @Test
  void theEndOfAnAnswerWaitsForNothingWhenTheRemoteHasClosedItsHalf() {
    ConnectionPair pair = new ConnectionPair(12, null);
    pair.start();
    int stream = pair.dialer.open();
    pair.dialer.machine.closeWrite(stream, pair.now);
    pair.settle();

    pair.listener.machine.write(stream, ByteBuffer.wrap(new byte[] {2}), pair.now);
    pair.listener.machine.closeWrite(stream, pair.now);
    pair.listener.sendTo(pair.dialer);
    assertArrayEquals(new byte[] {2}, pair.dialer.received(stream));
    assertEquals(List.of(stream), pair.dialer.remoteClosed);
  }

  @Test
  void aResetEndsTheStreamOnBothSides() {
    ConnectionPair pair = new ConnectionPair(7, null);
    pair.start();
    int stream = pair.dialer.open();
    pair.dialer.machine.write(stream, ByteBuffer.wrap(new byte[10]), pair.now);
    pair.settle();
    pair.listener.machine.reset(stream, 7, pair.now);
    pair.settle();
    assertEquals(List.of(stream), pair.dialer.reset);
    assertEquals(0, pair.dialer.machine.streamCount());
  }

  @Test
  void streamsBeyondTheBacklogAreNotOpened() {
    ConnectionPair pair = new ConnectionPair(8, null);
    pair.start();
    for (int i = 0; i < YamuxSession.MAX_UNACKNOWLEDGED; i++) {
      assertTrue(pair.dialer.machine.openStream(pair.now) > 0);
    }
    assertEquals(-1, pair.dialer.machine.openStream(pair.now));
    pair.settle();
    assertTrue(pair.dialer.machine.openStream(pair.now) > 0);
  }

  @Test
  void aRemoteThatSaysNothingIsGivenUpAtTheDeadline() {
    ConnectionPair pair = new ConnectionPair(9, null);
    pair.dialer.machine.start(pair.now);
    long deadline = pair.dialer.machine.deadlineNanos();
    pair.dialer.machine.onDeadline(deadline - 1);
    assertNull(pair.dialer.end);
    pair.dialer.machine.onDeadline(deadline);
    assertNotNull(pair.dialer.end);
    assertEquals(Kind.TIMED_OUT, pair.dialer.end.kind());
  }

  @Test
  void anOpenConnectionIsPingedAndGivenUpWithoutAnAnswer() {
    ConnectionPair pair = new ConnectionPair(10, null);
    pair.start();
    pair.now = pair.dialer.machine.deadlineNanos();
    pair.dialer.machine.onDeadline(pair.now);
    pair.settle();
    assertNull(pair.dialer.end);
    pair.now = pair.dialer.machine.deadlineNanos();
    pair.dialer.machine.onDeadline(pair.now);
    pair.now = pair.dialer.machine.deadlineNanos();
    pair.dialer.machine.onDeadline(pair.now);
    assertNotNull(pair.dialer.end);
    assertEquals(Kind.UNRESPONSIVE, pair.dialer.end.kind());
  }

  @Test
  void closingTellsTheRemote() {
    ConnectionPair pair = new ConnectionPair(11, null);
    pair.start();
    pair.dialer.machine.close(0, "enough", pair.now);
    pair.settle();
    assertNotNull(pair.listener.end);
    assertEquals(Kind.CLOSED_BY_REMOTE, pair.listener.end.kind());
    assertNotNull(pair.dialer.end);
    assertEquals(Kind.CLOSED_LOCALLY, pair.dialer.end.kind());
  }

  @Test
  void randomBytesBeforeNoiseEndTheConnection() {
    for (int seed = 0; seed < 300; seed++) {
      ConnectionPair pair = new ConnectionPair(seed, null);
      pair.listener.machine.start(pair.now);
      byte[] garbage = new byte[2000];
      pair.random.nextBytes(garbage);
      pair.listener.machine.receive(ByteBuffer.wrap(garbage), pair.now);
      pair.listener.machine.onTransportClosed(pair.now);
      assertNotNull(pair.listener.end);
      assertTrue(
          pair.listener.end.kind() == Kind.HANDSHAKE_FAILED
              || pair.listener.end.kind() == Kind.LOST);
    }
  }

  @Test
  void aByteChangedAnywhereInTheHandshakeEndsTheConnection() {
    for (int seed = 0; seed < 100; seed++) {
      ConnectionPair pair = new ConnectionPair(seed, ConnectionPair.key(2).peerId());
      pair.dialer.machine.start(pair.now);
      pair.listener.machine.start(pair.now);
      int rounds = seed % 3;
      for (int i = 0; i < rounds; i++) {
        pair.dialer.sendTo(pair.listener);
        pair.listener.sendTo(pair.dialer);
      }
      ByteBuffer out = ByteBuffer.allocate(10_000);
      pair.dialer.machine.transmit(out, pair.dialer.scratch, pair.now);
      out.flip();
      if (!out.hasRemaining()) {
        continue;
      }
      int at = pair.random.nextInt(out.remaining());
      out.put(at, (byte) (out.get(at) ^ 0x41));
      pair.listener.machine.receive(out, pair.now);
      pair.settle();
      pair.listener.machine.onDeadline(pair.now + 20_000_000_000L);
      boolean ended = pair.listener.end != null || pair.listener.remote == null;
      assertTrue(ended, "seed " + seed);
    }
  }
}
