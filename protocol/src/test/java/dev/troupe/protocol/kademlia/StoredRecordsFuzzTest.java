package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as a provider that was kept, which has all that the others have. */
class StoredRecordsFuzzTest {
  static Stream<Arguments> seeds() throws MalformedException {
    StoredProvider provider =
        new StoredProvider(
            Multihash.identity(Bytes.utf8("key")),
            PeerId.parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"),
            List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/4001")),
            Instant.EPOCH);
    return Stream.of(arguments((Object) provider.encode().toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      StoredProvider provider = StoredProvider.decode(Bytes.of(input));
      assertEquals(provider, StoredProvider.decode(provider.encode()));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
