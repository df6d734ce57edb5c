package dev.troupe.runtime.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.presence.Presence;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.presence.PresenceNamespace;
import dev.troupe.protocol.presence.PresenceRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the scenarios of the simulation show of a network, once over TCP. */
@Timeout(120)
class PromisesTest {

  private static final int FILE_BYTES = 1 << 20;

  private final Troupe troupe = Troupe.start();

  @AfterEach
  void close() {
    troupe.close();
  }

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private EmbeddedPeer peer(String name, UnaryOperator<PeerSettings> change) throws Exception {
    return peer(name, troupe.newIdentity(), change);
  }

  private EmbeddedPeer peer(String name, PrivateKey identity, UnaryOperator<PeerSettings> change)
      throws Exception {
    PeerSettings settings =
        PeerSettings.of(identity, List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/0")));
    return troupe.embed(
        assertInstanceOf(
            PeerManager.Created.class, await(troupe.createPeer(name, change.apply(settings)))));
  }

  private static UnaryOperator<PeerSettings> joining(EmbeddedPeer bootstrap) {
    return settings -> settings.withDht(settings.dht().withBootstrapPeers(bootstrap.addresses()));
  }

  /** Asks until so many are in the routing table. */
  private static void awaitTable(EmbeddedPeer peer, int peers) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    Dht.Table table;
    do {
      table = await(peer.dhtTable());
      assertTrue(System.nanoTime() < end, table::toString);
    } while (table.peers().size() < peers);
  }

  private static void assertWithin(Duration limit, long since, Object what) {
    Duration took = Duration.ofNanos(System.nanoTime() - since);
    assertTrue(took.compareTo(limit) < 0, () -> what + " took " + took);
  }

  @Test
  void filesThatOneAnnouncesTheOtherFindsWithinFiveSeconds() throws Exception {
    EmbeddedPeer bootstrap = peer("bootstrap", UnaryOperator.identity());
    EmbeddedPeer alice = peer("alice", joining(bootstrap));
    EmbeddedPeer bob = peer("bob", joining(bootstrap));
    awaitTable(alice, 1);
    awaitTable(bob, 1);
    Random contents = new Random(1);
    for (int file = 0; file < 10; file++) {
      byte[] content = new byte[FILE_BYTES];
      contents.nextBytes(content);
      long begun = System.nanoTime();
      Multihash hash = Multihash.sha256(troupe.crypto(), Bytes.wrap(content));
      assertInstanceOf(Dht.Provided.class, await(alice.provide(hash)));
      Dht.ProvidersFound found =
          assertInstanceOf(Dht.ProvidersFound.class, await(bob.findProviders(hash, 20)));
      assertWithin(Duration.ofSeconds(5), begun, "finding file " + file);
      assertEquals(
          List.of(alice.id()),
          found.providers().stream().map(Dht.PeerWithAddresses::peer).toList());
    }
  }

  @Test
  void ofFiftyThatConnectAtOnceNearlyAllSucceedAndSoon() throws Exception {
    // They have one address, not one each.
    HostSettings usual = HostSettings.DEFAULT;
    HostSettings roomy =
        new HostSettings(
            usual.agentVersion(),
            usual.dialTimeout(),
            usual.streamTimeout(),
            usual.identifyTimeout(),
            usual.linger(),
            usual.maxConnections(),
            usual.maxUpgrading(),
            usual.maxUpgrading(),
            usual.maxStreamsPerConnection(),
            usual.maxReceiveWindow());
    EmbeddedPeer one = peer("one", settings -> settings.withHost(roomy));
    List<EmbeddedPeer> crowd = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      crowd.add(peer("peer-" + i, UnaryOperator.identity()));
    }
    List<CompletableFuture<Long>> connects = new ArrayList<>();
    for (EmbeddedPeer each : crowd) {
      long begun = System.nanoTime();
      connects.add(
          each.connectTo(one.addresses().get(0))
              .thenApply(
                  reply -> reply instanceof Connections.Connected ? System.nanoTime() - begun : -1L)
              .toCompletableFuture());
    }
    List<Long> nanos = new ArrayList<>();
    for (CompletableFuture<Long> connect : connects) {
      nanos.add(await(connect));
    }
    long[] made = nanos.stream().mapToLong(Long::longValue).filter(each -> each >= 0).toArray();
    assertTrue(made.length >= 49, made.length + " of 50 connected");
    double average = Arrays.stream(made).average().orElseThrow();
    assertTrue(average < 8e9, "connecting took " + average / 1e9 + " s on average");
  }

  @Test
  void threePeersThatConnectByHandHaveADhtInWhichAPutIsPrompt() throws Exception {
    List<EmbeddedPeer> peers = new ArrayList<>();
    for (String name : List.of("alice", "bob", "carol")) {
      peers.add(peer(name, UnaryOperator.identity()));
    }
    for (EmbeddedPeer each : peers.subList(1, 3)) {
      assertInstanceOf(
          Connections.Connected.class, await(each.connectTo(peers.get(0).addresses().get(0))));
    }
    awaitTable(peers.get(0), 2);
    awaitTable(peers.get(1), 1);
    awaitTable(peers.get(2), 1);
    for (EmbeddedPeer putter : peers) {
      Bytes key = Bytes.utf8("/test/of-" + putter.alias());
      long begun = System.nanoTime();
      assertInstanceOf(Dht.ValuePut.class, await(putter.putValue(key, Bytes.utf8(putter.alias()))));
      assertWithin(Duration.ofSeconds(10), begun, "a put of " + putter.alias());
      for (EmbeddedPeer getter : peers) {
        Dht.GetValueReply got = await(getter.getValue(key));
        assertEquals(
            putter.alias(),
            assertInstanceOf(Dht.ValueGot.class, got, got::toString).value().utf8());
      }
    }
  }

  @Test
  void anAgentIsFoundByItsIdentityAndAForgedPresenceIsRefused() throws Exception {
    String identity = "/eth/0x1";
    EmbeddedPeer bootstrap = peer("bootstrap", UnaryOperator.identity());
    EmbeddedPeer alice = peer("alice", joining(bootstrap));
    EmbeddedPeer bob = peer("bob", joining(bootstrap));
    PrivateKey mallorysKey = troupe.newIdentity();
    // It does not check what it puts: what others check is up to them.
    EmbeddedPeer mallory =
        peer(
            "mallory",
            mallorysKey,
            settings ->
                joining(bootstrap)
                    .apply(
                        settings.withDht(
                            settings
                                .dht()
                                .withNamespaces(
                                    settings
                                        .dht()
                                        .namespaces()
                                        .with(PresenceNamespace.NAME, Namespace.open())))));
    for (EmbeddedPeer each : List.of(alice, bob, mallory)) {
      awaitTable(each, 1);
    }
    Presence.AnnounceReply announced = await(alice.announcePresence(identity, "a-1", "Alice"));
    assertInstanceOf(Presence.Announced.class, announced, announced::toString);

    Bytes forged =
        new PresenceRecord(
                identity,
                mallory.id(),
                troupe.now(),
                Duration.ofMinutes(5),
                "",
                "not Alice",
                mallory.addresses())
            .seal(troupe.crypto(), mallorysKey);
    Dht.PutValueReply put =
        await(mallory.putValue(PresenceRecord.keyOf(alice.id(), identity), forged));
    assertEquals(
        Dht.Reason.REJECTED,
        assertInstanceOf(Dht.OperationFailed.class, put, put::toString).reason());
    assertInstanceOf(
        Dht.Provided.class,
        await(mallory.provide(PresenceRecord.placeOf(troupe.crypto(), identity))));

    Presence.Found found =
        assertInstanceOf(Presence.Found.class, await(bob.findPresence(identity)));
    List<PeerId> present = found.present().stream().map(PresenceRecord::peer).toList();
    assertEquals(List.of(alice.id()), present, found::toString);
    assertEquals("Alice", found.present().get(0).agentName());
    List<PeerId> refused = found.refused().stream().map(Presence.Refused::peer).toList();
    assertEquals(List.of(mallory.id()), refused, found::toString);

    assertTrue(await(alice.withdrawPresence(identity)).wasAnnounced());
    assertEquals(List.of(), await(alice.presence()).presences());
  }
}
