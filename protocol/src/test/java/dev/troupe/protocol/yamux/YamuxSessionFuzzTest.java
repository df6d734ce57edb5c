package dev.troupe.protocol.yamux;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes in the place of a remote that speaks Yamux, while this side uses its streams. */
class YamuxSessionFuzzTest {
  private static final int MAX_STREAMS = 8;
  private static final YamuxSettings SETTINGS =
      new YamuxSettings(
          MAX_STREAMS, YamuxSession.INITIAL_WINDOW, 0, 1 << 10, Long.MAX_VALUE, Long.MAX_VALUE);

  static Stream<Arguments> seeds() {
    return Stream.of(
            // open 2 and 1, data, window, FIN; ping; RST; go away
            "000000010000000200000000" + "000000000000000200000003" + "616263",
            "000000010000000100000003" + "616263" + "000100000000000100000100",
            "000000010000000200000001" + "61" + "000000040000000200000000",
            "000200010000000000000007" + "000200020000000000000000",
            "000100010000000200000000" + "000100080000000200000000",
            "000100020000000100000000" + "000300000000000000000000")
        .map(hex -> arguments((Object) Bytes.fromHex(hex).toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void survives(byte[] input) {
    new Run(true).feed(input);
    new Run(false).feed(input);
  }

  private static final class Run implements YamuxEvents {
    private final YamuxSession session;
    private final ByteBuffer out = ByteBuffer.allocate(1 << 16);

    Run(boolean client) {
      session = new YamuxSession(SETTINGS, client, this, 0);
    }

    void feed(byte[] input) {
      int own = session.open();
      session.write(own, ByteBuffer.wrap(new byte[100]));
      session.request(own, 1 << 10, 0);
      drain();
      try {
        int half = input.length / 2;
        session.receive(ByteBuffer.wrap(input, 0, half).slice(), 1);
        drain();
        session.receive(ByteBuffer.wrap(input, half, input.length - half).slice(), 2);
        session.closeWrite(own, 0);
      } catch (MalformedException refused) {
        // As it should.
      }
      drain();
      assertTrue(session.streamCount() <= MAX_STREAMS, "streams are bounded");
    }

    private void drain() {
      do {
        out.clear();
        session.fill(out, 0);
      } while (out.position() > 0);
    }

    @Override
    public void onStreamOpened(int stream) {
      session.request(stream, 1 << 10, 0);
    }

    @Override
    public void onStreamData(int stream, ByteBuffer data) {
      session.write(stream, data);
    }

    @Override
    public void onStreamWritable(int stream) {}

    @Override
    public void onStreamRemoteClosed(int stream) {
      session.closeWrite(stream, 0);
    }

    @Override
    public void onStreamClosed(int stream) {}

    @Override
    public void onStreamReset(int stream, long code) {}

    @Override
    public void onGoAway(long code) {}
  }
}
