package dev.troupe.protocol.varint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as a varint and as a stream of frames. */
class VarintFuzzTest {
  static Stream<Arguments> seeds() {
    return Stream.of("00", "ac02", "ffffffffffffffff7f", "0301020300", "8000", "05")
        .map(hex -> arguments((Object) Bytes.fromHex(hex).toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void reads(byte[] input) {
    ByteBuffer in = ByteBuffer.wrap(input);
    try {
      long value = Varint.read(in);
      assertEquals(Bytes.of(input).slice(0, in.position()), Bytes.wrap(Varint.encode(value)));
    } catch (MalformedException refused) {
      assertEquals(0, in.position());
    }
    FrameDecoder decoder = new FrameDecoder(64);
    try {
      int half = input.length / 2;
      decoder.feed(ByteBuffer.wrap(input, 0, half));
      takeAll(decoder);
      decoder.feed(ByteBuffer.wrap(input, half, input.length - half));
      takeAll(decoder);
    } catch (MalformedException refused) {
      assertEquals(0, decoder.buffered());
    }
  }

  private static void takeAll(FrameDecoder decoder) throws MalformedException {
    for (Bytes frame = decoder.next(); frame != null; frame = decoder.next()) {
      if (frame.size() > 64) {
        throw new AssertionError("a frame of " + frame.size() + " bytes");
      }
    }
  }
}
