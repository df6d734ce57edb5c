package dev.troupe.protocol.yamux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class YamuxEndTest {

  /**
   * js-libp2p closes the stream for the flag before it looks at the data, and drops the data; and
   * it loses a stream whose end comes in one read with the answer that agrees on its protocol.
   */
  @Test
  void theEndOfAStreamTravelsInAFrameOfItsOwnOnceTheDataHasBeenSeen() throws Exception {
    YamuxSession session = new YamuxSession(YamuxSettings.DEFAULT, true, new Silence(), 0);
    sent(session);
    int stream = session.open();
    session.write(stream, ByteBuffer.wrap(new byte[] {'a', 'b', 'c'}));
    session.closeWrite(stream, 0);
    assertEquals("000000010000000100000003" + "616263" + "000200010000000080000001", sent(session));

    receive(session, "000200020000000080000001");
    assertEquals("000000040000000100000000", sent(session));
  }

  @Test
  void theAcknowledgementOfAStreamShowsThatItsDataHasBeenSeen() throws Exception {
    YamuxSession session = new YamuxSession(YamuxSettings.DEFAULT, true, new Silence(), 0);
    sent(session);
    int stream = session.open();
    session.write(stream, ByteBuffer.wrap(new byte[] {'a'}));
    assertEquals("00000001000000010000000161", sent(session));
    receive(session, "000100020000000100000000");
    session.closeWrite(stream, 0);
    assertEquals("000000040000000100000000", sent(session));
  }

  @Test
  void anEndWhoseFenceIsNeverAnsweredGoesOutAfterABoundedTime() throws Exception {
    YamuxSettings noPings =
        new YamuxSettings(8, 1 << 20, 0, 1 << 20, Long.MAX_VALUE, Long.MAX_VALUE);
    YamuxSession session = new YamuxSession(noPings, true, new Silence(), 0);
    sent(session);
    receive(session, "000200020000000000000001");
    int stream = session.open();
    session.write(stream, ByteBuffer.wrap(new byte[] {'a'}));
    session.closeWrite(stream, 7);
    assertEquals("00000001000000010000000161" + "000200010000000080000001", sent(session));
    assertEquals(YamuxSession.FENCE_TIMEOUT_NANOS, session.deadlineNanos());
    session.onDeadline(YamuxSession.FENCE_TIMEOUT_NANOS - 1);
    assertEquals("", sent(session));
    session.onDeadline(YamuxSession.FENCE_TIMEOUT_NANOS);
    assertEquals("000000040000000100000000", sent(session));
    assertEquals(Long.MAX_VALUE, session.deadlineNanos());
    // The answer that comes after all changes nothing.
    receive(session, "000200020000000080000001");
    assertEquals("", sent(session));
  }

  private static String sent(YamuxSession session) {
    ByteBuffer out = ByteBuffer.allocate(1024);
    while (session.hasOutput()) {
      session.fill(out, 0);
    }
    byte[] bytes = new byte[out.flip().remaining()];
    out.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static void receive(YamuxSession session, String frame) throws Exception {
    session.receive(ByteBuffer.wrap(HexFormat.of().parseHex(frame)), 1);
  }

  private static final class Silence implements YamuxEvents {
    @Override
    public void onStreamOpened(int stream) {}

    @Override
    public void onStreamData(int stream, ByteBuffer data) {}

    @Override
    public void onStreamWritable(int stream) {}

    @Override
    public void onStreamRemoteClosed(int stream) {}

    @Override
    public void onStreamClosed(int stream) {}

    @Override
    public void onStreamReset(int stream, long code) {}

    @Override
    public void onGoAway(long code) {}
  }
}
