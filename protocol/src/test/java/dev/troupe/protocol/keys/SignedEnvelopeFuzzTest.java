package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as a signed envelope, and as the peer record inside one. */
class SignedEnvelopeFuzzTest {
  private static final Crypto CRYPTO = new PortableCrypto();

  static Stream<Arguments> seeds() throws MalformedException {
    PrivateKey key = PrivateKey.generate(CRYPTO, new SeededRandom(1));
    PeerRecord record =
        new PeerRecord(key.peerId(), 300, List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/4001")));
    return Stream.of(
        arguments((Object) record.seal(CRYPTO, key).encoded().toArray()),
        arguments((Object) record.encoded().toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void opens(byte[] input) {
    try {
      PeerRecord.open(CRYPTO, Bytes.of(input));
    } catch (MalformedException refused) {
      // As it should.
    }
    try {
      PeerRecord record = PeerRecord.decode(Bytes.of(input));
      assertEquals(record, PeerRecord.decode(record.encoded()));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
