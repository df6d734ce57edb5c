package dev.troupe.actors.virtualconnections;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as the JSON of an envelope. */
class EnvelopeFuzzTest {
  static Stream<Arguments> seeds() {
    return Stream.of(
            "{\"type\":\"data\",\"id\":1,\"data\":\"aGVsbG8=\"}",
            "{\"type\":\"ack\",\"id\":9223372036854775807}",
            "{\"id\":-1,\"type\":\"ack\",\"data\":null,\"more\":[{\"a\":1e400}]}",
            "{\"type\":\"data\",\"id\":99999999999999999999,\"data\":\"=\"}",
            "[".repeat(2000))
        .map(text -> arguments((Object) text.getBytes(StandardCharsets.UTF_8)));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      Envelope envelope = Envelope.decode(input);
      ByteBuffer encoded = envelope.encoded();
      byte[] json = new byte[encoded.getInt()];
      encoded.get(json);
      assertEquals(envelope, Envelope.decode(json));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
