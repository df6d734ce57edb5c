package dev.troupe.protocol.multiaddr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes and texts as a multiaddr. */
class MultiaddrFuzzTest {
  private static final PeerId PEER =
      PrivateKey.generate(new PortableCrypto(), new SeededRandom(1)).peerId();

  static Stream<Arguments> seeds() throws MalformedException {
    List<Arguments> seeds = new ArrayList<>();
    for (String text :
        List.of(
            "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
            "/ip6zone/eth0/ip6/fe80::1/udp/1/quic-v1/webtransport/certhash/u1QEQOFj2IjCsPJFfMAxmQxLGPw",
            "/dns4/a.example/tcp/443/tls/sni/a.example/ws/p2p-circuit",
            "/ip6/::ffff:1.2.3.4/tcp/1",
            "/dnsaddr/bootstrap.libp2p.io",
            "/memory/7",
            "/unix/a/b")) {
      seeds.add(arguments((Object) text.getBytes(StandardCharsets.UTF_8)));
      seeds.add(arguments((Object) Multiaddr.parse(text).encoded().toArray()));
    }
    return seeds.stream();
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      Multiaddr address = Multiaddr.decode(Bytes.of(input));
      assertEquals(Bytes.of(input), address.encoded());
      use(address);
    } catch (MalformedException refused) {
      // As it should.
    }
    try {
      use(Multiaddr.parse(new String(input, StandardCharsets.UTF_8)));
    } catch (MalformedException refused) {
      // As it should.
    }
  }

  private static void use(Multiaddr address) {
    try {
      // A path takes the rest of the text, so what follows it in the bytes is lost there.
      List<Component> all = address.components();
      boolean pathWithin =
          all.subList(0, all.size() - 1).stream().anyMatch(c -> c.protocol() == Protocol.UNIX);
      if (!pathWithin) {
        assertEquals(address, Multiaddr.parse(address.toString()));
      }
      assertEquals(address, Multiaddr.decode(address.encoded()));
    } catch (MalformedException e) {
      throw new AssertionError("its own form of " + address, e);
    }
    Multiaddr named = address.withPeer(PEER);
    assertEquals(PEER, named.peerId());
    if (address.withoutPeer().peerId() == null) { // all but a bare /p2p/…
      assertEquals(address.withoutPeer(), named.withoutPeer());
    }
  }
}
