package dev.troupe.runtime.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.world.Measurements;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.runtime.netty.TinyNameServer;
import dev.troupe.runtime.world.RealWorld;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Peers that are found by name, over TCP, and over UDP to a name server on this machine. */
@Timeout(90)
class NamedPeersTest {

  private final TinyNameServer server = new TinyNameServer();
  private final Troupe troupe =
      Troupe.start(RealWorld.create(Measurements.NONE, List.of(server.address())));

  NamedPeersTest() throws Exception {}

  @AfterEach
  void close() {
    troupe.close();
    server.close();
  }

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private EmbeddedPeer peer(String name, String... bootstrap) throws Exception {
    PeerSettings settings =
        PeerSettings.of(troupe.newIdentity(), List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/0")));
    List<Multiaddr> primaries = new ArrayList<>();
    for (String each : bootstrap) {
      primaries.add(Multiaddr.parse(each));
    }
    settings = settings.withDht(settings.dht().withBootstrapPeers(primaries));
    return troupe.embed(
        assertInstanceOf(PeerManager.Created.class, await(troupe.createPeer(name, settings))));
  }

  @Test
  void aPeerJoinsThroughThoseBehindANameAndConnectsToOneBehindAnother() throws Exception {
    EmbeddedPeer a = peer("a");
    EmbeddedPeer b = peer("b");
    int port = a.addresses().get(0).components().get(1).port();
    server.text("_dnsaddr.example.org", "dnsaddr=/dnsaddr/east.example.org/p2p/" + a.id());
    server.text(
        "_dnsaddr.east.example.org", "dnsaddr=/dns4/a.example.org/tcp/" + port + "/p2p/" + a.id());
    server.address("a.example.org", InetAddress.getLoopbackAddress());
    server.text("_dnsaddr.b.example.org", "dnsaddr=" + b.addresses().get(0));

    EmbeddedPeer c = peer("c", "/dnsaddr/example.org");
    CompletableFuture<Dht.State> ready = new CompletableFuture<>();
    c.onDht(
        changed -> {
          if (changed.state() == Dht.State.READY) {
            ready.complete(changed.state());
          }
        });
    await(ready);
    assertEquals(List.of(a.id()), await(c.dhtTable()).peers());
    Connections.ConnectReply reply = await(c.connectTo(Multiaddr.parse("/dnsaddr/b.example.org")));
    assertEquals(b.id(), assertInstanceOf(Connections.Connected.class, reply).peer());
    reply = await(c.connectTo(Multiaddr.parse("/dnsaddr/nowhere.example")));
    String why = assertInstanceOf(Connections.ConnectFailed.class, reply).failure().message();
    assertTrue(why.contains("the name _dnsaddr.nowhere.example does not resolve"), why);
  }
}
