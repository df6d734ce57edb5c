package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The verbs of the network, at both fidelities. */
class NetworkFaultsTest {

  private static final Duration PING = Duration.ofSeconds(5);

  private final SimulatedSystem system = SimulatedSystem.create();
  private final SimulatedNetwork network = new SimulatedNetwork(system);

  @AfterEach
  void close() {
    system.close();
  }

  private Cluster cluster(Fidelity fidelity) {
    return new Cluster(system, network, fidelity);
  }

  private Node start(Cluster cluster, String name) {
    return cluster.start(name, UnaryOperator.identity());
  }

  private static Operation ping(Cluster cluster, Node from, Node to) {
    return cluster.<Peer.PingReply>ask(
        from, "ping", PING, replyTo -> Peer.ping(to.id(), 1, PING, replyTo));
  }

  private void connect(Cluster cluster, Node from, Node to) {
    Operation connected = cluster.connect(from, to);
    system.advance(Duration.ofSeconds(2));
    assertTrue(connected.reply() instanceof Connections.Connected, () -> "" + connected.reply());
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void aPeerThatStartsAnewDrawsOtherNumbersThanBefore(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    system.advance(Duration.ofSeconds(1));
    long before = alice.machine().random(alice.id(), "test").nextLong();
    cluster.crash(alice);
    cluster.restart(alice);
    system.advance(Duration.ofSeconds(1));
    assertNotEquals(before, alice.machine().random(alice.id(), "test").nextLong());
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void whatIsHeldArrivesWhenItIsReleased(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    connect(cluster, alice, bob);
    cluster.hold(bob, alice);
    Operation ping = ping(cluster, alice, bob);
    system.advance(Duration.ofSeconds(3));
    assertEquals(0, ping.answers());
    cluster.release(bob, alice);
    system.advance(Duration.ofSeconds(1));
    assertTrue(ping.reply() instanceof Peer.Pinged, () -> "" + ping.reply());
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void aPartitionInOneDirectionIsEnoughToLoseAConnection(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    connect(cluster, alice, bob);
    cluster.partitionOneWay(List.of(alice), List.of(bob));
    Operation ping = ping(cluster, bob, alice);
    system.advance(Duration.ofSeconds(6));
    assertTrue(ping.reply() instanceof Peer.ErrandFailed, () -> "" + ping.reply());
    system.advance(Duration.ofMinutes(3));
    assertEquals(
        List.of(),
        cluster.<Connections.ConnectedPeers>survey(Peer::getConnected).get(alice).peers());
    cluster.repair();
    connect(cluster, bob, alice);
  }

  private long pingNanos(Cluster cluster, Node from, Node to) {
    Operation ping = ping(cluster, from, to);
    system.advance(PING);
    assertTrue(ping.reply() instanceof Peer.Pinged, () -> "" + ping.reply());
    return ((Peer.Pinged) ping.reply()).roundTripNanos().get(0);
  }

  private static List<PeerId> connectedTo(Cluster cluster, Node node) {
    return cluster.<Connections.ConnectedPeers>survey(Peer::getConnected).get(node).peers().stream()
        .map(Connections.ConnectedPeer::peer)
        .toList();
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void regionsAreAsFarApartAsTheirMatrixSays(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    Node carol = start(cluster, "carol");
    network.region(alice.machine(), "eu");
    network.region(bob.machine(), "eu");
    network.region(carol.machine(), "us");
    network.latency("eu", "eu", Duration.ofMillis(3), Duration.ZERO);
    network.latency("us", "eu", Duration.ofMillis(70), Duration.ofMillis(10));
    connect(cluster, alice, bob);
    connect(cluster, alice, carol);
    assertEquals(6_000_000, pingNanos(cluster, alice, bob));
    long far = pingNanos(cluster, alice, carol);
    assertTrue(far > 140_000_000 && far <= 160_000_000, () -> "" + far);
    network.latency(alice.machine(), carol.machine(), Duration.ofMillis(1));
    assertTrue(pingNanos(cluster, alice, carol) < 10_000_000, "a pair goes before its regions");
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void whatIsSentQueuesForTheBandwidthOfThePair(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    connect(cluster, alice, bob);
    long free = pingNanos(cluster, alice, bob);
    network.bandwidth(alice.machine(), bob.machine(), 1000);
    long limited = pingNanos(cluster, alice, bob);
    // At least 32 bytes and headers, there and back, in the best case.
    assertTrue(limited > free + 140_000_000, () -> limited + " after " + free);
    cluster.calm();
    assertTrue(pingNanos(cluster, alice, bob) < 140_000_000, "no limit is left");
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void aSlowReaderHoldsUpWhoSendsToItAndNobodyElse(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    Node carol = start(cluster, "carol");
    connect(cluster, alice, bob);
    connect(cluster, alice, carol);
    cluster.bandwidth(bob, 0, 500);
    assertTrue(pingNanos(cluster, alice, bob) > 140_000_000, "read at 500 bytes a second");
    assertTrue(pingNanos(cluster, alice, carol) < 140_000_000, "nobody else is slow");
    cluster.calm();
    cluster.stopReading(bob, Duration.ofSeconds(3));
    Operation ping = ping(cluster, alice, bob);
    system.advance(PING);
    assertTrue(ping.reply() instanceof Peer.Pinged, () -> "" + ping.reply());
    long waited = ping.latency();
    assertTrue(waited > 2_900_000_000L && waited < 3_500_000_000L, () -> "" + waited);
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void aDialThatIsLostHearsNoAnswer(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    cluster.loss(alice, bob, new Loss(1, 0, 0, Duration.ZERO));
    Operation lost = cluster.connect(alice, bob);
    system.advance(Duration.ofSeconds(10));
    assertTrue(
        lost.reply() instanceof Connections.ConnectFailed failed
            && failed.failure().kind() == HostFailure.Kind.TIMED_OUT,
        () -> "" + lost.reply());
    cluster.calm();
    connect(cluster, alice, bob);
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void aConnectionThatIsLostFailsAtBothEnds(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    connect(cluster, alice, bob);
    cluster.loss(new Loss(0, 1, 0, Duration.ZERO));
    Operation ping = ping(cluster, alice, bob);
    system.advance(Duration.ofSeconds(1));
    assertTrue(ping.reply() instanceof Peer.ErrandFailed, () -> "" + ping.reply());
    assertEquals(List.of(), connectedTo(cluster, alice));
    assertEquals(List.of(), connectedTo(cluster, bob));
    cluster.calm();
    connect(cluster, bob, alice);
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void whatStallsGoesOnAndNothingIsLost(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    connect(cluster, alice, bob);
    cluster.loss(new Loss(0, 0, 1, Duration.ofMillis(500)));
    long stalled = pingNanos(cluster, alice, bob);
    assertTrue(stalled > 110_000_000, () -> "" + stalled);
    assertEquals(List.of(bob.id()), connectedTo(cluster, alice));
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void aWrongClockIsWrongForItsMachineAlone(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    InstantSource clock = alice.machine().clock();
    cluster.skew(alice, Duration.ofHours(-1), 0.5);
    long ticks = alice.machine().ticker().nanos();
    system.advance(Duration.ofMinutes(2));
    assertEquals(system.instant().minus(Duration.ofMinutes(59)), clock.instant());
    assertEquals(system.instant(), bob.machine().clock().instant());
    assertEquals(Duration.ofMinutes(2).toNanos(), alice.machine().ticker().nanos() - ticks);
    connect(cluster, alice, bob);
    cluster.calm();
    assertEquals(system.instant(), clock.instant());
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void whoseAddressChangesIsFoundAtTheNewOneWhenItListensAtAll(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob =
        cluster.start(
            "bob",
            settings ->
                PeerSettings.of(
                    settings.identity(), List.of(SimulatedWorld.anywhere(Cluster.PORT))));
    Node carol = start(cluster, "carol");
    connect(cluster, alice, bob);
    Multiaddr before = bob.address();
    cluster.changeAddress(bob);
    cluster.changeAddress(carol);
    assertFalse(before.equals(bob.address()));
    Operation ping = ping(cluster, alice, bob);
    system.advance(Duration.ofMinutes(3));
    assertTrue(ping.reply() instanceof Peer.ErrandFailed, () -> "" + ping.reply());
    assertEquals(List.of(), connectedTo(cluster, alice));
    assertEquals(List.of(), connectedTo(cluster, bob));
    Operation old =
        cluster.<Connections.ConnectReply>ask(
            alice, "connect", PING, replyTo -> Peer.connectTo(before, replyTo));
    system.advance(Duration.ofSeconds(11));
    assertTrue(old.reply() instanceof Connections.ConnectFailed, () -> "" + old.reply());
    connect(cluster, alice, bob);
    // Carol listens at the address that she had.
    Operation gone = cluster.connect(alice, carol);
    system.advance(Duration.ofSeconds(11));
    assertTrue(gone.reply() instanceof Connections.ConnectFailed, () -> "" + gone.reply());
    connect(cluster, carol, alice);
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void oneActorCrashesAndItsPeerGoesOn(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    connect(cluster, alice, bob);
    cluster.crashActor(alice, "gossip");
    assertEquals(1, alice.crashesOf("gossip", 0, system.now()));
    Set<String> crashed = new TreeSet<>();
    for (int i = 0; i < 20; i++) {
      crashed.add(cluster.crashAnyActor(bob));
      system.advance(Duration.ofSeconds(10));
    }
    assertTrue(
        crashed.containsAll(List.of("addressbook", "connections", "dht")), crashed::toString);
    connect(cluster, alice, bob);
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void whoFloodsIsAnsweredAndItsNeighbourGoesOn(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    cluster.subscribe(alice, "lobby");
    cluster.subscribe(bob, "lobby");
    connect(cluster, alice, bob);
    cluster.flood(alice, "lobby", 200);
    system.advance(Cluster.BOUND);
    assertTrue(cluster.operations().stream().allMatch(each -> each.answers() == 1));
    connect(cluster, bob, alice);
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void whoCannotBeDialledCanStillDial(Fidelity fidelity) {
    Cluster cluster = cluster(fidelity);
    Node alice = start(cluster, "alice");
    Node bob = start(cluster, "bob");
    bob.machine().setReachable(false);
    Operation refused = cluster.connect(alice, bob);
    system.advance(Duration.ofSeconds(10));
    assertTrue(
        refused.reply() instanceof Connections.ConnectFailed failed
            && failed.failure().kind() == HostFailure.Kind.TIMED_OUT,
        () -> "" + refused.reply());
    connect(cluster, bob, alice);
  }
}
