package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as a message of Kademlia. */
class KademliaMessageFuzzTest {
  static Stream<Arguments> seeds() throws MalformedException {
    PeerInfo peer =
        new PeerInfo(
            PeerId.parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"),
            List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/4001")),
            PeerInfo.Connectedness.CONNECTED);
    Multihash key = Multihash.identity(Bytes.utf8("key"));
    return Stream.of(
            KademliaMessage.findNode(peer.peer().bytes())
                .answer(null, List.of(peer, peer), List.of()),
            KademliaMessage.addProvider(key, peer),
            KademliaMessage.getProviders(key).answer(null, List.of(peer), List.of(peer)))
        .map(message -> arguments((Object) message.encode().toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      KademliaMessage message = KademliaMessage.decode(Bytes.of(input));
      assertTrue(message.closerPeers().size() <= KademliaMessage.MAX_CLOSER_PEERS);
      assertTrue(message.providers().size() <= KademliaMessage.MAX_PROVIDERS);
      assertEquals(message, KademliaMessage.decode(message.encode()));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
