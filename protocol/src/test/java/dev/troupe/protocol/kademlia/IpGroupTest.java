package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpGroupTest {

  private static Optional<IpGroup> of(String address) throws MalformedException {
    return IpGroup.of(Multiaddr.parse(address));
  }

  @ParameterizedTest
  @CsvSource({
    "/ip4/8.8.4.4/tcp/1, 8.8.0.0/16",
    "/ip4/8.8.255.255/udp/1/quic-v1, 8.8.0.0/16",
    "/ip4/8.9.4.4/tcp/1, 8.9.0.0/16",
    "/ip4/223.255.255.255/tcp/1, 223.255.0.0/16",
    "/ip4/12.1.2.3/tcp/1, 12.0.0.0/8",
    "/ip4/73.200.2.3/tcp/1, 73.0.0.0/8",
    "/ip4/172.15.0.1/tcp/1, 172.15.0.0/16",
    "/ip4/172.32.0.1/tcp/1, 172.32.0.0/16",
    "/ip4/100.63.0.1/tcp/1, 100.63.0.0/16",
    "/ip4/100.128.0.1/tcp/1, 100.128.0.0/16",
    "/ip4/192.0.3.1/tcp/1, 192.0.0.0/16",
    "/ip6/2600:1f18:1::1/tcp/1, 2600:1f18::/32",
    "/ip6/2600:1f18:ffff::9/tcp/1, 2600:1f18::/32",
    "/ip6/::ffff:8.8.4.4/tcp/1, 8.8.0.0/16",
    "/ip6/64:ff9b::808:404/tcp/1, 8.8.0.0/16",
  })
  void publicAddressesAreGroupedByNetwork(String address, String group) throws MalformedException {
    assertEquals(group, of(address).orElseThrow().toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/ip4/127.0.0.1/tcp/1",
        "/ip4/10.255.1.2/tcp/1",
        "/ip4/172.16.0.1/tcp/1",
        "/ip4/172.31.255.255/tcp/1",
        "/ip4/192.168.1.1/tcp/1",
        "/ip4/169.254.1.1/tcp/1",
        "/ip4/100.64.0.1/tcp/1",
        "/ip4/100.127.255.255/tcp/1",
        "/ip4/0.0.0.0/tcp/1",
        "/ip4/192.0.2.1/tcp/1",
        "/ip4/198.19.255.255/tcp/1",
        "/ip4/198.51.100.7/tcp/1",
        "/ip4/203.0.113.7/tcp/1",
        "/ip4/224.0.0.1/tcp/1",
        "/ip4/255.255.255.255/tcp/1",
        "/ip6/::1/tcp/1",
        "/ip6/::/tcp/1",
        "/ip6/fe80::1/tcp/1",
        "/ip6/fd00::1/tcp/1",
        "/ip6/ff02::1/tcp/1",
        "/ip6/2001:db8::1/tcp/1",
        "/ip6/::ffff:10.0.0.1/tcp/1",
        "/dns4/peer.example.org/tcp/1",
        "/memory/1",
      })
  void whatIsNotPublicIsInNoGroup(String address) throws MalformedException {
    assertEquals(Optional.empty(), of(address));
  }

  @Test
  void whoIsBehindArelayCountsWhereTheRelayIs() throws MalformedException {
    assertEquals(
        of("/ip4/8.8.4.4/tcp/1"),
        of(
            "/ip4/8.8.8.8/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
                + "/p2p-circuit"));
  }
}
