package dev.troupe.protocol.multibase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary text in every base. */
class MultibaseFuzzTest {
  static Stream<Arguments> seeds() {
    return Stream.of(
            "f796573206d616e692021",
            "bpfsxgidnmfxgsibb",
            "k2lcpzo5yikidynfl",
            "z7paNL19xttacUY",
            "meWVzIG1hbmkgIQ",
            "ueWVzIG1hbmkgIQ")
        .map(text -> arguments((Object) Bytes.utf8(text).toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    String text = new String(input, StandardCharsets.UTF_8);
    try {
      byte[] bytes = Multibase.decode(text);
      for (Multibase base : Multibase.values()) {
        assertArrayEquals(bytes, Multibase.decode(base.encode(bytes)));
      }
    } catch (MalformedException refused) {
      // As it should.
    }
    for (Multibase base : Multibase.values()) {
      try {
        byte[] bytes = base.decodeBare(text);
        assertArrayEquals(bytes, base.decodeBare(base.encodeBare(bytes)));
      } catch (MalformedException refused) {
        // As it should.
      }
    }
  }
}
