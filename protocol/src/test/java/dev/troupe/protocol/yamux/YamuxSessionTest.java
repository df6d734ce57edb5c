package dev.troupe.protocol.yamux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.MalformedException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One session, the server, against frames written by hand; the remote's streams are odd. */
class YamuxSessionTest {

  private static final int DATA = 0;
  private static final int WINDOW_UPDATE = 1;
  private static final int PING = 2;
  private static final int GO_AWAY = 3;
  private static final int SYN = 1;
  private static final int ACK = 2;
  private static final int FIN = 4;
  private static final int RST = 8;
  private static final int WINDOW = YamuxSession.INITIAL_WINDOW;

  private final Remote remote = new Remote(YamuxSettings.DEFAULT);

  @Test
  void aStreamIsAcknowledgedAndItsDataWaitsForDemand() throws MalformedException {
    remote.frame(DATA, SYN, 1, new byte[] {1, 2, 3});
    assertEquals(List.of("opened 1"), remote.events);
    assertEquals(List.of(new Frame(WINDOW_UPDATE, ACK, 1, 0)), remote.sent());
    remote.session.request(1, 2, 0);
    assertArrayEquals(new byte[] {1, 2}, remote.data.toByteArray());
    remote.session.request(1, 100, 0);
    assertArrayEquals(new byte[] {1, 2, 3}, remote.data.toByteArray());
  }

  @Test
  void streamsMayBeOpenedOutOfOrder() throws MalformedException {
    remote.frame(WINDOW_UPDATE, SYN, 5, 0);
    remote.frame(WINDOW_UPDATE, SYN, 1, 0);
    remote.frame(WINDOW_UPDATE, SYN, 3, 0);
    assertEquals(List.of("opened 5", "opened 1", "opened 3"), remote.events);
  }

  @Test
  void aStreamOpenedTwiceOrWithAnIdOfOursIsAViolation() throws MalformedException {
    remote.frame(WINDOW_UPDATE, SYN, 1, 0);
    assertThrows(MalformedException.class, () -> remote.frame(WINDOW_UPDATE, SYN, 1, 0));
    for (int id : new int[] {0, 2, -1, Integer.MIN_VALUE}) {
      Remote other = new Remote(YamuxSettings.DEFAULT);
      assertThrows(MalformedException.class, () -> other.frame(DATA, SYN, id, new byte[1]));
    }
  }

  @Test
  void framesOfStreamsThatHaveEndedAreIgnored() throws MalformedException {
    remote.frame(WINDOW_UPDATE, SYN, 1, 0);
    remote.session.reset(1, 7);
    remote.frame(DATA, 0, 1, new byte[70_000]);
    remote.frame(WINDOW_UPDATE, 0, 1, 1000);
    remote.frame(WINDOW_UPDATE, RST, 1, 0);
    remote.frame(DATA, FIN, 99, new byte[10]);
    assertEquals(List.of("opened 1"), remote.events);
    assertEquals(
        List.of(new Frame(WINDOW_UPDATE, ACK, 1, 0), new Frame(WINDOW_UPDATE, RST, 1, 7)),
        remote.sent());
  }

  @Test
  void aWindowMayBeFilledButNotOverrun() throws MalformedException {
    remote.frame(DATA, SYN, 1, new byte[WINDOW]);
    assertThrows(MalformedException.class, () -> remote.frame(DATA, 0, 1, new byte[1]));
  }

  @Test
  void aWindowIsToppedUpByWhatWasReadOnly() throws MalformedException {
    remote.frame(DATA, SYN, 1, new byte[WINDOW]);
    remote.sent();
    remote.session.request(1, WINDOW / 2 - 1, 0);
    assertEquals(List.of(), remote.sent());
    remote.session.request(1, 1, 0);
    assertEquals(List.of(new Frame(WINDOW_UPDATE, 0, 1, WINDOW / 2)), remote.sent());
    assertThrows(
        MalformedException.class, () -> remote.frame(DATA, 0, 1, new byte[WINDOW / 2 + 1]));
  }

  @Test
  void aWindowThatEmptiesWithinTwoRoundTripsGrowsUpToItsLimits() throws MalformedException {
    Remote fast =
        new Remote(
            new YamuxSettings(
                8, 1 << 20, 3 * WINDOW + 1000, 1 << 20, Long.MAX_VALUE, Long.MAX_VALUE));
    fast.now = 100;
    fast.pong();
    fast.frame(WINDOW_UPDATE, SYN, 1, 0);
    fast.session.request(1, Long.MAX_VALUE, fast.now);
    fast.sent();
    long credit = WINDOW;
    long most = 0;
    for (int i = 0; i < 200; i++) {
      fast.now++;
      int size = (int) Math.min(credit, 60_000);
      fast.frame(DATA, 0, 1, new byte[size]);
      credit -= size;
      for (Frame frame : fast.sent()) {
        credit += frame.length;
      }
      most = Math.max(most, credit);
    }
    assertTrue(most > 3 * WINDOW, "grew to " + most);
    assertTrue(most <= 1 << 20, "no further than the limit: " + most);

    // A second stream has only what the first left of the connection's budget.
    fast.frame(WINDOW_UPDATE, SYN, 3, 0);
    fast.session.request(3, Long.MAX_VALUE, fast.now);
    fast.sent();
    long second = WINDOW;
    long mostOfSecond = 0;
    for (int i = 0; i < 100; i++) {
      fast.now++;
      int size = (int) Math.min(second, 60_000);
      fast.frame(DATA, 0, 3, new byte[size]);
      second -= size;
      for (Frame frame : fast.sent()) {
        second += frame.length;
      }
      mostOfSecond = Math.max(mostOfSecond, second);
    }
    assertTrue(mostOfSecond <= WINDOW + 1000, "the budget is used up: " + mostOfSecond);
  }

  @Test
  void aWindowThatEmptiesSlowlyDoesNotGrow() throws MalformedException {
    remote.now = 100;
    remote.pong();
    remote.frame(WINDOW_UPDATE, SYN, 1, 0);
    remote.session.request(1, Long.MAX_VALUE, remote.now);
    remote.sent();
    for (int i = 0; i < 10; i++) {
      remote.now += 1000;
      remote.frame(DATA, 0, 1, new byte[WINDOW / 2]);
      assertEquals(List.of(new Frame(WINDOW_UPDATE, 0, 1, WINDOW / 2)), remote.sent());
    }
  }

  @Test
  void singleBytesThatNobodyReadsDoNotHoldTheirRecords() throws MalformedException {
    // Each frame comes in an array of its own, as large as a record: kept whole, they would be over
    // 600 MB.
    remote.frame(WINDOW_UPDATE, SYN, 1, 0);
    for (int i = 0; i < 10_000; i++) {
      ByteBuffer record = ByteBuffer.allocate(65_519).limit(13);
      record.putShort((short) 0).putShort((short) 0).putInt(1).putInt(1).put((byte) i).flip();
      remote.session.receive(record, 0);
    }
    for (int i = 0; i < 10_000; i += 100) {
      remote.session.request(1, 100, 0);
    }
    byte[] data = remote.data.toByteArray();
    assertEquals(10_000, data.length);
    for (int i = 0; i < data.length; i++) {
      assertEquals((byte) i, data[i]);
    }
    assertTrue(remote.pieces < 200, "in few pieces, not " + remote.pieces);
  }

  @Test
  void theFewBytesOfALargeArrayAreCopiedAndTheManyAreNot() throws MalformedException {
    byte[] large = new byte[100_000];
    int id = remote.session.open();
    remote.session.write(id, ByteBuffer.wrap(large, 10, 24_999));
    remote.session.write(id, ByteBuffer.wrap(large, 10, 25_000));
    Arrays.fill(large, (byte) 1);
    byte[] payload = remote.payloadOf(id);
    assertEquals(0, payload[24_998], "a copy: the array may go");
    assertEquals(1, payload[24_999], "read in place");
  }

  @Test
  void manySmallWritesWaitInFewChunks() {
    int id = remote.session.open();
    byte[] expected = new byte[30_000];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = (byte) i;
      assertEquals(1, remote.session.write(id, ByteBuffer.wrap(expected, i, 1)));
    }
    assertEquals(expected.length, remote.session.unsent(id));
    assertArrayEquals(expected, remote.payloadOf(id));
    assertEquals(0, remote.session.unsent(id));
  }

  @Test
  void whatIsDeliveredHoldsNoMuchLargerArray() throws MalformedException {
    remote.frame(WINDOW_UPDATE, SYN, 1, 0);
    remote.session.request(1, 10, 0);
    ByteBuffer record = ByteBuffer.allocate(65_519);
    record.putShort((short) 0).putShort((short) 0).putInt(1).putInt(10).put(new byte[10]);
    record.putShort((short) 0).putShort((short) 0).putInt(1).putInt(20_000).put(new byte[20_000]);
    remote.session.receive(record.flip(), 0);
    assertEquals(10, remote.lastArray, "copied");
    remote.session.request(1, 100_000, 0);
    assertTrue(remote.lastArray <= 4 * 20_000, "at most four times what it holds");
    Remote other = new Remote(YamuxSettings.DEFAULT);
    other.frame(WINDOW_UPDATE, SYN, 1, 0);
    other.session.request(1, 100_000, 0);
    record.clear().position(12 + 10).limit(12 + 10 + 12 + 20_000);
    other.session.receive(record.slice(), 0);
    assertEquals(65_519, other.lastArray, "much of its record is not copied");
  }

  @Test
  void dataAfterTheEndIsAViolation() throws MalformedException {
    remote.frame(DATA, SYN | FIN, 1, new byte[10]);
    assertThrows(MalformedException.class, () -> remote.frame(DATA, 0, 1, new byte[1]));
  }

  @Test
  void theEndIsToldAfterTheDataAndNotBefore() throws MalformedException {
    remote.frame(DATA, SYN | FIN, 1, new byte[10]);
    remote.session.request(1, 9, 0);
    assertEquals(List.of("opened 1"), remote.events);
    remote.session.request(1, 1, 0);
    assertEquals(List.of("opened 1", "end of 1"), remote.events);
    remote.session.closeWrite(1, 0);
    remote.sent();
    assertEquals(List.of("opened 1", "end of 1", "closed 1"), remote.events);
    assertEquals(0, remote.session.streamCount());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 12, 13, 100})
  void framesMayBeCutAnywhere(int piece) throws MalformedException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(Remote.encode(DATA, SYN, 1, 3, new byte[] {1, 2, 3}));
    bytes.writeBytes(Remote.encode(PING, SYN, 0, 9, new byte[0]));
    bytes.writeBytes(Remote.encode(DATA, FIN, 1, 2, new byte[] {4, 5}));
    byte[] all = bytes.toByteArray();
    for (int at = 0; at < all.length; at += piece) {
      remote.session.receive(ByteBuffer.wrap(all, at, Math.min(piece, all.length - at)).slice(), 0);
    }
    remote.session.request(1, 100, 0);
    assertArrayEquals(new byte[] {1, 2, 3, 4, 5}, remote.data.toByteArray());
    assertEquals(List.of("opened 1", "end of 1"), remote.events);
    assertTrue(remote.sent().contains(new Frame(PING, ACK, 0, 9)));
  }

  @Test
  void unknownVersionsTypesAndNegativeLengthsAreViolations() {
    for (String hex :
        List.of(
            "010000010000000100000000",
            "000400010000000100000000",
            "00ff00010000000100000000",
            "0000000100000001ffffffff",
            "000100000000000000000001",
            "000000000000000000000001")) {
      Remote other = new Remote(YamuxSettings.DEFAULT);
      byte[] bytes = dev.troupe.protocol.Bytes.fromHex(hex).toArray();
      assertThrows(
          MalformedException.class, () -> other.session.receive(ByteBuffer.wrap(bytes), 0), hex);
    }
  }

  @Test
  void aSendWindowOverTwoGibibytesIsAViolation() throws MalformedException {
    remote.frame(WINDOW_UPDATE, SYN, 1, 0);
    assertThrows(
        MalformedException.class, () -> remote.frame(WINDOW_UPDATE, 0, 1, Integer.MAX_VALUE));
    Remote other = new Remote(YamuxSettings.DEFAULT);
    assertThrows(MalformedException.class, () -> other.frame(WINDOW_UPDATE, SYN, 1, -1));
  }

  @Test
  void streamsOverTheLimitAreResetAndAFloodOfThemEndsTheConnection() throws MalformedException {
    Remote small =
        new Remote(new YamuxSettings(2, WINDOW, 0, 1000, Long.MAX_VALUE, Long.MAX_VALUE));
    for (int id = 1; id <= 7; id += 2) {
      small.frame(WINDOW_UPDATE, SYN, id, 0);
    }
    assertEquals(2, small.session.streamCount());
    assertEquals(
        List.of(
            new Frame(WINDOW_UPDATE, ACK, 1, 0),
            new Frame(WINDOW_UPDATE, ACK, 3, 0),
            new Frame(WINDOW_UPDATE, RST, 5, 0),
            new Frame(WINDOW_UPDATE, RST, 7, 0)),
        small.sent());
    assertThrows(
        MalformedException.class,
        () -> {
          for (int i = 0, id = 9; i <= YamuxSession.MAX_REFUSED; i++, id += 2) {
            small.frame(WINDOW_UPDATE, SYN, id, 0);
            small.sent();
          }
        });
  }

  @Test
  void answersThatAreNeverReadAreBounded() throws MalformedException {
    for (int i = 0; i < YamuxSession.MAX_ANSWERS; i++) {
      remote.frame(PING, SYN, 0, i);
    }
    assertThrows(MalformedException.class, () -> remote.frame(PING, SYN, 0, 1));
    Remote other = new Remote(YamuxSettings.DEFAULT);
    assertThrows(
        MalformedException.class,
        () -> {
          for (int i = 0, id = 1; i <= YamuxSession.MAX_ANSWERS; i++, id += 2) {
            other.frame(WINDOW_UPDATE, SYN, id, 0);
            other.frame(WINDOW_UPDATE, RST, id, 0);
          }
        });
  }

  @Test
  void aThousandStreamsOpenedAtOnceAreNoFlood() throws MalformedException {
    for (int i = 0, id = 1; i < 1000; i++, id += 2) {
      remote.frame(WINDOW_UPDATE, SYN, id, 0);
    }
    assertEquals(1000, remote.session.streamCount());
  }

  @Test
  void streamsTakeTurns() {
    int a = remote.session.open();
    int b = remote.session.open();
    remote.session.write(a, ByteBuffer.allocate(200_000));
    remote.session.write(b, ByteBuffer.allocate(200_000));
    List<Integer> turns =
        remote.sent().stream().filter(f -> f.type == DATA).map(Frame::stream).toList();
    for (int i = 0; i + 1 < turns.size() - 2; i++) {
      assertTrue(!turns.get(i).equals(turns.get(i + 1)), "turns " + turns);
    }
  }

  @Test
  void nothingIsSentBeyondTheRemotesWindow() throws MalformedException {
    int id = remote.session.open();
    assertEquals(1 << 20, remote.session.write(id, ByteBuffer.allocate(2 << 20)));
    assertEquals(WINDOW, remote.sent().stream().mapToInt(f -> f.type == DATA ? f.length : 0).sum());
    assertFalse(remote.session.hasOutput());
    remote.frame(WINDOW_UPDATE, ACK, id, 10);
    assertEquals(List.of(new Frame(DATA, 0, id, 10)), remote.sent());
  }

  @Test
  void aRoomHalfFreeIsToldOnce() throws MalformedException {
    int id = remote.session.open();
    remote.session.write(id, ByteBuffer.allocate(2 << 20));
    remote.sent();
    assertEquals(List.of(), remote.events);
    remote.frame(WINDOW_UPDATE, ACK, id, 600_000);
    remote.sent();
    assertEquals(List.of("writable " + id), remote.events);
  }

  @Test
  void aLocalGoAwayComesAfterWhatWasTakenToBeSent() throws MalformedException {
    int id = remote.session.open();
    remote.session.write(id, ByteBuffer.allocate(100));
    remote.session.goAway(0);
    List<Frame> sent = remote.sent();
    assertEquals(new Frame(GO_AWAY, 0, 0, 0), sent.get(sent.size() - 1));
    assertTrue(sent.contains(new Frame(DATA, SYN, id, 100)));
    assertEquals(-1, remote.session.open());
    remote.frame(WINDOW_UPDATE, SYN, 1, 0);
    assertEquals(List.of(new Frame(WINDOW_UPDATE, RST, 1, 0)), remote.sent());
  }

  @Test
  void nothingIsReadAfterTheRemotesGoAway() throws MalformedException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(Remote.encode(GO_AWAY, 0, 0, 2, new byte[0]));
    bytes.writeBytes(Remote.encode(WINDOW_UPDATE, SYN, 1, 0, new byte[0]));
    remote.session.receive(ByteBuffer.wrap(bytes.toByteArray()), 0);
    assertEquals(List.of("go away 2"), remote.events);
    assertEquals(-1, remote.session.open());
  }

  @Test
  void aResetTellsItsCode() throws MalformedException {
    int id = remote.session.open();
    remote.sent();
    remote.frame(WINDOW_UPDATE, RST, id, 0x1003);
    assertEquals(List.of("reset " + id + " with 4099"), remote.events);
    assertEquals(0, remote.session.write(id, ByteBuffer.allocate(1)));
  }

  @Test
  void aStreamResetBeforeItWasAnnouncedIsNeverMentioned() {
    remote.session.reset(remote.session.open(), 0);
    assertEquals(List.of(), remote.sent());
  }

  private record Frame(int type, int flags, int stream, int length) {}

  /** The other end: writes frames by hand, takes apart what the session sends. */
  private static final class Remote implements YamuxEvents {
    final YamuxSession session;
    final List<String> events = new ArrayList<>();
    final ByteArrayOutputStream data = new ByteArrayOutputStream();
    int pieces;
    int lastArray;
    long now;

    Remote(YamuxSettings settings) {
      session = new YamuxSession(settings, false, this, 0);
      sent();
    }

    /** Answers the session's first ping. */
    void pong() throws MalformedException {
      frame(PING, ACK, 0, 1);
    }

    void frame(int type, int flags, int stream, int length) throws MalformedException {
      session.receive(ByteBuffer.wrap(encode(type, flags, stream, length, new byte[0])), now);
    }

    void frame(int type, int flags, int stream, byte[] payload) throws MalformedException {
      session.receive(ByteBuffer.wrap(encode(type, flags, stream, payload.length, payload)), now);
    }

    static byte[] encode(int type, int flags, int stream, int length, byte[] payload) {
      return ByteBuffer.allocate(12 + payload.length)
          .put((byte) 0)
          .put((byte) type)
          .putShort((short) flags)
          .putInt(stream)
          .putInt(length)
          .put(payload)
          .array();
    }

    /** Sends all, and returns the payload of one stream. */
    byte[] payloadOf(int stream) {
      ByteArrayOutputStream payload = new ByteArrayOutputStream();
      ByteBuffer out = ByteBuffer.allocate(1 << 20);
      while (session.hasOutput()) {
        session.fill(out, now);
      }
      out.flip();
      while (out.hasRemaining()) {
        out.get();
        Frame frame = new Frame(out.get(), out.getShort(), out.getInt(), out.getInt());
        if (frame.type == DATA) {
          if (frame.stream == stream) {
            payload.write(out.array(), out.position(), frame.length);
          }
          out.position(out.position() + frame.length);
        }
      }
      return payload.toByteArray();
    }

    List<Frame> sent() {
      List<Frame> frames = new ArrayList<>();
      while (session.hasOutput()) {
        ByteBuffer out = ByteBuffer.allocate(65_519);
        session.fill(out, now);
        out.flip();
        while (out.hasRemaining()) {
          assertEquals(0, out.get());
          Frame frame = new Frame(out.get(), out.getShort(), out.getInt(), out.getInt());
          if (frame.type == DATA) {
            out.position(out.position() + frame.length);
          }
          frames.add(frame);
        }
      }
      return frames;
    }

    @Override
    public void onStreamOpened(int stream) {
      events.add("opened " + stream);
    }

    @Override
    public void onStreamData(int stream, ByteBuffer piece) {
      byte[] bytes = new byte[piece.remaining()];
      lastArray = piece.array().length;
      piece.get(bytes);
      data.writeBytes(bytes);
      pieces++;
    }

    @Override
    public void onStreamWritable(int stream) {
      events.add("writable " + stream);
    }

    @Override
    public void onStreamRemoteClosed(int stream) {
      events.add("end of " + stream);
    }

    @Override
    public void onStreamClosed(int stream) {
      events.add("closed " + stream);
    }

    @Override
    public void onStreamReset(int stream, long code) {
      events.add("reset " + stream + " with " + code);
    }

    @Override
    public void onGoAway(long code) {
      events.add("go away " + code);
    }
  }
}
