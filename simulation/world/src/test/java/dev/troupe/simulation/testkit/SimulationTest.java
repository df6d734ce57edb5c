package dev.troupe.simulation.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulationFailure;
import dev.troupe.simulation.scenario.Fidelity;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;

/** Machines, services, waiting and faults. */
class SimulationTest {

  private static final Duration MINUTE = Duration.ofMinutes(1);

  /** Counts what it hears, and answers how much that was; silent when it is asked for 0. */
  private static Behavior<ActorRef<Integer>> counter() {
    return Behaviors.setup(
        context -> {
          int[] count = {0};
          return Behaviors.receiveMessage(
              replyTo -> {
                replyTo.tell(++count[0]);
                return Behaviors.same();
              });
        });
  }

  private static long connections(Service<Peer.Command> peer) {
    Connections.ConnectedPeers connected = peer.ask(Peer::getConnected);
    return connected.peers().size();
  }

  @Simulated(seeds = "1..3")
  void completePeersFindOneAnotherAndFormAMesh(Simulation sim) {
    meshOfThree(sim);
  }

  @Simulated(seed = 4, fidelity = Fidelity.WIRE, order = Order.FIFO)
  void theyDoSoOverEveryByteOfTheWire(Simulation sim) {
    assertEquals(Fidelity.WIRE, sim.fidelity());
    meshOfThree(sim);
  }

  private static void meshOfThree(Simulation sim) {
    Machine hub = sim.machine("hub");
    Service<Peer.Command> a = hub.startPeer();
    Service<Peer.Command> b = sim.machine("b").startPeer(hub);
    Service<Peer.Command> c = sim.machine("c").startPeer(hub);
    for (Service<Peer.Command> each : List.of(a, b, c)) {
      Gossip.SubscribeReply reply =
          each.ask(to -> Peer.subscribe("room", sim.<Gossip.TopicEvent>probe().ref(), to));
      assertEquals(new Gossip.Subscribed("room"), reply);
    }
    sim.awaitDhtReady(b.ref());
    sim.awaitTable(a.ref(), 2);
    sim.awaitMesh("room", a.ref(), b.ref(), c.ref());
    assertTrue(sim.now().compareTo(MINUTE) < 0, sim.now().toString());
  }

  @Simulated
  void aPartitionIsNoticedAndItsRepairToo(Simulation sim) {
    Machine hub = sim.machine("hub");
    Machine other = sim.machine("other");
    Service<Peer.Command> one = hub.startPeer();
    Service<Peer.Command> two = other.startPeer(hub);
    sim.awaitDhtReady(two.ref());
    assertEquals(1, connections(one));
    sim.partition(hub, other);
    sim.awaitThat(() -> connections(one) == 0 && connections(two) == 0, MINUTE);
    sim.repair();
    sim.awaitThat(() -> connections(one) == 1 && connections(two) == 1, Duration.ofMinutes(15));
  }

  @Simulated
  void whatIsHeldArrivesWhenItIsReleased(Simulation sim) {
    Machine here = sim.machine("here");
    Machine there = sim.machine("there");
    Service<Peer.Command> one = here.startPeer();
    there.startPeer();
    sim.latency(here, there, Duration.ofMillis(40));
    Connections.ConnectReply connected = one.ask(to -> Peer.connectTo(there.address(), to));
    assertFalse(connected instanceof Connections.ConnectFailed, connected.toString());
    sim.hold(there, here);
    Probe<Peer.PingReply> pinged = sim.probe();
    one.tell(Peer.ping(there.id(), 1, MINUTE, pinged.ref()));
    pinged.expectNone(Duration.ofSeconds(5));
    sim.release(there, here);
    pinged.expect(Peer.Pinged.class, Duration.ofSeconds(1));
  }

  @Simulated
  void aCutInOneDirectionStopsThatDirection(Simulation sim) {
    Machine here = sim.machine("here");
    Machine there = sim.machine("there");
    Service<Peer.Command> one = here.startPeer();
    there.startPeer();
    sim.partitionOneWay(there, here);
    Connections.ConnectReply reply = one.ask(to -> Peer.connectTo(there.address(), to));
    assertTrue(reply instanceof Connections.ConnectFailed, reply.toString());
  }

  @Simulated
  void whatRunsOnAMachineEndsWithItsPowerAndStartsAnewWithIt(Simulation sim) {
    Machine machine = sim.machine("here");
    Service<ActorRef<Integer>> service = machine.start("counter", SimulationTest::counter);
    assertEquals(1, service.<Integer>ask(to -> to));
    assertEquals(2, service.<Integer>ask(to -> to));
    ActorRef<ActorRef<Integer>> before = service.ref();

    sim.crash(machine);
    assertFalse(machine.isUp());
    assertThrows(IllegalStateException.class, service::ref);
    assertThrows(IllegalStateException.class, () -> sim.crash(machine));
    assertThrows(IllegalStateException.class, machine::startPeer);
    sim.restart(machine);
    assertThrows(IllegalStateException.class, () -> sim.restart(machine));
    assertTrue(sim.system().hasStopped(before));
    assertEquals(1, service.<Integer>ask(to -> to));
    sim.bounce(machine);
    assertEquals(1, service.<Integer>ask(to -> to));
  }

  @Simulated(fidelity = Fidelity.WIRE)
  void aPeerComesBackWithItsMachineOverTheWire(Simulation sim) {
    comeBack(sim);
  }

  @Simulated
  void aPeerComesBackWithItsMachine(Simulation sim) {
    comeBack(sim);
  }

  private static void comeBack(Simulation sim) {
    Machine hub = sim.machine("hub");
    Machine other = sim.machine("other");
    Service<Peer.Command> one = hub.startPeer();
    Service<Peer.Command> two = other.startPeer(hub);
    sim.awaitDhtReady(two.ref());
    sim.bounce(other);
    sim.awaitDhtReady(two.ref());
    Peer.Info info = two.ask(Peer::getInfo);
    assertEquals(other.id(), info.peer());
    assertEquals(1, connections(two));
    sim.isolate(hub);
    sim.awaitThat(() -> connections(one) == 0, MINUTE);
  }

  @Simulated
  void aNamedChildCrashesAndItsSupervisorActs(Simulation sim) {
    Machine machine = sim.machine("here");
    Service<PeerManager.Command> peers =
        machine.start("peers", () -> PeerManager.create(machine.world()));
    PeerManager.CreateReply reply =
        peers.ask(to -> new PeerManager.Create("alice", machine.settings(), to));
    PeerManager.Created created = (PeerManager.Created) reply;
    sim.awaitDhtReady(created.peer());
    peers.crash("peer-0/dht");
    assertTrue(
        sim.system().children(created.peer()).keySet().stream()
            .anyMatch(each -> each.endsWith("/dht")));
    sim.awaitDhtReady(created.peer());

    // Nobody restarts a peer as a whole: its manager forgets it.
    peers.crash("peer-0");
    PeerManager.FindReply found = peers.ask(to -> new PeerManager.Find("alice", to));
    assertEquals(new PeerManager.FindReply("alice", null), found);
    assertThrows(IllegalArgumentException.class, () -> peers.crash("peer-0/dht"));
  }

  @Simulated
  void whatIsAwaitedInVainIsSaidWithTheSeed(Simulation sim) {
    ActorRef<ActorRef<Integer>> counter = sim.spawn(counter(), "counter");
    ActorRef<ActorRef<Integer>> mute = sim.spawn(Behaviors.ignore(), "mute");
    Duration second = Duration.ofSeconds(1);
    assertSaid(
        "mute did not answer within PT1S",
        () -> sim.<ActorRef<Integer>, Integer>ask(mute, to -> to, second));
    assertSaid(
        "counter still answers 21 after PT1S",
        () -> sim.<ActorRef<Integer>, Integer>askUntil(counter, to -> to, n -> n > 200, second));
    assertSaid(
        "what was awaited did not come within PT1S", () -> sim.await(Optional::empty, second));
    assertSaid("the condition did not hold within PT1S", () -> sim.awaitThat(() -> false, second));
    Service<Peer.Command> alone = sim.machine("alone").startPeer();
    assertSaid("still answers Table", () -> sim.awaitTable(alone.ref(), 1, second));
    assertSaid(
        "1 peers did not form one mesh of 'room'",
        () -> sim.awaitMesh("room", List.of(alone.ref()), second));
    assertEquals(Duration.ofSeconds(6), sim.now());
  }

  private static void assertSaid(String message, Runnable awaiting) {
    AssertionError error = assertThrows(AssertionError.class, awaiting::run);
    assertTrue(error.getMessage().contains(message), error.getMessage());
    assertTrue(error.getMessage().contains("seed=0 order=RANDOM"), error.getMessage());
  }

  @Simulated
  void awaitingEndsAsSoonAsItMay(Simulation sim) {
    assertEquals(7, sim.await(() -> Optional.of(7), Duration.ZERO));
    sim.awaitThat(() -> sim.now().toMillis() >= 95, MINUTE);
    assertEquals(Duration.ofMillis(100), sim.now());
  }

  @Test
  void aPeerThatCannotListenFailsTheRun() throws MalformedException {
    Simulation sim = Simulation.create(1, Order.FIFO, Fidelity.HOST);
    Machine machine = sim.machine("here");
    machine.startPeer(
        PeerSettings.of(machine.identity(), List.of(Multiaddr.parse("/ip4/192.0.2.7/tcp/1"))));
    SimulationFailure failure = assertThrows(SimulationFailure.class, sim::runUntilIdle);
    assertTrue(failure.getMessage().contains("the peer on here cannot listen"));
    sim.close();
  }

  @Test
  void theSameSeedGivesTheSameTrace() {
    assertEquals(trace(5), trace(5));
    assertNotEquals(trace(5), trace(6));
  }

  private static long trace(long seed) {
    try (Simulation sim = Simulation.create(seed, Order.RANDOM, Fidelity.HOST)) {
      meshOfThree(sim);
      return sim.traceHash();
    }
  }
}
