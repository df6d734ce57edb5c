package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import java.time.Duration;
import java.util.List;
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
