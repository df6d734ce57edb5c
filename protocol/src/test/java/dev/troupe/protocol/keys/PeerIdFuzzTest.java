package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes and texts as a peer id. */
class PeerIdFuzzTest {
  static Stream<Arguments> seeds() {
    return Stream.of(
            "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
            "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
            "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe",
            "k51qzi5uqu5dhb6l8spkdx7yxafegfkee5by8h7lmjh2ehc2sgg34z7c15vzqs")
        .map(text -> arguments((Object) Bytes.utf8(text).toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      PeerId id = PeerId.decode(input);
      assertEquals(Bytes.of(input), id.bytes());
      use(id);
    } catch (MalformedException refused) {
      // As it should.
    }
    try {
      use(PeerId.parse(new String(input, StandardCharsets.UTF_8)));
    } catch (MalformedException refused) {
      // As it should.
    }
  }

  private static void use(PeerId id) throws MalformedException {
    assertEquals(id, PeerId.parse(id.toString()));
    assertEquals(id, PeerId.parse(id.toCid().toString()));
    PublicKey key = id.inlineKey();
    if (key != null) {
      key.encoded();
    }
  }
}
