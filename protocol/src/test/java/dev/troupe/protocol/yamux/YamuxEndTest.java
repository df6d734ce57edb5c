package dev.troupe.protocol.yamux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class YamuxEndTest {

  /** js-libp2p closes the stream for the flag before it looks at the data, and drops the data. */
  @Test
  void theEndOfAStreamTravelsInAFrameOfItsOwn() {
    YamuxSession session = new YamuxSession(YamuxSettings.DEFAULT, true, new Silence(), 0);
    ByteBuffer firstPing = ByteBuffer.allocate(12);
    session.fill(firstPing);
    int stream = session.open();
    session.write(stream, ByteBuffer.wrap(new byte[] {'a', 'b', 'c'}));
    session.closeWrite(stream);
    ByteBuffer out = ByteBuffer.allocate(1024);
    while (session.hasOutput()) {
      session.fill(out);
    }
    byte[] sent = new byte[out.flip().remaining()];
    out.get(sent);
    assertEquals(
        "000000010000000100000003" + "616263" + "000000040000000100000000",
        HexFormat.of().formatHex(sent));
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
