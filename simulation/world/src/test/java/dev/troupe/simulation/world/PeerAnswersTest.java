package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.testkit.EveryCommand;
import dev.troupe.simulation.testkit.Simulation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever a peer is asked, in whatever state, it answers once. */
class PeerAnswersTest {

  /** Longer than every budget of every operation. */
  private static final Duration LONG = Duration.ofMinutes(3);

  private static final ProtocolId PROTOCOL = ProtocolId.of("/test/answers/1");

  private final Simulation simulation = Simulation.create(3, Order.RANDOM, Fidelity.HOST);
  private final SimulatedSystem system = simulation.system();
  private final SimulatedNetwork network = simulation.network();
  private final SimulatedWorld machine = network.machine("here");
  private final PeerId stranger = key().peerId();
  private final Probe<Peer.Started> started = system.probe("started");

  private PrivateKey key() {
    return PrivateKey.generate(machine.crypto(), machine.keyMaterial());
  }

  @AfterEach
  void close() {
    simulation.close();
  }

  private ActorRef<Peer.Command> peer(PeerSettings settings) {
    return system.spawn(Peer.create(settings, machine, started.ref()), "peer");
  }

  private PeerSettings settings(Multiaddr... listen) {
    return PeerSettings.of(key(), List.of(listen));
  }

  /** All that can be asked. */
  private EveryCommand<Peer.Command> questions() {
    SimulatedWorld silent = network.machine("silent");
    network.isolate(silent);
    Multiaddr dead = silent.address(4001);
    Multihash key = Multihash.sha256(machine.crypto(), Bytes.utf8("a"));
    Bytes name = Bytes.utf8("/test/answers");
    EveryCommand<Peer.Command> all = EveryCommand.of();
    all.with("connectTo", to -> Peer.connectTo(dead, to.unsafeUpcast()));
    all.with("connect", to -> Peer.connect(stranger, to.unsafeUpcast()));
    all.with("disconnect", to -> Peer.disconnect(stranger, to.unsafeUpcast()));
    all.with("getConnected", to -> Peer.getConnected(to.unsafeUpcast()));
    all.with("getDhtState", to -> Peer.getDhtState(to.unsafeUpcast()));
    all.with("getDhtTable", to -> Peer.getDhtTable(to.unsafeUpcast()));
    all.with("getDhtRecords", to -> Peer.getDhtRecords(to.unsafeUpcast()));
    all.with("getHealth", to -> Peer.getHealth(to.unsafeUpcast()));
    all.with("retry", to -> Peer.retry(to.unsafeUpcast()));
    all.with("useBackup", to -> Peer.useBackup(dead, to.unsafeUpcast()));
    all.with("verify", to -> Peer.verify(stranger, to.unsafeUpcast()));
    all.with("probeReadiness", to -> Peer.probeReadiness(to.unsafeUpcast()));
    all.with("provide", to -> Peer.provide(key, to.unsafeUpcast()));
    all.with("startProviding", to -> Peer.startProviding(List.of(key), to.unsafeUpcast()));
    all.with("stopProviding", to -> Peer.stopProviding(key, to.unsafeUpcast()));
    all.with("findProviders", to -> Peer.findProviders(key, 1, to.unsafeUpcast()));
    all.with("putValue", to -> Peer.putValue(name, name, to.unsafeUpcast()));
    all.with("getValue", to -> Peer.getValue(name, to.unsafeUpcast()));
    all.with("findPeer", to -> Peer.findPeer(stranger, to.unsafeUpcast()));
    all.with(
        "subscribe",
        to -> Peer.subscribe("lobby", system.<Gossip.TopicEvent>probe().ref(), to.unsafeUpcast()));
    all.with(
        "unsubscribe",
        to -> Peer.unsubscribe("bar", system.<Gossip.TopicEvent>probe().ref(), to.unsafeUpcast()));
    all.with("publish", to -> Peer.publish("lobby", name, to.unsafeUpcast()));
    all.with("getTopicPeers", to -> Peer.getTopicPeers("lobby", to.unsafeUpcast()));
    all.with(
        "startProtocol",
        to ->
            Peer.startProtocol(
                PROTOCOL, system.<VirtualConnections.Received>probe().ref(), to.unsafeUpcast()));
    all.with("stopProtocol", to -> Peer.stopProtocol(PROTOCOL, to.unsafeUpcast()));
    all.with("send", to -> Peer.send(stranger, PROTOCOL, name, to.unsafeUpcast()));
    all.with("announcePresence", to -> Peer.announcePresence("/eth/1", "", "", to.unsafeUpcast()));
    all.with("withdrawPresence", to -> Peer.withdrawPresence("/eth/2", to.unsafeUpcast()));
    all.with("findPresence", to -> Peer.findPresence("/eth/1", to.unsafeUpcast()));
    all.with("getPresence", to -> Peer.getPresence(to.unsafeUpcast()));
    all.with("getInfo", to -> Peer.getInfo(to.unsafeUpcast()));
    all.with("ping", to -> Peer.ping(stranger, 1, Duration.ofSeconds(10), to.unsafeUpcast()));
    all.with("perf", to -> Peer.perf(stranger, 1, 1, Duration.ofSeconds(10), to.unsafeUpcast()));
    all.with(
        "openStream",
        to ->
            Peer.openStream(
                stranger, List.of(PROTOCOL), Duration.ofSeconds(10), to.unsafeUpcast()));
    all.with(
        "acceptStreams",
        to ->
            Peer.acceptStreams(
                PROTOCOL, system.<Peer.StreamAccepted>probe().ref(), to.unsafeUpcast()));
    return all;
  }

  private EveryCommand.Asked askAll(ActorRef<Peer.Command> peer) {
    return questions().ask(simulation, peer);
  }

  @Test
  void whileItRuns() {
    ActorRef<Peer.Command> peer = peer(settings(machine.address(0)));
    EveryCommand.Asked asked = askAll(peer);
    asked.assertAnswered(LONG);
  }

  @Test
  void whileItBootstrapsAndIsStopped() {
    Multiaddr nobody = network.machine("nobody").address(4001).withPeer(stranger);
    PeerSettings settings = settings(machine.address(0));
    ActorRef<Peer.Command> peer =
        peer(settings.withDht(settings.dht().withBootstrapPeers(List.of(nobody))));
    started.expect(Peer.Listening.class);
    EveryCommand.Asked asked = askAll(peer);
    system.advance(Duration.ofMillis(200));
    peer.tell(Peer.stop());
    started.watch(peer);
    asked.assertAnswered(Duration.ofSeconds(10));
    started.expectTerminated(peer);
    Dht.OperationFailed stopped =
        assertInstanceOf(Dht.OperationFailed.class, asked.answers("putValue").get(0));
    assertEquals(Dht.Reason.STOPPING, stopped.reason());
    Connections.ConnectFailed connect =
        assertInstanceOf(Connections.ConnectFailed.class, asked.answers("connectTo").get(0));
    assertEquals(HostFailure.Kind.CLOSED, connect.failure().kind());
  }

  @Test
  void whatTheActorsBelowItHaveInTheirMailboxesWhenItIsStopped() {
    ActorRef<Peer.Command> peer = peer(settings(machine.address(0)));
    started.expect(Peer.Listening.class);
    List<EveryCommand.Asked> asked = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      asked.add(askAll(peer));
    }
    peer.tell(Peer.stop());
    asked.forEach(each -> each.assertAnswered(Duration.ofSeconds(10)));
  }

  @Test
  void whileItStops() {
    ActorRef<Peer.Command> peer = peer(settings(machine.address(0)));
    started.expect(Peer.Listening.class);
    peer.tell(Peer.stop());
    EveryCommand.Asked asked = askAll(peer);
    asked.assertAnswered(Duration.ofSeconds(10));
  }

  @Test
  void beforeItListensWhenItIsStopped() {
    ActorRef<Peer.Command> peer = peer(settings(machine.address(0)));
    EveryCommand.Asked asked = askAll(peer);
    peer.tell(Peer.stop());
    asked.assertAnswered(Duration.ofSeconds(10));
  }

  @Test
  void beforeItListensWhenItCannot() throws MalformedException {
    ActorRef<Peer.Command> peer = peer(settings(Multiaddr.parse("/ip4/192.0.2.77/tcp/1")));
    EveryCommand.Asked asked = askAll(peer);
    started.expect(Peer.ListenFailed.class);
    asked.assertAnswered(Duration.ofSeconds(10));
  }

  @Test
  void beforeItListensMoreIsRefusedThanMayWait() {
    ActorRef<Peer.Command> peer = peer(settings(machine.address(0)));
    Probe<Dht.ProvideReply> replies = system.probe();
    Multihash key = Multihash.sha256(machine.crypto(), Bytes.utf8("a"));
    int most = 1000;
    for (int i = 0; i < most + 5; i++) {
      peer.tell(Peer.provide(key, replies.ref()));
    }
    system.advance(LONG);
    assertEquals(most + 5, replies.received().size());
    long refused =
        replies.received().stream()
            .filter(reply -> reply instanceof Dht.OperationFailed)
            .filter(reply -> ((Dht.OperationFailed) reply).reason() == Dht.Reason.STASH_FULL)
            .count();
    assertTrue(refused >= 5, "refused " + refused);
  }
}
