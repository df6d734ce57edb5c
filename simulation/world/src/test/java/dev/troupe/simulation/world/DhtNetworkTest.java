package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.addressbook.AddressBookSettings;
import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.bootstrap.BootstrapSettings;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsSettings;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.dht.Readiness;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/**
 * Real DHTs with real connections and address books, meeting one another through one bootstrap
 * peer.
 */
final class DhtNetworkTest {

  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Multihash TOPIC =
      Multihash.sha256(new PortableCrypto(), Bytes.utf8("topic"));

  /** One peer without gossip: what the Peer actor would put together. */
  private record Member(SimulatedWorld machine, Host host, ActorRef<Dht.Command> dht) {}

  private final List<Member> members = new ArrayList<>();

  @Test
  void twentyPeersFindOneAnotherThroughOne() {
    try (SimulatedSystem system = SimulatedSystem.create(1, Order.RANDOM)) {
      SimulatedNetwork network = network(system, 20, machine -> machine, DhtMode.AUTO);
      everyOperationWorks(system);
      for (Member member : members) {
        assertTrue(state(system, member).peers() >= 5, "everyone knows a few others");
      }
      // The one through whom they met is not needed any more.
      network.crash(members.get(0).machine());
      system.stop(members.get(0).dht());
      system.advance(Duration.ofMinutes(1));
      everyOperationWorks(system);
    }
  }

  @Test
  void tenThousandKeysCostFewLookupsAndEachIsFound() {
    try (SimulatedSystem system = SimulatedSystem.create(7, Order.FIFO)) {
      SimulatedNetwork network = network(system, 80, machine -> machine, DhtMode.AUTO);
      Member one = members.get(40);
      List<Multihash> keys = new ArrayList<>();
      for (int i = 0; i < 10_000; i++) {
        keys.add(Multihash.sha256(new PortableCrypto(), Bytes.utf8("key " + i)));
      }
      long before = walks(network);
      Probe<Dht.StartProvidingReply> reply = system.probe();
      one.dht().tell(new Dht.StartProviding(keys, reply.ref()));
      assertEquals(new Dht.ProvidingStarted(10_000, 0), reply.next());
      system.advance(Duration.ofMinutes(2));
      long walked = walks(network) - before;
      assertTrue(walked > 0 && walked <= 24, "lookups: " + walked);
      Member other = members.get(11);
      for (int from = 0; from < keys.size(); from += 50) {
        Probe<Dht.FindProvidersReply> found = system.probe();
        List<Multihash> some = keys.subList(from, from + 50);
        some.forEach(key -> other.dht().tell(new Dht.FindProviders(key, 1, WAIT, found.ref())));
        for (int i = 0; i < some.size(); i++) {
          Dht.ProvidersFound providers =
              found.expect(Dht.ProvidersFound.class, Duration.ofSeconds(20));
          assertEquals(one.host().peerId(), providers.providers().get(0).peer());
        }
      }
    }
  }

  @Test
  void clientsFindOneAnotherThroughServers() {
    try (SimulatedSystem system = SimulatedSystem.create(2, Order.RANDOM)) {
      network(system, 12, machine -> machine, DhtMode.CLIENT);
      everyOperationWorks(system);
    }
  }

  @Test
  void onTheWireItIsTheSame() {
    try (SimulatedSystem system = SimulatedSystem.create(3, Order.RANDOM)) {
      network(system, 5, SimulatedWorld::overLinks, DhtMode.AUTO);
      everyOperationWorks(system);
    }
  }

  @Test
  void oneSeedGivesOneTrace() {
    long first = trace(5);
    assertEquals(first, trace(5));
    assertNotEquals(first, trace(6));
  }

  @Test
  void aPeerThatLosesTheNetworkIsStarvedAndRecovers() {
    try (SimulatedSystem system = SimulatedSystem.create(4, Order.RANDOM)) {
      SimulatedNetwork network = network(system, 6, machine -> machine, DhtMode.AUTO);
      Member lonely = members.get(5);
      network.isolate(lonely.machine());
      system.advance(Duration.ofMinutes(2));
      // Whoever asks finds out that nobody answers.
      Probe<Dht.GetValueReply> lost = system.probe();
      lonely.dht().tell(new Dht.GetValue(Bytes.utf8("/test/x"), WAIT, lost.ref()));
      lost.expect(Dht.OperationFailed.class, Duration.ofSeconds(40));
      // It is certain only when dials and streams have had all their time.
      system.advance(SECOND.multipliedBy(12));
      assertEquals(Dht.State.STARVED, state(system, lonely).state());
      Probe<Dht.ProvideReply> waiting = system.probe();
      lonely.dht().tell(new Dht.Provide(TOPIC, WAIT, waiting.ref()));
      network.repair();
      system.advance(Duration.ofMinutes(2));
      waiting.next();
      assertEquals(Dht.State.READY, state(system, lonely).state());
      Probe<Dht.ProvideReply> works = system.probe();
      lonely.dht().tell(new Dht.Provide(TOPIC, WAIT, works.ref()));
      works.expect(Dht.Provided.class, Duration.ofSeconds(20));
    }
  }

  private static final Readiness WAIT = Readiness.UNTIL_GATE_OPENS;

  private long trace(long seed) {
    members.clear();
    try (SimulatedSystem system = SimulatedSystem.create(seed, Order.RANDOM)) {
      network(system, 10, machine -> machine, DhtMode.AUTO);
      everyOperationWorks(system);
      return system.traceHash();
    }
  }

  private void everyOperationWorks(SimulatedSystem system) {
    int last = members.size() - 1;
    Member one = members.get(last);
    Member other = members.get(last / 2);

    Probe<Dht.ProvideReply> provided = system.probe();
    one.dht().tell(new Dht.Provide(TOPIC, WAIT, provided.ref()));
    provided.expect(Dht.Provided.class, Duration.ofSeconds(20));
    Probe<Dht.FindProvidersReply> found = system.probe();
    other.dht().tell(new Dht.FindProviders(TOPIC, 10, WAIT, found.ref()));
    Dht.ProvidersFound providers = found.expect(Dht.ProvidersFound.class, Duration.ofSeconds(20));
    assertEquals(
        List.of(new Dht.PeerWithAddresses(one.host().peerId(), one.host().listenAddresses())),
        providers.providers());

    Bytes key = Bytes.utf8("/test/" + one.host().peerId());
    Probe<Dht.PutValueReply> put = system.probe();
    one.dht().tell(new Dht.PutValue(key, Bytes.utf8("here"), WAIT, put.ref()));
    put.expect(Dht.ValuePut.class, Duration.ofSeconds(20));
    Probe<Dht.GetValueReply> got = system.probe();
    other.dht().tell(new Dht.GetValue(key, WAIT, got.ref()));
    assertEquals(
        Bytes.utf8("here"), got.expect(Dht.ValueGot.class, Duration.ofSeconds(20)).value());

    Probe<Dht.FindPeerReply> peer = system.probe();
    other.dht().tell(new Dht.FindPeer(one.host().peerId(), WAIT, peer.ref()));
    assertEquals(
        one.host().listenAddresses(),
        peer.expect(Dht.PeerFound.class, Duration.ofSeconds(20)).peer().addresses());
  }

  private static long walks(SimulatedNetwork network) {
    return network.walks().byHops().stream().mapToLong(Walks.OfLength::walks).sum();
  }

  private static Dht.StateChanged state(SimulatedSystem system, Member member) {
    Probe<Dht.StateChanged> probe = system.probe();
    member.dht().tell(new Dht.GetState(probe.ref()));
    return probe.next();
  }

  /**
   * The first is the bootstrap peer of all others; in client mode, every third serves all the same.
   */
  private SimulatedNetwork network(
      SimulatedSystem system, int size, Function<SimulatedWorld, World> worlds, DhtMode mode) {
    SimulatedNetwork network = new SimulatedNetwork(system);
    List<Multiaddr> bootstrap = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      SimulatedWorld machine = network.machine("machine-" + i);
      World world = worlds.apply(machine);
      Host host =
          world.createHost(
              PrivateKey.generate(world.crypto(), world.keyMaterial()), HostSettings.DEFAULT);
      ActorRef<AddressBook.Command> book =
          system.spawn(
              AddressBook.create(AddressBookSettings.DEFAULT, world.ticker()), "book-" + i);
      ActorRef<Connections.Command> connections =
          system.spawn(
              Connections.create(ConnectionsSettings.DEFAULT, world.ticker(), host, book),
              "connections-" + i);
      host.start(event -> connections.tell(new Connections.HostHeard(event)));
      host.listen(machine.address(4001), nothing());
      DhtSettings settings =
          DhtSettings.DEFAULT
              .withBootstrapPeers(bootstrap)
              .withMode(i % 3 == 0 ? DhtMode.SERVER : mode);
      ActorRef<BootstrapPool.Command> pool =
          bootstrap.isEmpty()
              ? null
              : system.spawn(
                  BootstrapPool.create(
                      BootstrapSettings.DEFAULT,
                      bootstrap,
                      host.peerId(),
                      world,
                      Store.NONE,
                      connections),
                  "bootstrap-" + i);
      ActorRef<Dht.Command> dht =
          system.spawn(Dht.create(settings, world, host, connections, book, pool), "dht-" + i);
      members.add(new Member(machine, host, dht));
      if (i == 0) {
        system.runUntilIdle();
        bootstrap.add(machine.address(4001).withPeer(host.peerId()));
      }
    }
    system.advance(Duration.ofSeconds(30));
    for (Member member : members) {
      assertEquals(Dht.State.READY, state(system, member).state());
    }
    return network;
  }

  private static <T> Completion<T> nothing() {
    return new Completion<>() {
      @Override
      public void succeeded(T value) {}

      @Override
      public void failed(HostFailure failure) {
        throw new AssertionError(failure);
      }
    };
  }
}
