package dev.troupe.protocol.multistream;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes in the place of a remote that negotiates. */
class MultistreamSelectFuzzTest {
  static Stream<Arguments> seeds() {
    Bytes header = Bytes.utf8("\u0013/multistream/1.0.0\n");
    return Stream.of(
            header.concat(Bytes.utf8("\u0007/noise\n")),
            header.concat(Bytes.utf8("\u0003na\n\u0007/noise\n")),
            header.concat(Bytes.utf8("\u0003ls\n\u0007/x/1.0\n")),
            // A line of 1001 bytes that are not UTF-8, and grow when they are read as text.
            header.concat(Bytes.fromHex("e907" + "ff".repeat(1000) + "0a")))
        .map(seed -> arguments((Object) seed.toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void negotiates(byte[] input) {
    ProtocolId noise = ProtocolId.of("/noise");
    run(MultistreamSelect.dialer(List.of(ProtocolId.of("/x/1.0"), noise)), input);
    run(MultistreamSelect.listener(noise::equals), input);
  }

  private static void run(MultistreamSelect machine, byte[] input) {
    AtomicLong said = new AtomicLong();
    Consumer<ByteBuffer> out = bytes -> said.addAndGet(bytes.remaining());
    machine.start(out);
    try {
      int half = input.length / 2;
      machine.receive(ByteBuffer.wrap(input, 0, half), out);
      machine.receive(ByteBuffer.wrap(input, half, input.length - half), out);
    } catch (MalformedException refused) {
      // As it should.
    }
    assertTrue(said.get() <= 64L * (MultistreamSelect.MAX_PROPOSALS + 2), "it answers in bounds");
  }
}
