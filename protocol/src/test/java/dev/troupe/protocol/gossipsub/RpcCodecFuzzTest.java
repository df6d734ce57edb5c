package dev.troupe.protocol.gossipsub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as an RPC of GossipSub. */
class RpcCodecFuzzTest {
  static Stream<Arguments> seeds() throws IOException {
    try (InputStream in = RpcCodecFuzzTest.class.getResourceAsStream("js-rpc.txt")) {
      String all = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.US_ASCII);
      return all.lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.substring(line.lastIndexOf(' ') + 1))
          .map(hex -> arguments((Object) Bytes.fromHex(hex).toArray()));
    }
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      Rpc rpc = RpcCodec.decode(Bytes.of(input));
      assertEquals(rpc, RpcCodec.decode(RpcCodec.encode(rpc)));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
