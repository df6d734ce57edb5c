package dev.troupe.simulation.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.SimulationFailure;
import dev.troupe.simulation.scenario.Fidelity;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Remote peers that do what scripts say. */
class FakePeerTest {

  private static final ProtocolId PROTOCOL = ProtocolId.of("/test/fake/1");
  private static final ProtocolId KADEMLIA = DhtSettings.DEFAULT.protocol();
  private static final Bytes HELLO = Bytes.utf8("hello");

  @Simulated(seeds = "1..3")
  void twoFakesTalkByTheirScripts(Simulation sim) {
    talk(sim);
  }

  @Simulated(fidelity = Fidelity.WIRE)
  void theyDoSoOverTheWire(Simulation sim) {
    talk(sim);
  }

  private static void talk(Simulation sim) {
    FakePeer asking = sim.machine("asking").startFake();
    FakePeer answering = sim.machine("answering").startFake();
    answering.on(PROTOCOL, Script.answering(question -> question.concat(Bytes.utf8(", too"))));
    assertEquals(answering.id(), asking.connect(answering.address()));
    FakeStream stream =
        asking.open(answering.id(), PROTOCOL, opened -> opened.onFrame(answer -> opened.close()));
    stream.sendFrame(HELLO);
    sim.awaitThat(stream::isOver, Duration.ofSeconds(5));
    assertEquals(List.of(Bytes.utf8("hello, too")), stream.frames());
    FakeStream other = answering.streams(PROTOCOL).get(0);
    assertEquals(List.of(HELLO), other.frames());
    assertEquals(6, other.received().size());
    assertEquals(asking.id(), other.remote());
    assertTrue(other.isRemoteClosed());
    assertEquals(null, other.failure());
    asking.disconnect(answering.id());
    sim.awaitThat(() -> answering.connected().isEmpty(), Duration.ofSeconds(5));
    assertFalse(answering.events().isEmpty());
  }

  @Simulated
  void aFakeCanBeSlowSilentClosingOrResetting(Simulation sim) {
    FakePeer fake = sim.machine("fake").startFake();
    FakePeer asking = sim.machine("asking").startFake();
    asking.connect(fake.address());

    fake.on(PROTOCOL, Script.after(Duration.ofSeconds(5), Script.echoing()));
    FakeStream slow = open(asking, fake);
    long before = sim.now().toMillis();
    sim.awaitThat(() -> slow.received().equals(HELLO), Duration.ofSeconds(10));
    assertTrue(sim.now().toMillis() - before >= 4_900);

    fake.on(PROTOCOL, Script.silent());
    FakeStream silent = open(asking, fake);
    sim.advance(Duration.ofMinutes(1));
    assertFalse(silent.isOver() || silent.isRemoteClosed());
    assertEquals(Bytes.EMPTY, silent.received());
    assertEquals(HELLO, fake.streams(PROTOCOL).get(1).received());

    fake.on(PROTOCOL, Script.unread());
    FakeStream unread = open(asking, fake);
    unread.send(Bytes.wrap(new byte[1 << 20]));
    sim.advance(Duration.ofMinutes(1));
    assertEquals(Bytes.EMPTY, fake.streams(PROTOCOL).get(2).received());

    fake.on(PROTOCOL, Script.closing());
    FakeStream closing = open(asking, fake);
    sim.awaitThat(closing::isRemoteClosed, Duration.ofSeconds(1));

    fake.on(PROTOCOL, Script.sending(Bytes.utf8("nonsense")));
    FakeStream sending = open(asking, fake);
    sim.awaitThat(sending::isRemoteClosed, Duration.ofSeconds(1));
    assertEquals("nonsense", sending.received().utf8());

    fake.on(PROTOCOL, Script.resetting());
    FakeStream reset = open(asking, fake);
    sim.awaitThat(reset::isOver, Duration.ofSeconds(1));
    assertEquals(HostFailure.Kind.STREAM_RESET, reset.failure().kind());

    fake.refuse(PROTOCOL);
    AssertionError refused = assertThrows(AssertionError.class, () -> open(asking, fake));
    assertTrue(refused.getMessage().contains("PROTOCOL_NOT_SUPPORTED"), refused.getMessage());
  }

  private static FakeStream open(FakePeer from, FakePeer to) {
    FakeStream stream = from.open(to.id(), PROTOCOL, opened -> opened.onData(data -> {}));
    stream.send(HELLO);
    return stream;
  }

  @Simulated(seeds = "1..3")
  void aPeerWhoseBootstrapTalksNonsenseIsDegradedInTime(Simulation sim) {
    FakePeer liar = sim.machine("liar").startFake();
    liar.on(KADEMLIA, Script.answering(question -> Bytes.utf8("not a message of Kademlia")));
    Service<Peer.Command> peer = sim.machine("here").startPeer(sim.machine("liar"));
    peer.<Dht.StateChanged>askUntil(
        Peer::getDhtState, answer -> answer.state() == Dht.State.DEGRADED, Duration.ofSeconds(40));
    assertFalse(liar.streams(KADEMLIA).isEmpty());
    assertFalse(liar.streams(KADEMLIA).get(0).frames().isEmpty());
  }

  @Simulated
  void aMessageToAPeerThatAcknowledgesNothingIsAnswered(Simulation sim) {
    Machine there = sim.machine("there");
    FakePeer fake = there.startFake().on(PROTOCOL, Script.silent());
    Service<Peer.Command> peer = sim.machine("here").startPeer();
    peer.ask(to -> Peer.connectTo(fake.address(), to.unsafeUpcast()));
    VirtualConnections.SendReply reply =
        peer.ask(to -> Peer.send(fake.id(), PROTOCOL, HELLO, to), Duration.ofMinutes(3));
    assertFalse(reply instanceof VirtualConnections.Delivered, reply.toString());
  }

  @Simulated
  void aFrameOverTheLimitIsNotReadAndResetsTheStream(Simulation sim) {
    FakePeer fake = sim.machine("fake").startFake();
    FakePeer asking = sim.machine("asking").startFake();
    asking.connect(fake.address());
    fake.on(PROTOCOL, Script.answering(question -> question));
    FakeStream atTheLimit = asking.open(fake.id(), PROTOCOL, stream -> stream.onFrame(data -> {}));
    atTheLimit.sendFrame(Bytes.wrap(new byte[FakeStream.MAX_FRAME]));
    sim.awaitThat(() -> atTheLimit.frames().size() == 1, Duration.ofMinutes(10));
    FakeStream over = asking.open(fake.id(), PROTOCOL, Script.silent());
    over.sendFrame(Bytes.wrap(new byte[FakeStream.MAX_FRAME + 1]));
    sim.awaitThat(over::isOver, Duration.ofMinutes(10));
    assertEquals(HostFailure.Kind.STREAM_RESET, over.failure().kind());
    assertEquals(List.of(), fake.streams(PROTOCOL).get(1).frames());
  }

  @Simulated
  void aFakeWhoseMachineCrashedIsSilent(Simulation sim) {
    Machine machine = sim.machine("fake");
    FakePeer fake = machine.startFake();
    FakePeer asking = sim.machine("asking").startFake();
    asking.connect(fake.address());
    sim.crash(machine);
    sim.awaitThat(() -> asking.connected().isEmpty(), Duration.ofMinutes(1));
    sim.restart(machine);
    FakePeer anew = machine.startFake();
    assertEquals(fake.id(), asking.connect(anew.address()));
  }

  @Test
  void aScriptThatThrowsFailsTheRun() {
    Simulation sim = Simulation.create(1, Order.RANDOM, Fidelity.HOST);
    FakePeer fake = sim.machine("fake").startFake();
    FakePeer asking = sim.machine("asking").startFake();
    fake.on(
        PROTOCOL,
        stream -> {
          throw new IllegalStateException("the script is wrong");
        });
    asking.connect(fake.address());
    SimulationFailure failure =
        assertThrows(
            SimulationFailure.class,
            () -> {
              asking.open(fake.id(), PROTOCOL, Script.silent());
              sim.advance(Duration.ofSeconds(1));
            });
    assertTrue(failure.getMessage().contains("the script is wrong"), failure.getMessage());
    sim.close();
  }

  @Test
  void aFakeThatCannotConnectSaysWhy() {
    try (Simulation sim = Simulation.create(1, Order.RANDOM, Fidelity.HOST)) {
      FakePeer fake = sim.machine("fake").startFake();
      AssertionError failure =
          assertThrows(AssertionError.class, () -> fake.connect(sim.machine("nobody").address()));
      assertTrue(failure.getMessage().contains("REFUSED"), failure.getMessage());
    }
  }
}
