package dev.troupe.protocol.cid;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes and texts as a CID. */
class CidFuzzTest {
  static Stream<Arguments> seeds() {
    return Stream.of(
            "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
            "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe",
            "zb2rhhFAEMepUBbGyP1k8tGfz7BSciKXP6GHuUeUsJBaK6cqG",
            "f0155000a00",
            "\u0001U\u0000\u0001x")
        .map(text -> arguments((Object) Bytes.utf8(text).toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      assertEquals(Bytes.of(input), Cid.decode(Bytes.of(input)).encoded());
    } catch (MalformedException refused) {
      // As it should.
    }
    try {
      Cid cid = Cid.parse(new String(input, StandardCharsets.UTF_8));
      assertEquals(cid, Cid.parse(cid.toString()));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
