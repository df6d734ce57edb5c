package dev.troupe.runtime.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.health.BootstrapHealth;
import dev.troupe.actors.health.Health;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.runtime.foreign.JsonPeerProcess;
import dev.troupe.runtime.foreign.PeerKind;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Bootstrap peers that are silent, come and go, over TCP. */
@Timeout(120)
class BootstrapTest {

  private final Troupe troupe = Troupe.start();
  private final List<AutoCloseable> sockets = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    troupe.close();
    for (AutoCloseable socket : sockets) {
      socket.close();
    }
  }

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static Multiaddr address(int port) throws Exception {
    return Multiaddr.parse("/ip4/127.0.0.1/tcp/" + port);
  }

  /** A port at which nobody ever answers: connections are taken in, and nothing is said. */
  private int blockedPort() throws Exception {
    ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    sockets.add(server);
    return server.getLocalPort();
  }

  private EmbeddedPeer peer(String name, PrivateKey identity, Multiaddr listen, String... joins)
      throws Exception {
    PeerSettings settings = PeerSettings.of(identity, List.of(listen));
    List<Multiaddr> primaries = new ArrayList<>();
    for (String each : joins) {
      primaries.add(Multiaddr.parse(each));
    }
    return make(name, settings.withDht(settings.dht().withBootstrapPeers(primaries)));
  }

  private EmbeddedPeer make(String name, PeerSettings settings) throws Exception {
    return troupe.embed(
        assertInstanceOf(PeerManager.Created.class, await(troupe.createPeer(name, settings))));
  }

  private static <E> E next(LinkedBlockingQueue<E> events, Predicate<E> wanted, Duration limit)
      throws Exception {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      E event = events.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      assertTrue(event != null, "nothing of the kind within " + limit);
      if (wanted.test(event)) {
        return event;
      }
    }
  }

  private static Predicate<Health.Event> state(HealthReport.State state) {
    return event -> event instanceof Health.Changed changed && changed.report().state() == state;
  }

  @Test
  void aBlockedPortFailsWithinTenSecondsAndTheUserIsOfferedWhatToDo() throws Exception {
    Multiaddr blocked = address(blockedPort()).withPeer(troupe.newIdentity().peerId());
    EmbeddedPeer backup = peer("backup", troupe.newIdentity(), address(0));
    LinkedBlockingQueue<Health.Event> events = new LinkedBlockingQueue<>();
    EmbeddedPeer alice = peer("alice", troupe.newIdentity(), address(0), blocked.toString());
    alice.onHealth(events::add);
    Health.BootstrapFailed failed =
        (Health.BootstrapFailed)
            next(events, Health.BootstrapFailed.class::isInstance, Duration.ofSeconds(11));
    assertEquals(blocked, failed.address());
    assertEquals(List.of(Health.Offer.RETRY, Health.Offer.USE_BACKUP), failed.offers());
    assertInstanceOf(BootstrapPool.Trying.class, await(alice.retry()));
    assertInstanceOf(BootstrapPool.Declined.class, await(alice.useBackup(null)));
    assertInstanceOf(BootstrapPool.Trying.class, await(alice.useBackup(backup.addresses().get(0))));
    LinkedBlockingQueue<Dht.StateChanged> states = new LinkedBlockingQueue<>();
    alice.onDht(states::add);
    next(states, each -> each.state() == Dht.State.READY, Duration.ofSeconds(10));
    BootstrapHealth used = await(alice.health()).bootstraps().get(1);
    assertTrue(used.reachable(), used::toString);
  }

  @Test
  void withThePrimaryDownAndTheSecondaryUpItIsReadyWithinTwentySeconds() throws Exception {
    EmbeddedPeer backup = peer("backup", troupe.newIdentity(), address(0));
    Multiaddr silent = address(blockedPort()).withPeer(troupe.newIdentity().peerId());
    PeerSettings settings = PeerSettings.of(troupe.newIdentity(), List.of(address(0)));
    LinkedBlockingQueue<Dht.StateChanged> states = new LinkedBlockingQueue<>();
    EmbeddedPeer alice =
        make(
            "alice",
            settings
                .withDht(settings.dht().withBootstrapPeers(List.of(silent)))
                .withBootstrap(
                    settings.bootstrap().withBackups(List.of(backup.addresses().get(0)))));
    alice.onDht(states::add);
    next(states, each -> each.state() == Dht.State.READY, Duration.ofSeconds(20));
    assertEquals(HealthReport.State.DEGRADED, await(alice.health()).state());
    Health.Verified verified =
        assertInstanceOf(Health.Verified.class, await(alice.verify(backup.id())));
    assertEquals(Health.Verdict.VERIFIED, verified.verdict(), verified::toString);
  }

  @Test
  void aBootstrapPeerThatGoesIsMissedAndConnectedAgainWhenItReturns() throws Exception {
    PrivateKey identity = troupe.newIdentity();
    EmbeddedPeer bootstrap = peer("bootstrap", identity, address(0));
    Multiaddr at = bootstrap.addresses().get(0);
    LinkedBlockingQueue<Health.Event> events = new LinkedBlockingQueue<>();
    EmbeddedPeer alice = peer("alice", troupe.newIdentity(), address(0), at.toString());
    alice.onHealth(events::add);
    next(events, state(HealthReport.State.HEALTHY), Duration.ofSeconds(20));
    await(bootstrap.stop());
    next(events, state(HealthReport.State.DOWN), Duration.ofSeconds(30));
    peer("again", identity, at.withoutPeer());
    next(events, state(HealthReport.State.HEALTHY), Duration.ofSeconds(30));
  }

  @Test
  void aBootstrapProcessThatIsKilledIsMissedWithinThirtySecondsAndConnectedAgainWhenItReturns(
      @TempDir Path directory) throws Exception {
    String key = directory.resolve("key").toString();
    JsonPeerProcess bootstrap = process("bootstrap", "--role", "bootstrap", "--key", key);
    LinkedBlockingQueue<Health.Event> events = new LinkedBlockingQueue<>();
    EmbeddedPeer alice = peer("alice", troupe.newIdentity(), address(0), bootstrap.address());
    alice.onHealth(events::add);
    next(events, state(HealthReport.State.HEALTHY), Duration.ofSeconds(20));
    bootstrap.kill();
    next(events, state(HealthReport.State.DOWN), Duration.ofSeconds(30));
    String at = Multiaddr.parse(bootstrap.address()).withoutPeer().toString();
    process("again", "--role", "bootstrap", "--key", key, "--listen", at);
    next(events, state(HealthReport.State.HEALTHY), Duration.ofSeconds(30));
  }

  private JsonPeerProcess process(String name, String... arguments) {
    JsonPeerProcess process = PeerKind.TROUPE.start(name, arguments);
    sockets.add(process);
    return process;
  }

  @Test
  void aBackupThatTheUserAddedIsUsedAgainAfterARestartFromTheDisk(@TempDir Path data)
      throws Exception {
    EmbeddedPeer other = peer("other", troupe.newIdentity(), address(0));
    int closed = blockedPort();
    sockets.remove(0).close();
    Multiaddr dead = address(closed).withPeer(troupe.newIdentity().peerId());
    PeerSettings settings =
        PeerSettings.of(troupe.newIdentity(), List.of(address(0)))
            .withStore(StoreSettings.DEFAULT.withDirectory(data.toString()));
    settings = settings.withDht(settings.dht().withBootstrapPeers(List.of(dead)));
    EmbeddedPeer alice = make("alice", settings);
    LinkedBlockingQueue<Dht.StateChanged> states = new LinkedBlockingQueue<>();
    alice.onDht(states::add);
    assertInstanceOf(BootstrapPool.Trying.class, await(alice.useBackup(other.addresses().get(0))));
    next(states, each -> each.state() == Dht.State.READY, Duration.ofSeconds(20));
    await(alice.stop());
    alice = make("alice", settings);
    Multiaddr added = other.addresses().get(0);
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    List<BootstrapHealth> seen;
    do {
      seen = await(alice.health()).bootstraps();
      assertTrue(System.nanoTime() < end, seen::toString);
    } while (seen.stream()
        .noneMatch(each -> each.reachable() && each.bootstrap().address().equals(added)));
  }
}
