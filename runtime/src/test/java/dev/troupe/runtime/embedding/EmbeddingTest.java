package dev.troupe.runtime.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.streams.StreamFlow;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.ipns.IpnsRecord;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.runtime.world.RealWorld;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The examples of the README. */
class EmbeddingTest {

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  @Test
  void aServiceMadeOfActorsTalksToItsPeersInMessages() throws Exception {
    CompletableFuture<Gossip.PublishReply> published = new CompletableFuture<>();
    try (RealWorld world = RealWorld.create()) {
      ActorSystem<PeerManager.CreateReply> system =
          ActorSystem.create(service(world, published), "service");
      assertInstanceOf(Gossip.Published.class, await(published));
      system.terminate();
      await(system.getWhenTerminated());
    }
  }

  private static Behavior<PeerManager.CreateReply> service(
      RealWorld world, CompletableFuture<Gossip.PublishReply> published) {
    return Behaviors.setup(
        context -> {
          ActorRef<PeerManager.Command> peers = context.spawn(PeerManager.create(world), "peers");
          ActorRef<Gossip.PublishReply> replyTo =
              context.spawn(
                  Behaviors.receiveMessage(
                      reply -> {
                        published.complete(reply);
                        return Behaviors.same();
                      }),
                  "replies");
          PrivateKey identity = PrivateKey.generate(world.crypto(), world.keyMaterial());
          peers.tell(
              new PeerManager.Create(
                  "alice", PeerSettings.of(identity, List.of()), context.getSelf()));
          return Behaviors.receive(PeerManager.CreateReply.class)
              .onMessage(
                  PeerManager.Created.class,
                  created -> {
                    created.peer().tell(Peer.publish("lobby", Bytes.utf8("hello"), replyTo));
                    return Behaviors.same();
                  })
              .build();
        });
  }

  @Test
  void otherCodeTalksToItsPeersThroughTheFacade() throws Exception {
    try (Troupe troupe = Troupe.start()) {
      EmbeddedPeer alice = peer(troupe, "alice");
      EmbeddedPeer bob = peer(troupe, "bob", true);
      ProtocolId protocol = ProtocolId.of("/test/mail/1");
      CompletableFuture<String> mail = new CompletableFuture<>();
      assertInstanceOf(
          VirtualConnections.Started.class,
          await(bob.startProtocol(protocol, received -> mail.complete(received.data().utf8()))));
      await(alice.connectTo(bob.addresses().get(0)));
      VirtualConnections.SendReply sent =
          await(alice.send(bob.id(), protocol, Bytes.utf8("good evening")));
      assertEquals(new VirtualConnections.Delivered(bob.id(), protocol, 1), sent);
      assertEquals("good evening", await(mail));
      assertInstanceOf(Peer.Pinged.class, await(alice.ping(bob.id(), 3)));
      assertInstanceOf(Peer.Measured.class, await(alice.perf(bob.id(), 3_000_000, 5_000_000)));
      Peer.ErrandFailed refused =
          assertInstanceOf(Peer.ErrandFailed.class, await(bob.perf(alice.id(), 1, 1)));
      assertEquals(HostFailure.Kind.PROTOCOL_NOT_SUPPORTED, refused.failure().kind());
    }
  }

  @Test
  void aNamePointsAtNoMoreThanARecordHolds() throws Exception {
    try (Troupe troupe = Troupe.start()) {
      Bytes value = Bytes.wrap(new byte[IpnsRecord.MAX_ENCODED]);
      EmbeddedPeer.NameReply reply =
          await(peer(troupe, "alice").publishName(troupe.newIdentity(), value));
      assertEquals(
          Dht.Reason.INVALID_RECORD,
          assertInstanceOf(EmbeddedPeer.NameFailed.class, reply).reason());
    }
  }

  @Test
  void aStreamIsAFlowOfBytesForThoseWhoAskForOne() throws Exception {
    try (Troupe troupe = Troupe.start()) {
      EmbeddedPeer alice = peer(troupe, "alice");
      EmbeddedPeer bob = peer(troupe, "bob");
      Materializer materializer = troupe.materializer();
      ProtocolId echo = ProtocolId.of("/test/echo/1");
      assertInstanceOf(
          Peer.Accepting.class,
          await(
              bob.acceptStreams(
                  echo, stream -> StreamFlow.of(stream).join(Flow.create()).run(materializer))));
      Connections.ConnectReply connected = await(alice.connectTo(bob.addresses().get(0)));
      assertInstanceOf(Connections.Connected.class, connected, connected::toString);
      Peer.OpenStreamReply reply = await(alice.openStream(bob.id(), echo));
      Peer.StreamOpened opened = assertInstanceOf(Peer.StreamOpened.class, reply, reply::toString);
      ByteString part = ByteString.fromArray(new byte[100_000]);
      ByteString echoed =
          await(
              Source.range(1, 50)
                  .map(i -> part)
                  .via(StreamFlow.of(opened.stream()))
                  .runFold(ByteString.emptyByteString(), ByteString::concat, materializer));
      assertEquals(5_000_000, echoed.size());

      Peer.ErrandFailed refused =
          assertInstanceOf(
              Peer.ErrandFailed.class,
              await(alice.openStream(bob.id(), ProtocolId.of("/test/unheard-of"))));
      assertEquals(HostFailure.Kind.PROTOCOL_NOT_SUPPORTED, refused.failure().kind());
    }
  }

  @Test
  @Timeout(60)
  void whoIsRefusedLeavesNoListenerBehind() throws Exception {
    try (Troupe troupe = Troupe.start()) {
      EmbeddedPeer alice = peer(troupe, "alice");
      ProtocolId mail = ProtocolId.of("/test/mail/1");
      await(alice.startProtocol(mail, received -> {}));
      await(alice.subscribe("lobby", event -> {}));
      long before = anonymousActors(troupe);
      for (int i = 0; i < 10; i++) {
        assertInstanceOf(
            VirtualConnections.StartRefused.class,
            await(alice.startProtocol(mail, received -> {})));
        assertInstanceOf(
            Peer.AcceptingRefused.class, await(alice.acceptStreams(mail, stream -> {})));
        assertInstanceOf(
            Gossip.SubscribeRefused.class, await(alice.subscribe("lobby", event -> {})));
      }
      while (anonymousActors(troupe) > before) {
        Thread.onSpinWait();
      }
    }
  }

  private static long anonymousActors(Troupe troupe) {
    ExtendedActorSystem system = (ExtendedActorSystem) troupe.materializer().system();
    return system.printTree().lines().filter(line -> line.contains("-> $")).count();
  }

  @Test
  void aSendThatIsNotAnsweredFailsWithItsPeer() throws Exception {
    try (Troupe troupe = Troupe.start()) {
      EmbeddedPeer alice = peer(troupe, "alice");
      CompletionStage<VirtualConnections.SendReply> late;
      assertInstanceOf(PeerManager.StopReply.class, await(alice.stop()));
      late = alice.send(alice.id(), ProtocolId.of("/test/mail/1"), Bytes.utf8("late"));
      ExecutionException failed = assertThrows(ExecutionException.class, () -> await(late));
      assertInstanceOf(TimeoutException.class, failed.getCause());
    }
  }

  @Test
  void oneIdentityIsOnePeer() throws Exception {
    try (Troupe troupe = Troupe.start()) {
      PeerSettings settings = PeerSettings.of(troupe.newIdentity(), List.of());
      assertInstanceOf(PeerManager.Created.class, await(troupe.createPeer("one", settings)));
      PeerManager.CreateRefused refused =
          assertInstanceOf(
              PeerManager.CreateRefused.class, await(troupe.createPeer("two", settings)));
      assertEquals(PeerManager.Refusal.IDENTITY_TAKEN, refused.refusal());
    }
  }

  private static EmbeddedPeer peer(Troupe troupe, String alias) throws Exception {
    return peer(troupe, alias, false);
  }

  private static EmbeddedPeer peer(Troupe troupe, String alias, boolean perf) throws Exception {
    PeerSettings settings =
        PeerSettings.of(troupe.newIdentity(), List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/0")))
            .withServePerf(perf);
    return troupe.embed(
        assertInstanceOf(PeerManager.Created.class, await(troupe.createPeer(alias, settings))));
  }
}
