package dev.troupe.protocol.connection;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Arbitrary bytes in the place of a remote: before the handshake, in the midst of it, and after it
 * in the place of records.
 */
class ConnectionMachineFuzzTest {
  static Stream<Arguments> seeds() {
    String agreed = "\u0013/multistream/1.0.0\n\u0007/noise\n";
    return Stream.of(
            agreed,
            agreed + "\u0000 " + "e".repeat(32),
            agreed + "\u0000`" + "e".repeat(96),
            "\u0000\u0010" + "t".repeat(16),
            "GET / HTTP/1.1\r\n\r\n")
        .map(text -> arguments((Object) text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void survives(byte[] input) {
    ConnectionPair fresh = new ConnectionPair(1, null);
    fresh.dialer.machine.start(fresh.now);
    fresh.listener.machine.start(fresh.now);
    feedBoth(fresh, input);

    ConnectionPair secured = new ConnectionPair(1, null);
    secured.start();
    secured.dialer.open();
    feedBoth(secured, input);
  }

  private static void feedBoth(ConnectionPair pair, byte[] input) {
    int half = input.length / 2;
    for (ConnectionMachine machine :
        new ConnectionMachine[] {pair.dialer.machine, pair.listener.machine}) {
      machine.receive(ByteBuffer.wrap(input, 0, half), pair.now);
      machine.receive(ByteBuffer.wrap(input, half, input.length - half), pair.now);
    }
    pair.settle();
  }
}
