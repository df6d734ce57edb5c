package dev.troupe.protocol.multihash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as a multihash. */
class MultihashFuzzTest {
  static Stream<Arguments> seeds() {
    return Stream.of(
            "12209cbc07c3f991725836a3aa2a581ca2029198aa420b9d99bc0e131d9f3e2cbe47",
            "00096d756c746968617368",
            "c0e40204deadbeef")
        .map(hex -> arguments((Object) Bytes.fromHex(hex).toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      assertEquals(Bytes.of(input), Multihash.decode(Bytes.of(input)).encoded());
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
