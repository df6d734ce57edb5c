package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.testkit.Machine;
import dev.troupe.simulation.testkit.Service;
import dev.troupe.simulation.testkit.Simulation;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Complete peers that know others by name. */
class PeerNamesTest {

  private static Service<Peer.Command> start(Machine machine, String... bootstrap)
      throws MalformedException {
    PeerSettings settings = machine.settings();
    return machine.startPeer(
        settings.withDht(
            settings
                .dht()
                .withBootstrapPeers(
                    List.of(bootstrap).stream().map(PeerNamesTest::address).toList())));
  }

  private static Multiaddr address(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theBootstrapPeersBehindANameAreFoundAndFollowedWhereTheyMove() throws MalformedException {
    try (Simulation simulation = Simulation.create(1, Order.RANDOM, Fidelity.HOST)) {
      Machine a = simulation.machine("a");
      Machine b = simulation.machine("b");
      Machine c = simulation.machine("c");
      a.startPeer();
      b.startPeer();
      simulation
          .network()
          .setText(
              "_dnsaddr.example.org",
              "dnsaddr=/dnsaddr/east.example.org",
              "dnsaddr=" + b.address());
      simulation.network().setText("_dnsaddr.east.example.org", "dnsaddr=" + a.address());
      Service<Peer.Command> peer = start(c, "/dnsaddr/example.org");
      simulation.awaitTable(peer.ref(), 2, Duration.ofSeconds(5));
      List<String> names =
          peer.<HealthReport>ask(Peer::getHealth).bootstraps().stream()
              .map(each -> each.bootstrap().address().toString())
              .sorted()
              .toList();
      assertEquals(
          List.of("/dnsaddr/example.org/p2p/" + a.id(), "/dnsaddr/example.org/p2p/" + b.id())
              .stream()
              .sorted()
              .toList(),
          names);

      Machine d = simulation.machine("d");
      d.startPeer();
      simulation.network().setText("_dnsaddr.example.org", "dnsaddr=" + d.address());
      simulation.crash(a);
      simulation.crash(b);
      simulation.awaitThat(() -> isConnected(peer, d), Duration.ofMinutes(2));
    }
  }

  private static boolean isConnected(Service<Peer.Command> peer, Machine bootstrap) {
    return peer.<HealthReport>ask(Peer::getHealth).bootstraps().stream()
        .map(each -> each.bootstrap())
        .anyMatch(each -> bootstrap.id().equals(each.peer()) && each.isReachable());
  }

  @Test
  void theFirstBehindANameFindsTheSecond() throws MalformedException {
    try (Simulation simulation = Simulation.create(1, Order.RANDOM, Fidelity.HOST)) {
      Machine a = simulation.machine("a");
      Machine b = simulation.machine("b");
      simulation.network().setText("_dnsaddr.example.org", "dnsaddr=" + a.address());
      Service<Peer.Command> first = start(a, "/dnsaddr/example.org");
      simulation.advance(Duration.ofSeconds(10));
      b.startPeer();
      simulation
          .network()
          .setText("_dnsaddr.example.org", "dnsaddr=" + a.address(), "dnsaddr=" + b.address());
      simulation.awaitThat(() -> isConnected(first, b), Duration.ofMinutes(2));
    }
  }

  @Test
  void aNameThatDoesNotResolveIsSaidAndTriedAgain() throws MalformedException {
    try (Simulation simulation = Simulation.create(1, Order.RANDOM, Fidelity.HOST)) {
      Machine a = simulation.machine("a");
      Machine b = simulation.machine("b");
      a.startPeer();
      String name = "/dnsaddr/example.org/p2p/" + a.id();
      Service<Peer.Command> peer = start(b, name);
      simulation.advance(Duration.ofSeconds(2));
      String reason =
          peer.<HealthReport>ask(Peer::getHealth).bootstraps().get(0).bootstrap().reason();
      assertEquals(name + " does not resolve: _dnsaddr.example.org: there is no such name", reason);
      simulation.network().setText("_dnsaddr.example.org", "dnsaddr=" + a.address());
      simulation.awaitTable(peer.ref(), 1, Duration.ofSeconds(10));
    }
  }

  @Test
  void whoConnectsToANameGetsOneOfThoseBehindItOrTheReason() throws MalformedException {
    try (Simulation simulation = Simulation.create(1, Order.RANDOM, Fidelity.HOST)) {
      Machine a = simulation.machine("a");
      Machine b = simulation.machine("b");
      Machine gone = simulation.machine("gone");
      a.startPeer();
      Service<Peer.Command> peer = b.startPeer();
      simulation
          .network()
          .setText("_dnsaddr.example.org", "dnsaddr=" + gone.address(), "dnsaddr=" + a.address());
      Connections.ConnectReply reply =
          peer.<Connections.ConnectReply>ask(
              to -> Peer.connectTo(address("/dnsaddr/example.org"), to));
      assertEquals(a.id(), assertInstanceOf(Connections.Connected.class, reply).peer());
      reply =
          peer.<Connections.ConnectReply>ask(
              to -> Peer.connectTo(address("/dnsaddr/example.org/p2p/" + gone.id()), to));
      Connections.ConnectFailed failed = assertInstanceOf(Connections.ConnectFailed.class, reply);
      assertTrue(failed.failure().message().contains(gone.id().toString()));
      reply =
          peer.<Connections.ConnectReply>ask(
              to -> Peer.connectTo(address("/dnsaddr/nowhere.org"), to));
      failed = assertInstanceOf(Connections.ConnectFailed.class, reply);
      assertEquals(HostFailure.Kind.UNREACHABLE, failed.failure().kind());
    }
  }
}
