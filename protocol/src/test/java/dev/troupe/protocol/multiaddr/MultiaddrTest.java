package dev.troupe.protocol.multiaddr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MultiaddrTest {
  private static final String PEER = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
  private static final String OTHER = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";

  private static Multiaddr of(String text) throws MalformedException {
    return Multiaddr.parse(text);
  }

  @ParameterizedTest
  @CsvSource({ // go-multiaddr's tests, and the multiaddr specification
    "/ip4/127.0.0.1/udp/1234, 047f000001910204d2",
    "/ip4/127.0.0.1/tcp/4321, 047f0000010610e1",
    "/ip4/127.0.0.1/udp/1234/ip4/127.0.0.1/tcp/4321, 047f000001910204d2047f0000010610e1",
    "/ip6zone/eth0/ip6/::1, 2a04657468302900000000000000000000000000000001",
    "/ip6/2001:db8::1/tcp/80, 2920010db8000000000000000000000001060050",
    "/ip4/1.2.3.4/udp/4001/quic-v1, 040102030491020fa1cd03",
    "/dns4/a.io/tcp/443/wss, 3604612e696f0601bbde03",
    "/dns/a.io, 3504612e696f",
    "/dns6/a.io, 3704612e696f",
    "/dnsaddr/a.io, 3804612e696f",
    "/memory/7, 89060000000000000007",
    "/memory/18446744073709551615, 8906ffffffffffffffff",
    "/unix/a/b, 9003042f612f62",
    "/ip4/1.2.3.4/tcp/1/tls/ws, 0401020304060001c003dd03",
    "/ip4/1.2.3.4/tcp/1/tls/sni/a.io/ws, 0401020304060001c003c10304612e696fdd03",
    "/ip4/1.2.3.4/tcp/1/http, 0401020304060001e003",
    "/p2p-circuit, a202",
    "/ip4/1.2.3.4/udp/1/webrtc-direct, 0401020304910200019802",
    "/ip4/1.2.3.4/udp/1/quic-v1/webtransport, 040102030491020001cd03d103",
  })
  void hasOneTextAndOneEncoding(String text, String hex) throws MalformedException {
    Multiaddr parsed = of(text);
    assertEquals(hex, parsed.encoded().hex());
    assertEquals(text, parsed.toString());
    assertEquals(parsed, Multiaddr.decode(Bytes.fromHex(hex)));
    assertEquals(text, Multiaddr.decode(Bytes.fromHex(hex)).toString());
  }

  @ParameterizedTest
  @CsvSource({
    "/ip4/127.0.0.1/tcp/1234/, /ip4/127.0.0.1/tcp/1234",
    "/ip4/127.0.0.1/tcp/0080, /ip4/127.0.0.1/tcp/80",
    "/ipfs/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC,"
        + " /p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC",
    "/p2p/k2k4r8oqamigqdo6o7hsbfwd45y70oyynp98usk7zmyfrzpqxh1pohl7,"
        + " /p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC",
    "/p2p/bafzaajaiaejcalj543iwv2d7pkjt7ykvefrkfu7qjfi6sduakhso4lay6abn2d5u,"
        + " /p2p/12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV",
    "/ip4/127.0.0.1/udp/1234/quic-v1/webtransport/certhash/b2uaraocy6yrdblb4sfptaddgimjmmpy, "
        + "/ip4/127.0.0.1/udp/1234/quic-v1/webtransport/certhash/u1QEQOFj2IjCsPJFfMAxmQxLGPw",
    "/unix/stdio, /unix/stdio",
    "/ip4/1.2.3.4/tcp/80/unix/a/b/c/d/e/f, /ip4/1.2.3.4/tcp/80/unix/a/b/c/d/e/f",
  })
  void makesTheTextCanonical(String text, String canonical) throws MalformedException {
    assertEquals(canonical, of(text).toString());
    assertEquals(of(text), of(of(text).toString()));
  }

  @ParameterizedTest
  @CsvSource({ // RFC 5952, and mapped addresses as go writes them
    "2001:0db8:0000:0000:0000:0000:0002:0001, 2001:db8::2:1", // 4.1, 4.2.1
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1", // 4.2.2: one group is not shortened
    "2001:0:0:1:0:0:0:1, 2001:0:0:1::1", // 4.2.3: the longest run
    "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1", // 4.2.3: the first of two
    "2001:DB8::ABCD, 2001:db8::abcd", // 4.3: lower case
    "0:0:0:0:0:0:0:0, ::",
    "0:0:0:0:0:0:0:1, ::1",
    "1:0:0:0:0:0:0:0, 1::",
    "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
    "::2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8",
    "::ffff:127.0.0.1, ::ffff:127.0.0.1",
    "::ffff:7f00:1, ::ffff:127.0.0.1",
    "64:ff9b::192.0.2.33, 64:ff9b::c000:221",
    "1:2:3:4:5:6:1.2.3.4, 1:2:3:4:5:6:102:304",
    "fe80::1, fe80::1",
  })
  void writesIpv6InItsCanonicalForm(String text, String canonical) throws MalformedException {
    assertEquals("/ip6/" + canonical, of("/ip6/" + text).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        ":::",
        "1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "1.2.3.4::",
        "::1.2.3",
        "::1.2.3.256",
        "::1.2.3.4:5",
        "fe80::1%eth0",
        "[::1]",
        "::1 ",
      })
  void refusesOtherTextsForIpv6(String text) {
    assertThrows(MalformedException.class, () -> of("/ip6/" + text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.",
        ".1.2.3",
        "1.2.3.4 ",
        "a.b.c.d",
        "+1.2.3.4",
        "1.2.3.-4",
        "1.2.3.0x4",
        "::1",
        "\u0661.2.3.4",
      })
  void refusesOtherTextsForIpv4(String text) {
    assertThrows(MalformedException.class, () -> of("/ip4/" + text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = { // mostly those of go-multiaddr's tests
        "",
        "/",
        "//",
        "ip4/1.2.3.4",
        "/ip4",
        "/ip4/",
        "/ip4//tcp/1",
        "/ip6",
        "/ip6zone",
        "/ip6zone/",
        "/ip6zone//ip6/fe80::1",
        "/udp",
        "/tcp",
        "/udp/65536",
        "/tcp/65536",
        "/tcp/-1",
        "/tcp/+1",
        "/tcp/",
        "/tcp/1a",
        "/tcp/99999999999999999999",
        "/quic/65536",
        "/quic-v1/65536",
        "/ip4/127.0.0.1/quic-v1/1234",
        "/ip4/127.0.0.1/p2p",
        "/ip4/127.0.0.1/p2p/tcp",
        "/ip4/127.0.0.1/ipfs/tcp",
        "/unix",
        "/ip4/1.2.3.4/tcp/80/unix",
        "/ip4/127.0.0.1/udp/1/quic-v1/webtransport/certhash",
        "/ip4/127.0.0.1/udp/1/quic-v1/webtransport/certhash/b2uaraocy6yrdblb4sfptaddgimjmmp",
        "/memory/",
        "/memory/18446744073709551616",
        "/memory/92233720368547758081",
        "/memory/-1",
        "/p2p/QmxoHT6iViN5xAjoz1VZ553cL31U9F94ht3QvWR1FrEbZY",
        "/p2p/?unknownmultibase",
        "/p2p/k2jmtxwoe2phm1hbqp0e7nufqf6umvuu2e9qd7ana7h411a0haqj6i2z",
        "/bogus/1",
        "/dns4/",
        "/dns4/a\nb",
        "/dns4/a\u0000b",
        "/IP4/1.2.3.4",
        "/ip4/1.2.3.4/tcp/1//tls",
        "/http/x",
      })
  void refusesMalformedTexts(String text) {
    assertThrows(MalformedException.class, () -> of(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", // empty
        "04",
        "047f0000", // an address cut short
        "0600", // a port cut short
        "91", // a code cut short
        "ff7f", // an unknown code
        "8400", // a padded code
        "3500", // an empty name
        "3505612e696f", // a name cut short
        "3502c328", // not UTF-8
        "3503612f62", // a slash in a name
        "3503610a62", // a line feed
        "90030161", // a path without its slash
        "9003032f612f", // a path with a slash at its end
        "a50300", // an empty peer id
        // go-multiaddr's tests: a multihash longer than it says
        "a503221221c05877cbae039d70a5e600ea02c6f9f2942439285c9e344e26f8d280c850fad6",
        "d20301ff", // a certificate hash that is no multihash
        "35ffffffffffffffff7f", // a length beyond any array
        "047f00000100", // a code of nothing
      })
  void refusesMalformedBytes(String hex) {
    assertThrows(MalformedException.class, () -> Multiaddr.decode(Bytes.fromHex(hex)));
  }

  @Test
  void saysWhatIsWrongAndWithWhat() {
    String message =
        assertThrows(MalformedException.class, () -> of("/ip4/1.2.3.4/tpc/80")).getMessage();
    assertTrue(message.contains("/ip4/1.2.3.4/tpc/80") && message.contains("tpc"), message);
    String shortened =
        assertThrows(MalformedException.class, () -> of("/" + "x".repeat(1500))).getMessage();
    assertTrue(shortened.length() < 500, shortened);
  }

  @Test
  void isBounded() throws MalformedException {
    String most = "/tls".repeat(Multiaddr.MAX_COMPONENTS);
    assertEquals(Multiaddr.MAX_COMPONENTS, of(most).components().size());
    assertThrows(MalformedException.class, () -> of(most + "/tls"));
    // A peer can be named behind the longest address, and that address read again.
    Multiaddr named = of(most).withPeer(PeerId.parse(PEER));
    assertEquals(named, Multiaddr.decode(named.encoded()));
    assertEquals(named, of(named.toString()));
    assertEquals(of(most), named.withoutPeer());
    assertThrows(MalformedException.class, () -> of(most + "/tls/p2p/" + PEER));
    assertThrows(
        MalformedException.class,
        () -> Multiaddr.decode(of(most).encoded().concat(of("/tls").encoded())));
    String name = "/dns/" + "a".repeat(Protocol.MAX_VALUE);
    assertEquals(Protocol.MAX_VALUE, of(name).components().get(0).value().size());
    assertThrows(MalformedException.class, () -> of(name + "a"));
    assertThrows(MalformedException.class, () -> of(name + name));
    assertThrows(IllegalArgumentException.class, () -> of(name).encapsulate(of(name)));
    assertThrows(
        MalformedException.class,
        () -> Multiaddr.decode(Bytes.wrap(new byte[2 * Multiaddr.MAX_BYTES])));
    assertThrows(MalformedException.class, () -> of("/unix/" + "a".repeat(Multiaddr.MAX_TEXT)));
  }

  @Test
  void namesThePeerAtItsEnd() throws MalformedException {
    PeerId peer = PeerId.parse(PEER);
    Multiaddr bare = of("/ip4/1.2.3.4/tcp/1");
    Multiaddr named = bare.withPeer(peer);
    assertEquals("/ip4/1.2.3.4/tcp/1/p2p/" + PEER, named.toString());
    assertEquals(peer, named.peerId());
    assertEquals(bare, named.withoutPeer());
    assertEquals(named, named.withPeer(peer));
    assertEquals(bare.withPeer(PeerId.parse(OTHER)), named.withPeer(PeerId.parse(OTHER)));
    assertNull(bare.peerId());
    assertEquals(bare, bare.withoutPeer());
    assertEquals(of("/p2p/" + PEER), of("/p2p/" + PEER).withoutPeer());
  }

  @Test
  void namesTheRelayedPeerAndNotTheRelay() throws MalformedException {
    Multiaddr relay = of("/ip4/1.2.3.4/tcp/1/p2p/" + OTHER + "/p2p-circuit");
    assertNull(relay.peerId());
    Multiaddr relayed = relay.withPeer(PeerId.parse(PEER));
    assertEquals(PeerId.parse(PEER), relayed.peerId());
    assertEquals(relay, relayed.withoutPeer());
    assertEquals(OTHER, relayed.find(Protocol.P2P).text());
  }

  @Test
  void isMadeOfComponents() throws MalformedException {
    Multiaddr address = of("/ip4/1.2.3.4/tcp/65535/ws");
    assertEquals(
        List.of(Protocol.IP4, Protocol.TCP, Protocol.WS),
        address.components().stream().map(Component::protocol).toList());
    Component tcp = address.find(Protocol.TCP);
    assertNotNull(tcp);
    assertEquals(65535, tcp.port());
    assertThrows(IllegalStateException.class, () -> address.components().get(0).port());
    assertNull(address.find(Protocol.UDP));
    assertEquals(address, of("/ip4/1.2.3.4").encapsulate(of("/tcp/65535/ws")));
    assertNotEquals(address, of("/ip4/1.2.3.4"));
  }

  @Provide
  Arbitrary<String> component() {
    Arbitrary<String> ip6 =
        Arbitraries.of(0, 0, 0, 1, 0xffff, 0x20)
            .array(int[].class)
            .ofSize(8)
            .map(
                groups -> {
                  StringBuilder text = new StringBuilder("/ip6");
                  for (int i = 0; i < 8; i++) {
                    text.append(i == 0 ? '/' : ':').append(Integer.toHexString(groups[i]));
                  }
                  return text.toString();
                });
    Arbitrary<Integer> octet = Arbitraries.integers().between(0, 255);
    return Arbitraries.oneOf(
        ip6,
        Combinators.combine(octet, octet, octet, octet)
            .as((a, b, c, d) -> "/ip4/" + a + "." + b + "." + c + "." + d),
        Arbitraries.integers().between(0, 65535).map(port -> "/tcp/" + port),
        Arbitraries.longs().map(place -> "/memory/" + Long.toUnsignedString(place)),
        Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(30).map(name -> "/dns/" + name),
        Arbitraries.of("/tls", "/ws", "/p2p-circuit", "/quic-v1", "/p2p/" + PEER, "/p2p/" + OTHER));
  }

  @Property
  void roundTripsThroughTextAndBytes(
      @ForAll @Size(min = 1, max = Multiaddr.MAX_COMPONENTS)
          List<@From("component") String> components)
      throws MalformedException {
    Multiaddr address = of(String.join("", components));
    assertEquals(address, of(address.toString()));
    assertEquals(address, Multiaddr.decode(address.encoded()));
    assertEquals(address.toString(), Multiaddr.decode(address.encoded()).toString());
  }

  @Property
  void decodesNothingThatItWouldNotEncode(@ForAll byte[] bytes) {
    try {
      Multiaddr address = Multiaddr.decode(Bytes.of(bytes));
      assertEquals(Bytes.of(bytes), address.encoded());
      assertEquals(address, of(address.toString()));
    } catch (MalformedException refused) {
      assertFalse(refused.getMessage().isEmpty());
    }
  }

  @Property
  void neverThrowsOverAText(@ForAll String text) {
    try {
      assertEquals(of("/" + text), of(of("/" + text).toString()));
    } catch (MalformedException refused) {
      assertFalse(refused.getMessage().isEmpty());
    }
  }
}
