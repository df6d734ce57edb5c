package dev.troupe.actors.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.connections.ConnectionsEvent.PeerDisconnected;
import dev.troupe.actors.connections.ConnectionsEvent.PeerIdentified;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip.GetTopicPeers;
import dev.troupe.actors.gossip.Gossip.MeshFormed;
import dev.troupe.actors.gossip.Gossip.Message;
import dev.troupe.actors.gossip.Gossip.PeerJoined;
import dev.troupe.actors.gossip.Gossip.PeerLeft;
import dev.troupe.actors.gossip.Gossip.Publish;
import dev.troupe.actors.gossip.Gossip.PublishRefused;
import dev.troupe.actors.gossip.Gossip.PublishReply;
import dev.troupe.actors.gossip.Gossip.Published;
import dev.troupe.actors.gossip.Gossip.Refusal;
import dev.troupe.actors.gossip.Gossip.Subscribe;
import dev.troupe.actors.gossip.Gossip.SubscribeRefused;
import dev.troupe.actors.gossip.Gossip.SubscribeReply;
import dev.troupe.actors.gossip.Gossip.Subscribed;
import dev.troupe.actors.gossip.Gossip.TopicEvent;
import dev.troupe.actors.gossip.Gossip.TopicPeers;
import dev.troupe.actors.gossip.Gossip.Unsubscribe;
import dev.troupe.actors.gossip.Gossip.UnsubscribeReply;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Identification;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.gossipsub.GossipsubSettings;
import dev.troupe.protocol.gossipsub.MessageSigning;
import dev.troupe.protocol.gossipsub.Rpc;
import dev.troupe.protocol.gossipsub.Rpc.Graft;
import dev.troupe.protocol.gossipsub.Rpc.Subscription;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The Gossip actor on virtual time, over a host whose network is the test. */
class GossipTest {

  private static final String TOPIC = "chat";
  private static final PrivateKey SELF = FakeWorld.key(1);

  private final SimulatedSystem system = SimulatedSystem.create();
  private final FakeHost host = new FakeHost(SELF.peerId());
  private final Probe<Connections.Command> connections = system.probe("connections");
  private final Probe<Dht.Command> dht = system.probe("dht");
  private final Probe<TopicEvent> subscriber = system.probe("subscriber");
  private GossipSettings settings = GossipSettings.DEFAULT;
  private ActorRef<Gossip.Command> gossip;
  private ActorRef<ConnectionsEvent> events;
  private long seqno;

  @AfterEach
  void close() {
    system.close();
  }

  private void start() {
    gossip =
        system.spawn(
            Gossip.create(
                settings, SELF, new FakeWorld(system), host, connections.ref(), dht.ref()),
            "gossip");
    events = connections.expect(Connections.Subscribe.class).subscriber();
  }

  /** A remote peer, as the test plays it. */
  private final class Remote {
    final PrivateKey key;
    final PeerId id;
    FakeStream toUs;
    FakeStream fromUs;

    Remote(int number) {
      key = FakeWorld.key(number);
      id = key.peerId();
    }

    Remote connect() {
      return connect("troupe/1", FakeHost.MESHSUB);
    }

    Remote connect(String agent, ProtocolId... protocols) {
      identify(agent, protocols);
      return this;
    }

    void identify(String agent, ProtocolId... protocols) {
      events.tell(
          new PeerIdentified(
              id,
              Direction.INBOUND,
              new Identification(agent, "ipfs/0.1.0", List.of(protocols), List.of(), null, false)));
      system.runUntilIdle();
    }

    /** Both streams stand. */
    Remote talk() {
      connect();
      fromUs = host.takeOpening().succeed();
      toUs = host.accept(id);
      system.runUntilIdle();
      return this;
    }

    Remote subscribe() {
      say(Rpc.subscribed(List.of(TOPIC)));
      return this;
    }

    Remote graft() {
      say(
          new Rpc(
              List.of(), List.of(), List.of(), List.of(), List.of(new Graft(TOPIC)), List.of()));
      return this;
    }

    void say(Rpc rpc) {
      toUs.receive(rpc);
      system.runUntilIdle();
    }

    void publish(String text) {
      say(message(text));
    }

    Rpc message(String text) {
      return new Rpc(
          List.of(),
          List.of(MessageSigning.sign(key, FakeWorld.CRYPTO, TOPIC, Bytes.utf8(text), ++seqno)),
          List.of(),
          List.of(),
          List.of(),
          List.of());
    }

    void disconnect() {
      events.tell(
          new PeerDisconnected(
              id,
              FakeHost.connection(id, Direction.INBOUND).remoteAddress(),
              Direction.INBOUND,
              new HostFailure(HostFailure.Kind.CONNECTION_LOST, "by order of the test")));
      system.runUntilIdle();
    }

    List<String> heard() {
      List<String> texts = new ArrayList<>();
      fromUs
          .takeWritten()
          .forEach(rpc -> rpc.messages().forEach(m -> texts.add(m.payload().utf8())));
      return texts;
    }
  }

  private Remote remote(int number) {
    return new Remote(number);
  }

  private SubscribeReply subscribe(String topic, Probe<TopicEvent> by) {
    Probe<SubscribeReply> reply = system.probe();
    gossip.tell(new Subscribe(topic, by.ref(), reply.ref()));
    return reply.next();
  }

  private void subscribed() {
    assertEquals(new Subscribed(TOPIC), subscribe(TOPIC, subscriber));
  }

  private UnsubscribeReply unsubscribe(Probe<TopicEvent> by) {
    Probe<UnsubscribeReply> reply = system.probe();
    gossip.tell(new Unsubscribe(TOPIC, by.ref(), reply.ref()));
    return reply.next();
  }

  private PublishReply publish(String topic, Bytes data) {
    Probe<PublishReply> reply = system.probe();
    gossip.tell(new Publish(topic, data, reply.ref()));
    return reply.next();
  }

  private PublishReply publish(String text) {
    return publish(TOPIC, Bytes.utf8(text));
  }

  private TopicPeers topicPeers() {
    Probe<TopicPeers> reply = system.probe();
    gossip.tell(new GetTopicPeers(TOPIC, reply.ref()));
    return reply.expect(TopicPeers.class);
  }

  private void heartbeat() {
    system.advance(Duration.ofMillis(500));
  }

  // ---- peers and streams

  @Test
  void opensOneStreamToAPeerThatSpeaksTheProtocolAndNoneToOthers() {
    start();
    remote(2).connect("other/1", new ProtocolId("/ipfs/ping/1.0.0"));
    assertEquals(List.of(), host.openings);
    Remote remote = remote(3).connect();
    FakeHost.Opening opening = host.takeOpening();
    assertEquals(remote.id, opening.peer);
    assertEquals(
        List.of(new ProtocolId("/meshsub/1.1.0"), new ProtocolId("/meshsub/1.0.0")),
        opening.protocols);
    remote.identify("troupe/1", FakeHost.MESHSUB);
    assertEquals(List.of(), host.openings);
  }

  @Test
  void greetsAPeerWithTheSubscriptionsAsSoonAsItsStreamStands() {
    start();
    subscribed();
    Remote remote = remote(2).connect();
    FakeStream stream = host.takeOpening().succeed();
    system.runUntilIdle();
    assertEquals(
        List.of(new Subscription(true, TOPIC)), stream.takeWritten().get(0).subscriptions());
    assertNotNull(remote);
  }

  @Test
  void hearsAPeerWhoseStreamComesBeforeTheNewsOfItsConnection() {
    start();
    subscribed();
    Remote remote = remote(2);
    remote.toUs = host.accept(remote.id);
    system.runUntilIdle();
    remote.subscribe();
    assertEquals(new PeerJoined(TOPIC, remote.id), subscriber.next());
    assertEquals(remote.id, host.takeOpening().peer);
    remote.connect();
    assertEquals(List.of(), host.openings);
  }

  @Test
  void forgetsAPeerThatTurnsOutNotToBeConnected() {
    start();
    Remote remote = remote(2);
    remote.toUs = host.accept(remote.id);
    system.runUntilIdle();
    remote.subscribe();
    host.takeOpening().fail(HostFailure.Kind.NOT_CONNECTED);
    system.runUntilIdle();
    assertEquals(List.of(), topicPeers().peers());
    assertNotNull(remote.toUs.resetReason);
    system.advance(Duration.ofMinutes(1));
    assertEquals(List.of(), host.openings);
  }

  @Test
  void triesAgainToOpenAStreamThenGivesUpUntilThePeerIdentifiesAgain() {
    start();
    Remote remote = remote(2).connect();
    for (int seconds : new int[] {1, 2, 4}) {
      host.takeOpening().fail(HostFailure.Kind.TIMED_OUT);
      system.advance(Duration.ofSeconds(seconds).minusNanos(1));
      assertEquals(List.of(), host.openings);
      system.advance(Duration.ofNanos(1));
    }
    host.takeOpening().fail(HostFailure.Kind.TIMED_OUT);
    system.advance(Duration.ofMinutes(10));
    assertEquals(List.of(), host.openings);
    remote.identify("troupe/1", FakeHost.MESHSUB);
    assertEquals(remote.id, host.takeOpening().peer);
  }

  @Test
  void aPeerThatDoesNotSpeakTheProtocolAfterAllIsNotTriedAgain() {
    start();
    remote(2).connect();
    host.takeOpening().fail(HostFailure.Kind.PROTOCOL_NOT_SUPPORTED);
    system.advance(Duration.ofMinutes(10));
    assertEquals(List.of(), host.openings);
  }

  @Test
  void aLostStreamIsReplacedAndThePeerGreetedAnew() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe().graft();
    remote.fromUs.takeWritten();
    remote.fromUs.lose();
    system.advance(Duration.ofSeconds(1));
    FakeStream second = host.takeOpening().succeed();
    system.runUntilIdle();
    List<Rpc> greeting = second.takeWritten();
    assertEquals(List.of(new Subscription(true, TOPIC)), greeting.get(0).subscriptions());
    assertEquals(List.of(new Graft(TOPIC)), greeting.get(1).graft());
    // What the remote had said still holds.
    assertEquals(List.of(remote.id), topicPeers().mesh());
    // Late news of the first stream does not touch the second.
    remote.fromUs.listener.onClosed(null);
    system.advance(Duration.ofMinutes(1));
    assertEquals(List.of(), host.openings);
    assertEquals(new Published(TOPIC, 1), publish("x"));
  }

  @Test
  void aStreamThatComesWhenThePeerIsGoneIsReset() {
    start();
    Remote remote = remote(2).connect();
    FakeHost.Opening opening = host.takeOpening();
    remote.disconnect();
    assertTrue(opening.cancelled);
    FakeStream late = opening.succeed();
    system.runUntilIdle();
    assertNotNull(late.resetReason);
  }

  @Test
  void aDisconnectedPeerLeavesItsTopics() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe();
    assertEquals(new PeerJoined(TOPIC, remote.id), subscriber.next());
    remote.disconnect();
    assertEquals(new PeerLeft(TOPIC, remote.id), subscriber.next());
    assertEquals(List.of(), topicPeers().peers());
    assertEquals(new Published(TOPIC, 0), publish("x"));
  }

  @Test
  void whatAPeerSendsIsRequestedWindowByWindow() {
    start();
    Remote remote = remote(2).talk();
    assertEquals(256 << 10, remote.toUs.requested);
    remote.toUs.receive(new byte[] {(byte) 0x80});
    system.runUntilIdle();
    assertEquals((256 << 10) + 1, remote.toUs.requested);
    // Nothing is read from the stream that is ours to write.
    assertEquals(0, remote.fromUs.requested);
  }

  @Test
  void aMalformedRpcResetsItsStreamAndThePeerIsServedOn() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe();
    remote.toUs.receive(new byte[] {2, 0x0a, 5});
    system.runUntilIdle();
    assertTrue(remote.toUs.resetReason.contains("protobuf"), remote.toUs.resetReason);
    remote.toUs = host.accept(remote.id);
    system.runUntilIdle();
    remote.publish("still here");
    subscriber.expect(PeerJoined.class);
    assertEquals(new Message(TOPIC, remote.id, Bytes.utf8("still here")), subscriber.next());
  }

  @Test
  void anOversizedFrameResetsItsStream() {
    start();
    Remote remote = remote(2).talk();
    remote.toUs.receive(new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xff, 0x7f});
    system.runUntilIdle();
    assertTrue(remote.toUs.resetReason.contains("limit"), remote.toUs.resetReason);
  }

  @Test
  void ofTooManyStreamsOfOnePeerTheOldestIsReset() {
    start();
    subscribed();
    Remote remote = remote(2).talk();
    FakeStream first = remote.toUs;
    FakeStream second = host.accept(remote.id);
    system.runUntilIdle();
    FakeStream third = host.accept(remote.id);
    system.runUntilIdle();
    assertNotNull(first.resetReason);
    assertNull(second.resetReason);
    remote.toUs = third;
    remote.subscribe();
    assertEquals(new PeerJoined(TOPIC, remote.id), subscriber.next());
  }

  @Test
  void aRemoteThatEndsItsStreamInOrderIsAnsweredInKind() {
    start();
    Remote remote = remote(2).talk();
    remote.toUs.listener.onRemoteClosed();
    system.runUntilIdle();
    assertTrue(remote.toUs.writeClosed);
    // Its silence on our stream means nothing.
    remote.fromUs.listener.onRemoteClosed();
    system.runUntilIdle();
    assertFalse(remote.fromUs.writeClosed);
  }

  @Test
  void whatAPeerSentIsRequestedAgainOnlyAfterTheWork() {
    start();
    subscribed();
    Remote one = remote(2).talk().subscribe().graft();
    Remote other = remote(3).talk().subscribe().graft();
    long before = one.toUs.requested;
    List<Long> requested = new ArrayList<>();
    other.fromUs.beforeWrite = () -> requested.add(one.toUs.requested);
    one.publish("forward this");
    assertEquals(List.of(before), requested);
    assertTrue(one.toUs.requested > before);
  }

  // ---- floods

  private Rpc forged(Remote author, int count) {
    List<dev.troupe.protocol.gossipsub.Message> messages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      dev.troupe.protocol.gossipsub.Message signed = author.message("x").messages().get(0);
      messages.add(
          new dev.troupe.protocol.gossipsub.Message(
              signed.from(),
              Bytes.utf8("forged"),
              signed.seqno(),
              TOPIC,
              signed.signature(),
              null,
              Bytes.EMPTY));
    }
    return new Rpc(List.of(), messages, List.of(), List.of(), List.of(), List.of());
  }

  @Test
  void aPeerThatFloodsWithInvalidMessagesIsPutAsideForAWhile() {
    start();
    subscribed();
    Remote honest = remote(3).talk().subscribe();
    Remote flooder = remote(2).talk().subscribe();
    long requested = flooder.toUs.requested;
    flooder.say(forged(flooder, 16));
    assertNull(flooder.toUs.resetReason);
    assertTrue(flooder.toUs.requested > requested);
    requested = flooder.toUs.requested;
    flooder.say(forged(flooder, 1));
    assertEquals("too many invalid messages", flooder.toUs.resetReason);
    assertNotNull(flooder.fromUs.resetReason);
    assertEquals(requested, flooder.toUs.requested);
    assertEquals(List.of(honest.id), topicPeers().peers());
    // Neither its streams nor its coming back help.
    FakeStream again = host.accept(flooder.id);
    system.runUntilIdle();
    assertNotNull(again.resetReason);
    flooder.disconnect();
    flooder.connect();
    assertEquals(List.of(), host.openings);
    system.advance(Duration.ofMinutes(10).minusSeconds(1));
    assertEquals(List.of(), host.openings);
    system.advance(Duration.ofSeconds(2));
    assertEquals(flooder.id, host.takeOpening().peer);
    flooder.toUs = host.accept(flooder.id);
    system.runUntilIdle();
    flooder.subscribe();
    assertEquals(List.of(honest.id, flooder.id), topicPeers().peers());
    honest.publish("as ever");
    assertTrue(
        subscriber.received().contains(new Message(TOPIC, honest.id, Bytes.utf8("as ever"))));
  }

  @Test
  void whoIsPutAsideOutlivesACrash() {
    start();
    subscribed();
    Remote flooder = remote(2).talk().subscribe();
    Remote other = remote(3).talk().subscribe();
    flooder.say(forged(flooder, 17));
    other.fromUs.defective = true;
    assertEquals(Refusal.CRASHED, ((PublishRefused) publish("x")).refusal());
    FakeStream again = host.accept(flooder.id);
    system.runUntilIdle();
    assertNotNull(again.resetReason);
    assertEquals(List.of(), host.openings);
    system.advance(Duration.ofMinutes(11));
    assertEquals(flooder.id, host.takeOpening().peer);
  }

  @Test
  void ofTooManyPutAsideTheFirstIsLetInAgain() {
    GossipSettings d = GossipSettings.DEFAULT;
    settings =
        new GossipSettings(
            d.router(),
            d.queueBytes(),
            d.queueFrames(),
            d.inboundWindow(),
            d.inboundStreamsPerPeer(),
            d.openAttempts(),
            d.openRetry(),
            d.subscribersPerTopic(),
            d.graylistTime(),
            1,
            d.topic());
    start();
    subscribed();
    Remote first = remote(2).talk();
    Remote second = remote(3).talk();
    first.say(forged(first, 17));
    assertEquals(List.of(), host.openings);
    second.say(forged(second, 17));
    assertEquals(first.id, host.takeOpening().peer);
    assertEquals(List.of(), host.openings);
  }

  // ---- subscribing

  @Test
  void aTopicIsAdvertisedUnderItsNameOrOneWithThePrefixThatIsSet() {
    settings =
        GossipSettings.DEFAULT.withTopic(
            GossipSettings.TopicSettings.DEFAULT.withDiscoveryPrefix("floodsub:"));
    start();
    subscribed();
    Multihash key = Multihash.sha256(FakeWorld.CRYPTO, Bytes.utf8("floodsub:" + TOPIC));
    assertEquals(key, dht.expect(Dht.Provide.class).key());
    assertEquals(key, dht.expect(Dht.FindProviders.class).key());
  }

  @Test
  void subscribingIsAnsweredAtOnceAndTellsThePeers() {
    start();
    Remote remote = remote(2).talk();
    subscribed();
    assertEquals(
        List.of(new Subscription(true, TOPIC)), remote.fromUs.takeWritten().get(0).subscriptions());
    // The subscription's own actor waits for the DHT.
    dht.expect(Dht.Provide.class);
    dht.expect(Dht.FindProviders.class);
  }

  @Test
  void invalidAndTooManySubscriptionsAreRefused() {
    GossipsubSettings.Limits limits = GossipsubSettings.Limits.DEFAULT;
    GossipSettings d = GossipSettings.DEFAULT;
    settings =
        new GossipSettings(
            d.router().withLimits(new GossipsubSettings.Limits(limits.peers(), 1, 9, 9, 9, 9, 9)),
            d.queueBytes(),
            d.queueFrames(),
            d.inboundWindow(),
            d.inboundStreamsPerPeer(),
            d.openAttempts(),
            d.openRetry(),
            1,
            d.graylistTime(),
            d.graylistPeers(),
            d.topic());
    start();
    assertTrue(subscribe("", subscriber) instanceof SubscribeRefused);
    assertTrue(subscribe("x".repeat(1025), subscriber) instanceof SubscribeRefused);
    subscribed();
    assertEquals(
        new SubscribeRefused("more", Refusal.TOO_MANY_TOPICS, "subscribed to 1 topics already"),
        subscribe("more", subscriber));
    assertEquals(
        new SubscribeRefused(
            TOPIC, Refusal.TOO_MANY_SUBSCRIBERS, "the topic has 1 subscribers already"),
        subscribe(TOPIC, system.probe()));
    subscribed();
  }

  @Test
  void aLaterSubscriberIsToldWhereThingsStand() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe().graft();
    system.runUntilIdle();
    Probe<TopicEvent> later = system.probe();
    subscribe(TOPIC, later);
    assertEquals(new PeerJoined(TOPIC, remote.id), later.next());
    assertEquals(new MeshFormed(TOPIC, 1), later.next());
    later.expectNone();
    // The first one heard the same, once each.
    assertEquals(new PeerJoined(TOPIC, remote.id), subscriber.next());
    assertEquals(new MeshFormed(TOPIC, 1), subscriber.next());
    subscriber.expectNone();
  }

  @Test
  void messagesReachEverySubscriberOnce() {
    start();
    subscribed();
    subscribed();
    Probe<TopicEvent> second = system.probe();
    subscribe(TOPIC, second);
    Remote remote = remote(2).talk();
    Rpc message = remote.message("hello");
    remote.say(message);
    remote.say(message);
    Message expected = new Message(TOPIC, remote.id, Bytes.utf8("hello"));
    assertEquals(expected, subscriber.next());
    assertEquals(expected, second.next());
    subscriber.expectNone();
    second.expectNone();
  }

  @Test
  void theTopicIsLeftWhenItsLastSubscriberGoes() {
    start();
    subscribed();
    Probe<TopicEvent> second = system.probe();
    subscribe(TOPIC, second);
    Remote remote = remote(2).talk();
    remote.fromUs.takeWritten();
    assertEquals(new UnsubscribeReply(TOPIC, true), unsubscribe(subscriber));
    assertEquals(List.of(), remote.fromUs.takeWritten());
    assertEquals(new UnsubscribeReply(TOPIC, true), unsubscribe(second));
    assertEquals(
        List.of(new Subscription(false, TOPIC)),
        remote.fromUs.takeWritten().get(0).subscriptions());
    assertEquals(new UnsubscribeReply(TOPIC, false), unsubscribe(second));
    remote.publish("unheard");
    subscriber.expectNone();
    second.expectNone();
  }

  @Test
  void anUnsubscribedTopicAsksTheDhtNoMore() {
    start();
    subscribed();
    system.runUntilIdle();
    int asked = dht.received().size();
    unsubscribe(subscriber);
    system.advance(Duration.ofHours(4));
    // But for the last word, that it is not provided any more.
    assertEquals(asked + 1, dht.received().size());
    assertTrue(dht.received().get(asked) instanceof Dht.StopProviding);
    // Subscribed again, it begins anew.
    subscribed();
    system.runUntilIdle();
    assertTrue(dht.received().size() > asked);
  }

  @Test
  void aSubscriberThatStopsIsUnsubscribed() {
    start();
    Remote remote = remote(2).talk();
    subscribed();
    remote.fromUs.takeWritten();
    system.stop(subscriber.ref());
    assertEquals(
        List.of(new Subscription(false, TOPIC)),
        remote.fromUs.takeWritten().get(0).subscriptions());
  }

  @Test
  void aSubscriptionWithoutPeersSaysSoAtTheMeshDeadline() {
    start();
    subscribed();
    assertEquals(
        new MeshFormed(TOPIC, 0), subscriber.expect(MeshFormed.class, Duration.ofSeconds(6)));
  }

  // ---- publishing

  @Test
  void publishingReachesThePeersOfTheTopicSubscribedOrNot() {
    start();
    Remote inTopic = remote(2).talk().subscribe();
    Remote elsewhere = remote(3).talk();
    assertEquals(new Published(TOPIC, 1), publish("one"));
    subscribed();
    assertEquals(new Published(TOPIC, 1), publish("two"));
    assertEquals(List.of("one", "two"), inTopic.heard());
    assertEquals(List.of(), elsewhere.heard());
    subscriber.expect(PeerJoined.class);
    // Not to ourselves.
    subscriber.fishFor(MeshFormed.class, Duration.ofSeconds(6));
    subscriber.expectNone();
  }

  @Test
  void aMessageForNobodyIsOfferedToWhoComesSoon() {
    start();
    assertEquals(new Published(TOPIC, 0), publish("anybody?"));
    Remote late = remote(2).talk().subscribe();
    heartbeat();
    Rpc offer = late.fromUs.takeWritten().get(0);
    assertEquals(TOPIC, offer.ihave().get(0).topic());
    late.say(
        new Rpc(
            List.of(),
            List.of(),
            List.of(),
            List.of(new Rpc.IWant(offer.ihave().get(0).messageIds())),
            List.of(),
            List.of()));
    assertEquals(List.of("anybody?"), late.heard());
  }

  @Test
  void whatCannotBePublishedIsRefusedWithTheReason() {
    start();
    PublishRefused tooLarge = (PublishRefused) publish(TOPIC, Bytes.wrap(new byte[(1 << 20) + 1]));
    assertEquals(Refusal.TOO_LARGE, tooLarge.refusal());
    assertTrue(tooLarge.message().contains("1048576"), tooLarge.message());
    PublishRefused unnamed = (PublishRefused) publish("", Bytes.EMPTY);
    assertEquals(Refusal.INVALID_TOPIC, unnamed.refusal());
  }

  @Test
  void aPeerThatDoesNotReadFillsItsQueueOnlyAndThePublisherIsTold() {
    start();
    Remote stuck = remote(2).talk().subscribe();
    stuck.fromUs.room = 0;
    Bytes big = Bytes.wrap(new byte[1_000_000]);
    // One is being written, four wait.
    for (int i = 0; i < 5; i++) {
      assertEquals(new Published(TOPIC, 1), publish(TOPIC, big));
    }
    PublishRefused refused = (PublishRefused) publish(TOPIC, big);
    assertEquals(Refusal.OVERLOADED, refused.refusal());
    // Another peer is served as before.
    Remote other = remote(3).talk().subscribe();
    assertEquals(new Published(TOPIC, 1), publish(TOPIC, big));
    assertEquals(1, other.heard().size());
    // Room again: what was taken goes out.
    stuck.fromUs.makeRoom(Long.MAX_VALUE);
    system.runUntilIdle();
    assertEquals(5, stuck.heard().size());
  }

  @Test
  void aPeerWhoseQueueIsFullOfControlIsCutOffAndGreetedAnew() {
    GossipSettings d = GossipSettings.DEFAULT;
    settings =
        new GossipSettings(
            d.router(),
            d.queueBytes(),
            3,
            d.inboundWindow(),
            d.inboundStreamsPerPeer(),
            d.openAttempts(),
            d.openRetry(),
            d.subscribersPerTopic(),
            d.graylistTime(),
            d.graylistPeers(),
            d.topic());
    start();
    Remote stuck = remote(2).talk();
    stuck.fromUs.room = 0;
    for (int i = 0; i < 5; i++) {
      subscribe("topic " + i, subscriber);
    }
    assertNotNull(stuck.fromUs.resetReason);
    system.advance(Duration.ofSeconds(1));
    FakeStream second = host.takeOpening().succeed();
    system.runUntilIdle();
    assertEquals(5, second.takeWritten().get(0).subscriptions().size());
  }

  @Test
  void messagesAreForwardedWithinTheMesh() {
    start();
    subscribed();
    Remote one = remote(2).talk().subscribe().graft();
    Remote other = remote(3).talk().subscribe().graft();
    one.publish("pass it on");
    assertEquals(List.of("pass it on"), other.heard());
    assertEquals(List.of(), one.heard());
  }

  @Test
  void connectionsToMeshMembersAreTaggedAsLongAsTheyAreMembers() {
    start();
    subscribed();
    Remote one = remote(2).talk().subscribe().graft();
    Remote other = remote(3).talk().subscribe().graft();
    assertEquals(Map.of(one.id, 20, other.id, 20), tagged());
    one.disconnect();
    assertEquals(Map.of(other.id, 20), tagged());
    unsubscribe(subscriber);
    assertEquals(Map.of(), tagged());
  }

  @Test
  void aMemberOfManyMeshesCarriesOneTagOfAllTheirWeight() {
    start();
    Remote remote = remote(2).talk();
    int topics = 33;
    for (int i = 0; i < topics; i++) {
      String topic = "topic " + i;
      subscribe(topic, subscriber);
      remote.say(Rpc.subscribed(List.of(topic)));
      remote.say(
          new Rpc(
              List.of(), List.of(), List.of(), List.of(), List.of(new Graft(topic)), List.of()));
    }
    assertEquals(Map.of(remote.id, topics * 20), tagged());
    Probe<UnsubscribeReply> reply = system.probe();
    gossip.tell(new Unsubscribe("topic 0", subscriber.ref(), reply.ref()));
    reply.next();
    assertEquals(Map.of(remote.id, (topics - 1) * 20), tagged());
  }

  /** The weights that the connections have been told. */
  private Map<PeerId, Integer> tagged() {
    Map<PeerId, Integer> weights = new LinkedHashMap<>();
    for (Connections.Command command : connections.pending()) {
      if (command instanceof Connections.Tag tag) {
        assertEquals("mesh", tag.tag());
        weights.put(tag.peer(), tag.weight());
      } else if (command instanceof Connections.Untag untag) {
        assertEquals("mesh", untag.tag());
        weights.remove(untag.peer());
      }
    }
    return weights;
  }

  @Test
  void theHeartbeatGraftsWhoComes() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe();
    assertEquals(List.of(), topicPeers().mesh());
    system.advance(Duration.ofMillis(50));
    assertEquals(List.of(remote.id), topicPeers().mesh());
    Remote second = remote(3).talk().subscribe();
    system.advance(Duration.ofMillis(499));
    assertEquals(List.of(remote.id), topicPeers().mesh());
    system.advance(Duration.ofMillis(1));
    assertEquals(List.of(remote.id, second.id), topicPeers().mesh());
  }

  // ---- crash and end

  @Test
  void aCrashAnswersThePublisherAndKeepsSubscribersPeersAndStreams() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe().graft();
    subscriber.expect(PeerJoined.class);
    subscriber.expect(MeshFormed.class);
    remote.fromUs.takeWritten();
    int asked = dht.received().size();
    remote.fromUs.defective = true;
    PublishRefused refused = (PublishRefused) publish("never to be known");
    assertEquals(Refusal.CRASHED, refused.refusal());
    // The frame that was being written when it happened goes first: the stream is intact.
    List<Rpc> after = remote.fromUs.takeWritten();
    assertEquals("never to be known", after.get(0).messages().get(0).payload().utf8());
    assertEquals(List.of(new Subscription(true, TOPIC)), after.get(1).subscriptions());
    subscriber.expectNone();
    // It goes on.
    assertEquals(List.of(remote.id), topicPeers().peers());
    heartbeat();
    assertEquals(List.of(remote.id), topicPeers().mesh());
    assertEquals(new Published(TOPIC, 1), publish("after"));
    assertTrue(remote.heard().contains("after"));
    remote.publish("heard");
    assertEquals(new Message(TOPIC, remote.id, Bytes.utf8("heard")), subscriber.next());
    // The subscription's own actor lived through it.
    assertEquals(asked, dht.received().size());
    assertEquals(new UnsubscribeReply(TOPIC, true), unsubscribe(subscriber));
  }

  @Test
  void aCrashWhileHearingLosesThatRpcOnlyAndTheStreamGoesOn() {
    start();
    subscribed();
    Remote one = remote(2).talk().subscribe().graft();
    Remote other = remote(3).talk().subscribe().graft();
    long requested = one.toUs.requested;
    other.fromUs.defective = true;
    one.publish("crashes the forwarding");
    assertTrue(one.toUs.requested > requested, "the stream would stall");
    one.publish("goes through");
    assertTrue(
        subscriber.received().contains(new Message(TOPIC, one.id, Bytes.utf8("goes through"))));
  }

  @Test
  void aCrashAtTheHeartbeatDoesNotStopTheHeart() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe();
    remote.fromUs.defective = true;
    system.advance(Duration.ofMillis(50));
    heartbeat();
    assertEquals(List.of(remote.id), topicPeers().mesh());
  }

  @Test
  void aSubscriberThatStopsAfterACrashIsStillNoticed() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe();
    remote.fromUs.defective = true;
    publish("x");
    remote.fromUs.takeWritten();
    system.stop(subscriber.ref());
    assertTrue(
        remote.fromUs.takeWritten().stream()
            .anyMatch(rpc -> rpc.subscriptions().contains(new Subscription(false, TOPIC))));
  }

  @Test
  void whenItStopsItsHandlersStreamsTimersAndTopicsEnd() {
    start();
    subscribed();
    Remote remote = remote(2).talk();
    remote(3).connect();
    FakeHost.Opening opening = host.takeOpening();
    system.runUntilIdle();
    int asked = dht.received().size();
    system.stop(gossip);
    assertEquals(0, host.handlers.size());
    assertNotNull(remote.fromUs.resetReason);
    assertNotNull(remote.toUs.resetReason);
    assertTrue(opening.cancelled);
    system.advance(Duration.ofHours(4));
    assertEquals(asked, dht.received().size());
    assertEquals(List.of(), host.openings);
  }

  @Test
  void whatIsThereWhenItStopsIsDealtWithAndWhatComesLaterIsRefused() {
    start();
    subscribed();
    Remote remote = remote(2).talk().subscribe();
    FakeHost.Opening opening;
    remote(3).connect();
    opening = host.takeOpening();
    Probe<PublishReply> published = system.probe();
    Probe<PublishReply> refused = system.probe();
    Probe<SubscribeReply> subscribed = system.probe();
    Probe<UnsubscribeReply> unsubscribed = system.probe();
    Probe<TopicPeers> peers = system.probe();
    Bytes data = Bytes.utf8("last words");
    gossip.tell(new Publish(TOPIC, data, published.ref()));
    gossip.tell(new Gossip.Stop());
    gossip.tell(new Publish(TOPIC, data, refused.ref()));
    gossip.tell(new Subscribe("more", subscriber.ref(), subscribed.ref()));
    gossip.tell(new Unsubscribe(TOPIC, subscriber.ref(), unsubscribed.ref()));
    gossip.tell(new GetTopicPeers(TOPIC, peers.ref()));
    FakeStream late = opening.succeed();
    FakeStream inbound = host.accept(remote.id);
    system.runUntilIdle();
    assertEquals(new Published(TOPIC, 1), published.next());
    assertEquals(List.of("last words"), remote.heard());
    assertEquals(Refusal.STOPPING, ((PublishRefused) refused.next()).refusal());
    assertEquals(Refusal.STOPPING, ((SubscribeRefused) subscribed.next()).refusal());
    assertEquals(new UnsubscribeReply(TOPIC, false), unsubscribed.next());
    assertEquals(new TopicPeers(TOPIC, List.of(), List.of()), peers.next());
    assertEquals(0, host.handlers.size());
    assertNotNull(remote.fromUs.resetReason);
    assertNotNull(remote.toUs.resetReason);
    assertNotNull(late.resetReason);
    assertNotNull(inbound.resetReason);
    int asked = dht.received().size();
    system.advance(Duration.ofHours(4));
    assertEquals(asked, dht.received().size());
  }
}
