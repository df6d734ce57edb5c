package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.testkit.Machine;
import dev.troupe.simulation.testkit.Service;
import dev.troupe.simulation.testkit.Simulation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Complete peers that end, in order or not, and start again with what they have kept. */
class PeerStoreTest {

  private static final StoreSettings STORE = StoreSettings.DEFAULT.withDirectory("data");

  private static Service<Peer.Command> start(Machine machine, Machine... bootstrap) {
    return machine.startPeer(machine.settings(bootstrap).withStore(STORE));
  }

  @Test
  void whatWasAcknowledgedSurvivesTheFailureOfAllMachinesAtOnce() {
    for (long seed = 0; seed < 20; seed++) {
      try (Simulation simulation = Simulation.create(seed, Order.RANDOM, Fidelity.HOST)) {
        Machine a = simulation.machine("a");
        Machine b = simulation.machine("b");
        Machine c = simulation.machine("c");
        List<Service<Peer.Command>> peers = List.of(start(a), start(b, a), start(c, a));
        peers.forEach(peer -> simulation.awaitTable(peer.ref(), 2));
        RandomGenerator random = simulation.random("test");
        Map<Bytes, Bytes> acknowledged = new LinkedHashMap<>();
        List<Probe<Dht.PutValueReply>> open = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
          Bytes key = Bytes.utf8("/test/" + i);
          Probe<Dht.PutValueReply> reply = simulation.probe();
          peers.get(random.nextInt(3)).tell(Peer.putValue(key, Bytes.utf8("v" + i), reply.ref()));
          open.add(reply);
          simulation.advance(Duration.ofMillis(random.nextInt(30)));
        }
        simulation.advance(Duration.ofMillis(random.nextInt(300)));
        for (int i = 0; i < open.size(); i++) {
          while (!open.get(i).pending().isEmpty()) {
            assertInstanceOf(Dht.ValuePut.class, open.get(i).next());
            acknowledged.put(Bytes.utf8("/test/" + i), Bytes.utf8("v" + i));
          }
        }
        for (Machine machine : List.of(a, b, c)) {
          simulation.crash(machine);
        }
        simulation.advance(Duration.ofMinutes(1));
        for (Machine machine : List.of(a, b, c)) {
          simulation.restart(machine);
        }
        peers.forEach(peer -> simulation.awaitTable(peer.ref(), 2));
        assertTrue(!acknowledged.isEmpty(), "seed " + seed);
        acknowledged.forEach(
            (key, expected) -> {
              Dht.GetValueReply got =
                  peers.get(0).<Dht.GetValueReply>ask(to -> Peer.getValue(key, to));
              Dht.ValueGot value = assertInstanceOf(Dht.ValueGot.class, got, simulation.replay());
              assertEquals(expected, value.value(), simulation.replay());
            });
      }
    }
  }

  @Test
  void aPeerFindsItsNetworkAgainThoughItsBootstrapPeerIsGone() {
    try (Simulation simulation = Simulation.create(1, Order.RANDOM, Fidelity.HOST)) {
      Machine a = simulation.machine("a");
      Machine b = simulation.machine("b");
      Machine c = simulation.machine("c");
      start(a);
      start(b, a);
      Service<Peer.Command> peer = start(c, a);
      simulation.awaitTable(peer.ref(), 2);
      simulation.advance(Duration.ofMinutes(2));
      simulation.crash(a);
      simulation.crash(c);
      simulation.advance(Duration.ofHours(12));
      simulation.restart(c);
      simulation.awaitTable(peer.ref(), 1, Duration.ofSeconds(5));
      Dht.Table table = peer.<Dht.Table>ask(Peer::getDhtTable);
      assertEquals(List.of(b.id()), table.peers());
    }
  }

  @Test
  void aBackupThatTheUserAddedIsThereAfterACrashOnceThatWasSynced() {
    Set<Boolean> kept = new TreeSet<>();
    for (long seed = 0; seed < 20; seed++) {
      try (Simulation simulation = Simulation.create(seed, Order.RANDOM, Fidelity.HOST)) {
        Machine gone = simulation.machine("gone");
        Machine a = simulation.machine("a");
        Machine b = simulation.machine("b");
        start(a);
        Service<Peer.Command> peer = start(b, gone);
        Probe<ConnectionsEvent> events = simulation.probe();
        Probe<Connections.SubscribeReply> subscribed = simulation.probe();
        peer.tell(Peer.subscribeConnections(events.ref(), subscribed.ref()));
        Probe<BootstrapPool.OfferReply> offered = simulation.probe();
        peer.tell(Peer.useBackup(a.address(), offered.ref()));
        while (events.received().isEmpty()) {
          simulation.advance(Duration.ofMillis(1));
        }
        // The slowest sync takes 12 ms.
        int millis = simulation.random("test").nextInt(20);
        simulation.advance(Duration.ofMillis(millis));
        simulation.crash(b);
        simulation.advance(Duration.ofMinutes(1));
        simulation.restart(b);
        simulation.advance(Duration.ofSeconds(30));
        boolean named =
            peer.<HealthReport>ask(Peer::getHealth).bootstraps().stream()
                .anyMatch(each -> each.bootstrap().address().equals(a.address()));
        assertTrue(named || millis <= 12, simulation.replay());
        int reached = peer.<Dht.Table>ask(Peer::getDhtTable).peers().size();
        assertEquals(named ? 1 : 0, reached, simulation.replay());
        kept.add(named);
      }
    }
    assertEquals(Set.of(true, false), kept);
  }

  @Test
  void aFullDiskIsSaidAndThePeerGoesOn() {
    try (Simulation simulation = Simulation.create(1, Order.RANDOM, Fidelity.HOST)) {
      Machine a = simulation.machine("a");
      Machine b = simulation.machine("b");
      Service<Peer.Command> one = start(a);
      Service<Peer.Command> other = start(b, a);
      simulation.awaitTable(one.ref(), 1);
      simulation.awaitTable(other.ref(), 1);
      Bytes key = Bytes.utf8("/test/k");
      SimulatedNetwork network = simulation.network();
      network.failDisk(network.machine("b"), StoreFailure.Kind.FULL);
      Dht.PutValueReply put =
          other.<Dht.PutValueReply>ask(to -> Peer.putValue(key, Bytes.utf8("v"), to));
      assertEquals(Dht.Reason.NOT_KEPT, assertInstanceOf(Dht.OperationFailed.class, put).reason());
      Dht.GetValueReply got = one.<Dht.GetValueReply>ask(to -> Peer.getValue(key, to));
      assertEquals(Bytes.utf8("v"), assertInstanceOf(Dht.ValueGot.class, got).value());
      network.calm();
      put = other.<Dht.PutValueReply>ask(to -> Peer.putValue(key, Bytes.utf8("w"), to));
      assertInstanceOf(Dht.ValuePut.class, put);
    }
  }

  @Test
  void aDamagedStoreIsSaidByWhoeverMakesThePeer() {
    try (Simulation simulation = Simulation.create(1, Order.RANDOM, Fidelity.HOST)) {
      Machine a = simulation.machine("a");
      Service<PeerManager.Command> manager =
          a.start("manager", () -> PeerManager.create(a.world()));
      Probe<PeerManager.CreateReply> created = simulation.probe();
      PeerManager.Create create =
          new PeerManager.Create("one", a.settings().withStore(STORE), created.ref());
      manager.tell(create);
      simulation.advance(Duration.ofSeconds(1));
      created.expect(PeerManager.Created.class);
      Probe<PeerManager.StopReply> stopped = simulation.probe();
      manager.tell(new PeerManager.StopPeer("one", stopped.ref()));
      simulation.advance(Duration.ofSeconds(1));
      assertTrue(stopped.next().wasRunning());
      simulation.network().damageDisk(simulation.network().machine("a"));
      manager.tell(create);
      simulation.advance(Duration.ofSeconds(1));
      PeerManager.CreateRefused refused = created.expect(PeerManager.CreateRefused.class);
      assertEquals(PeerManager.Refusal.STORE_FAILED, refused.refusal());
      assertTrue(refused.message().contains("damaged"), refused.message());
    }
  }
}
