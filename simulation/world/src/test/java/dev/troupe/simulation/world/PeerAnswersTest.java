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
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever a peer is asked, in whatever state, it answers once. */
class PeerAnswersTest {

  /** Longer than every budget of every operation. */
  private static final Duration LONG = Duration.ofMinutes(3);

  private static final ProtocolId PROTOCOL = ProtocolId.of("/test/answers/1");

  private final SimulatedSystem system = SimulatedSystem.create(3, Order.RANDOM);
  private final SimulatedNetwork network = new SimulatedNetwork(system);
  private final SimulatedWorld machine = network.machine("here");
  private final PeerId stranger = key().peerId();
  private final Probe<Peer.Started> started = system.probe("started");

  private PrivateKey key() {
    return PrivateKey.generate(machine.crypto(), machine.keyMaterial());
  }

  @AfterEach
  void close() {
    system.close();
  }

  private ActorRef<Peer.Command> peer(PeerSettings settings) {
    return system.spawn(Peer.create(settings, machine, started.ref()), "peer");
  }

  private PeerSettings settings(Multiaddr... listen) {
    return PeerSettings.of(key(), List.of(listen));
  }

  /** All that can be asked. */
  private Map<String, Function<ActorRef<Object>, Peer.Command>> questions() {
    SimulatedWorld silent = network.machine("silent");
    network.isolate(silent);
    Multiaddr dead = silent.address(4001);
    Multihash key = Multihash.sha256(machine.crypto(), Bytes.utf8("a"));
    Bytes name = Bytes.utf8("/test/answers");
    Map<String, Function<ActorRef<Object>, Peer.Command>> all = new LinkedHashMap<>();
    all.put("connectTo", to -> Peer.connectTo(dead, to.unsafeUpcast()));
    all.put("connect", to -> Peer.connect(stranger, to.unsafeUpcast()));
    all.put("disconnect", to -> Peer.disconnect(stranger, to.unsafeUpcast()));
    all.put("getConnected", to -> Peer.getConnected(to.unsafeUpcast()));
    all.put("getDhtState", to -> Peer.getDhtState(to.unsafeUpcast()));
    all.put("getDhtTable", to -> Peer.getDhtTable(to.unsafeUpcast()));
    all.put("provide", to -> Peer.provide(key, to.unsafeUpcast()));
    all.put("findProviders", to -> Peer.findProviders(key, 1, to.unsafeUpcast()));
    all.put("putValue", to -> Peer.putValue(name, name, to.unsafeUpcast()));
    all.put("getValue", to -> Peer.getValue(name, to.unsafeUpcast()));
    all.put("findPeer", to -> Peer.findPeer(stranger, to.unsafeUpcast()));
    all.put(
        "subscribe",
        to -> Peer.subscribe("lobby", system.<Gossip.TopicEvent>probe().ref(), to.unsafeUpcast()));
    all.put(
        "unsubscribe",
        to -> Peer.unsubscribe("bar", system.<Gossip.TopicEvent>probe().ref(), to.unsafeUpcast()));
    all.put("publish", to -> Peer.publish("lobby", name, to.unsafeUpcast()));
    all.put("getTopicPeers", to -> Peer.getTopicPeers("lobby", to.unsafeUpcast()));
    all.put(
        "startProtocol",
        to ->
            Peer.startProtocol(
                PROTOCOL, system.<VirtualConnections.Received>probe().ref(), to.unsafeUpcast()));
    all.put("stopProtocol", to -> Peer.stopProtocol(PROTOCOL, to.unsafeUpcast()));
    all.put("send", to -> Peer.send(stranger, PROTOCOL, name, to.unsafeUpcast()));
    all.put("getInfo", to -> Peer.getInfo(to.unsafeUpcast()));
    all.put("ping", to -> Peer.ping(stranger, 1, Duration.ofSeconds(10), to.unsafeUpcast()));
    all.put("perf", to -> Peer.perf(stranger, 1, 1, Duration.ofSeconds(10), to.unsafeUpcast()));
    all.put(
        "openStream",
        to ->
            Peer.openStream(
                stranger, List.of(PROTOCOL), Duration.ofSeconds(10), to.unsafeUpcast()));
    all.put(
        "acceptStreams",
        to ->
            Peer.acceptStreams(
                PROTOCOL, system.<Peer.StreamAccepted>probe().ref(), to.unsafeUpcast()));
    return all;
  }

  private Map<String, Probe<Object>> askAll(ActorRef<Peer.Command> peer) {
    Map<String, Probe<Object>> probes = new LinkedHashMap<>();
    questions()
        .forEach(
            (name, question) -> {
              Probe<Object> probe = system.probe();
              peer.tell(question.apply(probe.ref()));
              probes.put(name, probe);
            });
    return probes;
  }

  private static void assertAnsweredOnce(Map<String, Probe<Object>> probes) {
    List<String> wrong = new ArrayList<>();
    probes.forEach(
        (name, probe) -> {
          if (probe.received().size() != 1) {
            wrong.add(name + ": " + probe.received());
          }
        });
    assertEquals(List.of(), wrong);
  }

  @Test
  void whileItRuns() {
    ActorRef<Peer.Command> peer = peer(settings(machine.address(0)));
    Map<String, Probe<Object>> probes = askAll(peer);
    system.advance(LONG);
    assertAnsweredOnce(probes);
  }

  @Test
  void whileItBootstrapsAndIsStopped() {
    Multiaddr nobody = network.machine("nobody").address(4001).withPeer(stranger);
    PeerSettings settings = settings(machine.address(0));
    ActorRef<Peer.Command> peer =
        peer(settings.withDht(settings.dht().withBootstrapPeers(List.of(nobody))));
    started.expect(Peer.Listening.class);
    Map<String, Probe<Object>> probes = askAll(peer);
    system.advance(Duration.ofMillis(200));
    peer.tell(Peer.stop());
    started.watch(peer);
    system.advance(Duration.ofSeconds(10));
    started.expectTerminated(peer);
    assertAnsweredOnce(probes);
    Dht.OperationFailed stopped =
        assertInstanceOf(Dht.OperationFailed.class, probes.get("putValue").received().get(0));
    assertEquals(Dht.Reason.STOPPING, stopped.reason());
    Connections.ConnectFailed connect =
        assertInstanceOf(
            Connections.ConnectFailed.class, probes.get("connectTo").received().get(0));
    assertEquals(HostFailure.Kind.CLOSED, connect.failure().kind());
  }

  @Test
  void whileItStops() {
    ActorRef<Peer.Command> peer = peer(settings(machine.address(0)));
    started.expect(Peer.Listening.class);
    peer.tell(Peer.stop());
    Map<String, Probe<Object>> probes = askAll(peer);
    system.advance(Duration.ofSeconds(10));
    assertAnsweredOnce(probes);
  }

  @Test
  void beforeItListensWhenItIsStopped() {
    ActorRef<Peer.Command> peer = peer(settings(machine.address(0)));
    Map<String, Probe<Object>> probes = askAll(peer);
    peer.tell(Peer.stop());
    system.advance(Duration.ofSeconds(10));
    assertAnsweredOnce(probes);
  }

  @Test
  void beforeItListensWhenItCannot() throws MalformedException {
    ActorRef<Peer.Command> peer = peer(settings(Multiaddr.parse("/ip4/192.0.2.77/tcp/1")));
    Map<String, Probe<Object>> probes = askAll(peer);
    started.expect(Peer.ListenFailed.class);
    system.advance(Duration.ofSeconds(10));
    assertAnsweredOnce(probes);
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
