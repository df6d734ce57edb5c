package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.ping.Ping;
import dev.troupe.actors.virtualconnections.VirtualConnectionSettings;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.actors.virtualconnections.VirtualConnections.SendFailure;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Virtual connections between two whole peers, 20 ms apart. */
class VirtualConnectionsTest {

  private static final ProtocolId MAIL = ProtocolId.of("/test/mail/1");

  private final SimulatedSystem system = SimulatedSystem.create();
  private final SimulatedNetwork network =
      new SimulatedNetwork(system, NetworkSettings.DEFAULT.withLatency(Duration.ofMillis(20)));
  private final Node alice = new Node("alice");
  private final Node bob = new Node("bob");
  private final Probe<VirtualConnections.Received> mail = system.probe("mail");
  private final Probe<VirtualConnections.SendReply> sent = system.probe("sent");

  private final class Node {
    private final SimulatedWorld machine;
    private final PrivateKey key;
    private final ActorRef<Peer.Command> peer;

    Node(String name) {
      machine = network.machine(name);
      key = PrivateKey.generate(machine.crypto(), machine.keyMaterial());
      Probe<Peer.Started> started = system.probe("started-" + name);
      peer =
          system.spawn(
              Peer.create(
                  PeerSettings.of(key, List.of(machine.address(4001))), machine, started.ref()),
              name);
      started.expect(Peer.Listening.class);
    }

    PeerId id() {
      return key.peerId();
    }
  }

  @BeforeEach
  void connect() {
    Probe<Connections.ConnectReply> connected = system.probe();
    alice.peer.tell(Peer.connectTo(bob.machine.address(4001).withPeer(bob.id()), connected.ref()));
    connected.expect(Connections.Connected.class, Duration.ofSeconds(5));
    assertEquals(VirtualConnections.Started.class, start(bob, MAIL).getClass());
    system.advance(Duration.ofSeconds(1));
  }

  @AfterEach
  void close() {
    system.close();
  }

  private VirtualConnections.StartReply start(Node node, ProtocolId protocol) {
    Probe<VirtualConnections.StartReply> started = system.probe();
    node.peer.tell(Peer.startProtocol(protocol, mail.ref(), started.ref()));
    return started.next();
  }

  private void send(PeerId to, String text) {
    alice.peer.tell(Peer.send(to, MAIL, Bytes.utf8(text), sent.ref()));
  }

  private List<String> texts() {
    system.runUntilIdle();
    return mail.received().stream().map(letter -> letter.data().utf8()).toList();
  }

  private SendFailure failure(Duration within) {
    return sent.expect(VirtualConnections.SendFailed.class, within).reason();
  }

  @Test
  void messagesArriveOnceInOrderAndAreAnsweredAfterTheirAcknowledgement() {
    List<String> letters = IntStream.range(0, 50).mapToObj(i -> "letter " + i).toList();
    letters.forEach(letter -> send(bob.id(), letter));
    system.advance(Duration.ofMillis(39));
    sent.expectNone();
    system.advance(Duration.ofSeconds(5));
    assertEquals(letters, texts());
    assertEquals(50, sent.received().size());
    for (int i = 0; i < 50; i++) {
      assertEquals(new VirtualConnections.Delivered(bob.id(), MAIL, 1), sent.next());
    }
  }

  @Test
  void aMessageWhoseAcknowledgementIsLostIsSentAgainAndHeardOnce() {
    send(bob.id(), "first");
    system.advance(Duration.ofSeconds(1));
    sent.expect(VirtualConnections.Delivered.class);
    send(bob.id(), "second");
    // It has arrived, and its acknowledgement is under way.
    system.advance(Duration.ofMillis(30));
    assertEquals(List.of("first", "second"), texts());
    network.partition(List.of(alice.machine), List.of(bob.machine));
    system.advance(Duration.ofSeconds(6));
    network.repair();
    VirtualConnections.Delivered delivered =
        sent.expect(VirtualConnections.Delivered.class, Duration.ofSeconds(10));
    assertTrue(delivered.attempts() <= 2, delivered::toString);
    system.advance(Duration.ofSeconds(10));
    assertEquals(List.of("first", "second"), texts());
  }

  @Test
  void threeAttemptsWithoutAcknowledgementAreTheEnd() {
    send(bob.id(), "first");
    system.advance(Duration.ofSeconds(1));
    sent.expect(VirtualConnections.Delivered.class);
    network.partition(List.of(alice.machine), List.of(bob.machine));
    send(bob.id(), "never heard");
    // 5 s for each acknowledgement, 2 s and 4 s between the attempts.
    system.advance(Duration.ofSeconds(20));
    sent.expectNone();
    VirtualConnections.SendFailed failed =
        sent.expect(VirtualConnections.SendFailed.class, Duration.ofSeconds(30));
    assertEquals(3, failed.attempts());
    assertEquals(SendFailure.NOT_ACKNOWLEDGED, failed.reason());
  }

  @Test
  void aPeerThatNobodyKnowsIsUnreachable() {
    PrivateKey stranger = PrivateKey.generate(alice.machine.crypto(), alice.machine.keyMaterial());
    send(stranger.peerId(), "to nobody");
    assertEquals(SendFailure.UNREACHABLE, failure(Duration.ofSeconds(60)));
  }

  @Test
  void whatTheRemoteDoesNotSpeakIsSaid() {
    Probe<VirtualConnections.StopReply> stopped = system.probe();
    bob.peer.tell(Peer.stopProtocol(MAIL, stopped.ref()));
    assertTrue(stopped.next().wasStarted());
    system.advance(Duration.ofSeconds(1));
    send(bob.id(), "to the deaf");
    assertEquals(SendFailure.PROTOCOL_NOT_SUPPORTED, failure(Duration.ofSeconds(60)));
    assertEquals(List.of(), texts());
  }

  @Test
  void whatIsTooLargeIsRefusedAtOnce() {
    send(bob.id(), "x".repeat(VirtualConnectionSettings.DEFAULT.maxMessage() + 1));
    assertEquals(SendFailure.TOO_LARGE, failure(Duration.ZERO));
    send(bob.id(), "x".repeat(VirtualConnectionSettings.DEFAULT.maxMessage()));
    sent.expect(VirtualConnections.Delivered.class, Duration.ofSeconds(60));
  }

  @Test
  void whatDoesNotFitTheQueueIsRefusedAtOnceAndTheRestIsDelivered() {
    int queue = VirtualConnectionSettings.DEFAULT.queue();
    for (int i = 0; i < queue + 3; i++) {
      send(bob.id(), "letter " + i);
    }
    system.runUntilIdle();
    List<VirtualConnections.SendReply> refused = List.copyOf(sent.received());
    assertEquals(3, refused.size());
    refused.forEach(
        reply ->
            assertEquals(SendFailure.QUEUE_FULL, ((VirtualConnections.SendFailed) reply).reason()));
    system.advance(Duration.ofMinutes(5));
    assertEquals(queue, texts().size());
    assertEquals(queue + 3, sent.received().size());
  }

  @Test
  void oneReceiverAProtocolAndNoneForThePeersOwn() {
    assertEquals(VirtualConnections.StartRefused.class, start(bob, MAIL).getClass());
    assertEquals(VirtualConnections.StartRefused.class, start(bob, Ping.PROTOCOL).getClass());
  }

  @Test
  void aReceiverThatStopsReceivesNoMore() {
    system.stop(mail.ref());
    system.advance(Duration.ofSeconds(1));
    send(bob.id(), "to nobody any more");
    assertEquals(SendFailure.PROTOCOL_NOT_SUPPORTED, failure(Duration.ofSeconds(60)));
  }

  @Test
  void anIdleConnectionEndsAndTheNextMessageOpensAnother() {
    send(bob.id(), "first");
    system.advance(Duration.ofSeconds(1));
    assertTrue(virtual() > 0);
    system.advance(Duration.ofMinutes(2));
    assertEquals(0, virtual());
    send(bob.id(), "second");
    system.advance(Duration.ofSeconds(1));
    assertEquals(List.of("first", "second"), texts());
  }

  /** How many virtual connections Alice has. */
  private int virtual() {
    return system.children(alice.peer).entrySet().stream()
        .filter(entry -> entry.getKey().endsWith("/virtualconnections"))
        .mapToInt(entry -> entry.getValue())
        .sum();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0000\u0000\u0000\u0004nope",
        "\u0000\u0000\u0000\u0002{}",
        "\u00ff\u00ff\u00ff\u00ff",
        "\u0000\u0000\u0000\u0000",
        "\u0000\u0000\u0000\u0020{\"type\":\"data\",\"id\":\"x\",\"data\":1}"
      })
  void aMalformedEnvelopeResetsItsStreamAndOthersAreServed(String bytes) {
    SimulatedWorld machine = network.machine("mallory");
    PrivateKey key = PrivateKey.generate(machine.crypto(), machine.keyMaterial());
    Host mallory = machine.createHost(key, HostSettings.DEFAULT);
    mallory.start(event -> {});
    List<String> heard = new ArrayList<>();
    mallory.dial(
        bob.machine.address(4001),
        bob.id(),
        new Completion<>() {
          @Override
          public void succeeded(ConnectionInfo connection) {
            mallory.openStream(bob.id(), List.of(MAIL), garbage(bytes, heard));
          }

          @Override
          public void failed(HostFailure failure) {
            heard.add(failure.toString());
          }
        });
    system.advance(Duration.ofSeconds(5));
    assertEquals(List.of("STREAM_RESET"), heard);
    send(bob.id(), "served");
    sent.expect(VirtualConnections.Delivered.class, Duration.ofSeconds(1));
    assertEquals(List.of("served"), texts());
  }

  private static Completion<Stream> garbage(String bytes, List<String> heard) {
    return new Completion<>() {
      @Override
      public void succeeded(Stream stream) {
        stream.start(
            new StreamListener() {
              @Override
              public void onData(ByteBuffer data) {
                heard.add("data");
              }

              @Override
              public void onWritable() {}

              @Override
              public void onRemoteClosed() {
                heard.add("closed");
              }

              @Override
              public void onClosed(@Nullable HostFailure failure) {
                heard.add(failure == null ? "closed in order" : failure.kind().name());
              }
            });
        stream.request(1000);
        stream.write(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1)));
      }

      @Override
      public void failed(HostFailure failure) {
        heard.add(failure.toString());
      }
    };
  }
}
