package dev.troupe.protocol.identify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.KeyVectors;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as an identify message. */
class IdentifyMessageFuzzTest {
  static Stream<Arguments> seeds() throws MalformedException {
    Multiaddr address = Multiaddr.parse("/ip4/127.0.0.1/tcp/4001");
    IdentifyMessage message =
        new IdentifyMessage(
            PublicKey.decode(KeyVectors.get("ed25519.public")),
            List.of(address),
            List.of(ProtocolId.of("/ipfs/id/1.0.0"), ProtocolId.of("/ipfs/kad/1.0.0")),
            address,
            "ipfs/0.1.0",
            "a/1",
            Bytes.utf8("record"));
    return Stream.of(arguments((Object) message.encoded().toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      IdentifyMessage message = IdentifyMessage.decode(Bytes.of(input));
      assertEquals(message, IdentifyMessage.decode(message.encoded()));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
