package dev.troupe.protocol.gossipsub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.gossipsub.Effect.Deliver;
import dev.troupe.protocol.gossipsub.Effect.Graylisted;
import dev.troupe.protocol.gossipsub.Effect.MeshChanged;
import dev.troupe.protocol.gossipsub.Effect.PeerJoined;
import dev.troupe.protocol.gossipsub.Effect.PeerLeft;
import dev.troupe.protocol.gossipsub.Effect.Rejected;
import dev.troupe.protocol.gossipsub.Effect.Send;
import dev.troupe.protocol.gossipsub.Effect.Traffic;
import dev.troupe.protocol.gossipsub.Rpc.Graft;
import dev.troupe.protocol.gossipsub.Rpc.IHave;
import dev.troupe.protocol.gossipsub.Rpc.IWant;
import dev.troupe.protocol.gossipsub.Rpc.Prune;
import dev.troupe.protocol.gossipsub.Rpc.Subscription;
import dev.troupe.protocol.keys.KeyType;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.spec.RSAKeyGenParameterSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** One router, told by hand what its peers say. */
class RouterTest {

  private static final String TOPIC = "chat";
  private static final Crypto CRYPTO = RouterNetwork.CRYPTO;
  private static final PrivateKey SELF = RouterNetwork.key(1000);

  private GossipsubSettings settings = GossipsubSettings.DEFAULT;
  private Router router = newRouter(settings);
  private final List<PeerId> peers = new ArrayList<>();
  private long now;

  private static Router newRouter(GossipsubSettings settings) {
    return new Router(settings, SELF, CRYPTO, new SplittableRandom(1), 1);
  }

  private void use(GossipsubSettings other) {
    settings = other;
    router = newRouter(other);
  }

  private PeerId peer(boolean outbound, String... topics) {
    return peer(GossipsubVersion.V1_1, outbound, topics);
  }

  private PeerId peer(GossipsubVersion version, boolean outbound, String... topics) {
    PeerId id = PeerId.of(RouterNetwork.key(peers.size() + 1).publicKey());
    peers.add(id);
    router.addPeer(id, version, outbound, null);
    for (String topic : topics) {
      hear(id, Rpc.ofSubscriptions(List.of(new Subscription(true, topic))));
    }
    return id;
  }

  private void inboundPeers(int count) {
    for (int i = 0; i < count; i++) {
      peer(false, TOPIC);
    }
  }

  private List<Effect> hear(PeerId from, Rpc rpc) {
    return router.onRpc(from, rpc, now);
  }

  private List<Effect> hearGraft(PeerId from) {
    return hear(from, Rpc.ofMesh(List.of(new Graft(TOPIC)), List.of()));
  }

  private List<Effect> hearPrune(PeerId from, long seconds) {
    return hear(from, Rpc.ofMesh(List.of(), List.of(new Prune(TOPIC, List.of(), seconds))));
  }

  private List<Effect> heartbeat() {
    now += settings.heartbeatInterval().toNanos();
    return router.heartbeat(now);
  }

  private List<Effect> heartbeats(Duration length) {
    List<Effect> all = new ArrayList<>();
    long until = now + length.toNanos();
    while (now < until) {
      all.addAll(heartbeat());
    }
    return all;
  }

  private static Message message(int author, long seqno, String topic) {
    return MessageSigning.sign(
        RouterNetwork.key(author), CRYPTO, topic, Bytes.utf8("m" + seqno), seqno);
  }

  private static <T> List<T> only(Class<T> type, List<Effect> effects) {
    return effects.stream().filter(type::isInstance).map(type::cast).toList();
  }

  private static List<Send> sends(List<Effect> effects, Traffic traffic) {
    return only(Send.class, effects).stream().filter(s -> s.traffic() == traffic).toList();
  }

  private static Set<PeerId> grafted(List<Effect> effects) {
    Set<PeerId> peers = new LinkedHashSet<>();
    for (Send send : only(Send.class, effects)) {
      if (!send.rpc().graft().isEmpty()) {
        peers.addAll(send.to());
      }
    }
    return peers;
  }

  private static Set<PeerId> pruned(List<Effect> effects) {
    Set<PeerId> peers = new LinkedHashSet<>();
    for (Send send : only(Send.class, effects)) {
      if (!send.rpc().prune().isEmpty()) {
        peers.addAll(send.to());
      }
    }
    return peers;
  }

  // ---- joining and leaving

  @Test
  void aNewPeerIsToldOurSubscriptionsAndNothingWhenThereAreNone() {
    PeerId first = PeerId.of(RouterNetwork.key(1).publicKey());
    assertEquals(List.of(), router.addPeer(first, GossipsubVersion.V1_1, true, null));
    router.subscribe("a", now);
    router.subscribe("b", now);
    PeerId second = PeerId.of(RouterNetwork.key(2).publicKey());
    assertEquals(
        List.of(
            new Send(
                List.of(second),
                Rpc.ofSubscriptions(
                    List.of(new Subscription(true, "a"), new Subscription(true, "b"))),
                Traffic.CONTROL)),
        router.addPeer(second, GossipsubVersion.V1_1, true, null));
    assertEquals(List.of(), router.addPeer(second, GossipsubVersion.V1_1, true, null));
  }

  @Test
  void weAreNoPeerOfOurselvesAndPeersAreCapped() {
    use(settings.withLimits(new GossipsubSettings.Limits(1, 2, 2, 10, 10, 1000, 10)));
    router.addPeer(PeerId.of(SELF.publicKey()), GossipsubVersion.V1_1, true, null);
    assertFalse(router.knows(PeerId.of(SELF.publicKey())));
    PeerId first = peer(true);
    PeerId second = peer(true);
    assertTrue(router.knows(first));
    assertFalse(router.knows(second));
  }

  @Test
  void joiningTellsAllGraftsDegreePeersAndNamesThosePresent() {
    inboundPeers(10);
    PeerId other = peer(false);
    List<Effect> effects = router.subscribe(TOPIC, now);
    Send announcement = sends(effects, Traffic.CONTROL).get(0);
    assertEquals(peers, announcement.to());
    assertEquals(List.of(new Subscription(true, TOPIC)), announcement.rpc().subscriptions());
    assertEquals(6, grafted(effects).size());
    assertFalse(grafted(effects).contains(other));
    assertEquals(10, only(PeerJoined.class, effects).size());
    assertEquals(List.of(new MeshChanged(TOPIC, 6)), only(MeshChanged.class, effects));
    assertEquals(grafted(effects), Set.copyOf(router.meshPeers(TOPIC)));
    assertEquals(List.of(), router.subscribe(TOPIC, now));
  }

  @Test
  void leavingPrunesWithTheShortBackoffAndTellsAll() {
    inboundPeers(3);
    router.subscribe(TOPIC, now);
    List<Effect> effects = router.unsubscribe(TOPIC, now);
    assertEquals(Set.copyOf(peers), pruned(effects));
    assertEquals(
        List.of(new Prune(TOPIC, List.of(), 10)),
        sends(effects, Traffic.CONTROL).get(0).rpc().prune());
    Send last = sends(effects, Traffic.CONTROL).get(3);
    assertEquals(List.of(new Subscription(false, TOPIC)), last.rpc().subscriptions());
    assertEquals(List.of(), router.unsubscribe(TOPIC, now));
    assertEquals(List.of(), router.meshPeers(TOPIC));
    assertEquals(peers, router.topicPeers(TOPIC));
  }

  @Test
  void rejoiningWaitsForTheUnsubscribeBackoff() {
    inboundPeers(3);
    router.subscribe(TOPIC, now);
    router.unsubscribe(TOPIC, now);
    assertEquals(Set.of(), grafted(router.subscribe(TOPIC, now)));
    assertEquals(Set.of(), grafted(heartbeats(Duration.ofSeconds(10))));
    assertEquals(Set.copyOf(peers), grafted(heartbeats(Duration.ofSeconds(2))));
  }

  @Test
  void invalidTopicsAreOurBug() {
    assertThrows(IllegalArgumentException.class, () -> router.subscribe("", now));
    assertThrows(IllegalArgumentException.class, () -> router.subscribe("ü".repeat(513), now));
    assertThrows(IllegalArgumentException.class, () -> router.publish("", Bytes.EMPTY, now));
    use(settings.withLimits(new GossipsubSettings.Limits(1, 1, 2, 10, 10, 1000, 10)));
    router.subscribe("a", now);
    assertThrows(IllegalStateException.class, () -> router.subscribe("b", now));
  }

  @Test
  void peersJoinAndLeaveTopicsThatWeAreIn() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false);
    Rpc join = Rpc.ofSubscriptions(List.of(new Subscription(true, TOPIC)));
    assertEquals(List.of(new PeerJoined(TOPIC, peer)), hear(peer, join));
    assertEquals(List.of(), hear(peer, join));
    heartbeat();
    assertEquals(List.of(peer), router.meshPeers(TOPIC));
    assertEquals(
        List.of(new PeerLeft(TOPIC, peer), new MeshChanged(TOPIC, 0)),
        hear(peer, Rpc.ofSubscriptions(List.of(new Subscription(false, TOPIC)))));
    hear(peer, join);
    assertEquals(List.of(new PeerLeft(TOPIC, peer)), router.removePeer(peer));
    assertEquals(List.of(), router.topicPeers(TOPIC));
    assertEquals(List.of(), router.removePeer(peer));
  }

  @Test
  void subscriptionsOfOnePeerAreCapped() {
    use(settings.withLimits(new GossipsubSettings.Limits(9, 9, 2, 10, 10, 1000, 10)));
    PeerId peer = peer(false, "a", "b");
    assertEquals(
        List.of(new Rejected(peer, Rejection.TOO_MANY_TOPICS)),
        hear(peer, Rpc.ofSubscriptions(List.of(new Subscription(true, "c")))));
    assertEquals(List.of(), router.topicPeers("c"));
  }

  // ---- floods

  private static Message forged(int author, long seqno) {
    Message signed = message(author, seqno, TOPIC);
    return new Message(
        signed.from(),
        Bytes.utf8("forged"),
        signed.seqno(),
        signed.topic(),
        signed.signature(),
        signed.key(),
        signed.unknown());
  }

  private static Rpc forged(int count) {
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      messages.add(forged(50, i));
    }
    return new Rpc(List.of(), messages, List.of(), List.of(), List.of(), List.of());
  }

  @Test
  void aPeerThatSendsTooManyInvalidMessagesIsRemovedAndTheRestNotLookedAt() {
    router.subscribe(TOPIC, now);
    PeerId flooder = peer(false, TOPIC);
    PeerId honest = peer(false, TOPIC);
    hearGraft(flooder);
    List<Effect> effects = hear(flooder, forged(1000));
    assertEquals(
        Collections.nCopies(17, new Rejected(flooder, Rejection.BAD_SIGNATURE)),
        only(Rejected.class, effects));
    assertEquals(List.of(new PeerLeft(TOPIC, flooder)), only(PeerLeft.class, effects));
    assertEquals(List.of(new Graylisted(flooder)), only(Graylisted.class, effects));
    assertFalse(router.knows(flooder));
    assertEquals(List.of(honest), router.topicPeers(TOPIC));
    assertEquals(List.of(), router.meshPeers(TOPIC));
    assertEquals(List.of(), hear(flooder, forged(1)));
  }

  @Test
  void whoForwardsWhatWeCannotVerifyIsNotCountedAgainst() throws GeneralSecurityException {
    router.subscribe("chat", now);
    PeerId honest = peer(false, "chat");
    KeyPair weak =
        MessageSigningTest.foreign(
            "RSA", new RSAKeyGenParameterSpec(1024, RSAKeyGenParameterSpec.F4));
    Message message =
        MessageSigningTest.signedBy(
            weak, MessageSigningTest.author(weak, KeyType.RSA), "SHA256withRSA");
    for (int i = 0; i < 100; i++) {
      assertEquals(
          List.of(new Rejected(honest, Rejection.UNSUPPORTED_KEY)),
          hear(honest, Rpc.ofMessage(message)));
    }
    assertTrue(router.knows(honest));
  }

  @Test
  void theBudgetOfInvalidMessagesIsRefilledAtTheHeartbeat() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    for (int i = 0; i < 5; i++) {
      assertEquals(16, only(Rejected.class, hear(peer, forged(16))).size());
      heartbeat();
    }
    assertTrue(router.knows(peer));
    hear(peer, forged(16));
    // What is no fault of the peer is not counted.
    hear(peer, Rpc.ofMessage(MessageSigning.sign(SELF, CRYPTO, TOPIC, Bytes.EMPTY, 99)));
    hear(peer, Rpc.ofMessage(message(51, 1, TOPIC)));
    hear(peer, Rpc.ofMessage(forged(51, 1)));
    assertTrue(router.knows(peer));
    hear(peer, forged(1));
    assertFalse(router.knows(peer));
  }

  private static Rpc changes(boolean... subscribe) {
    List<Subscription> changes = new ArrayList<>();
    for (boolean each : subscribe) {
      changes.add(new Subscription(each, TOPIC));
    }
    return Rpc.ofSubscriptions(changes);
  }

  @Test
  void ofOneRpcOnlyTheLastWordOnATopicCounts() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false);
    assertEquals(List.of(), hear(peer, changes(true, false, true, false)));
    assertEquals(
        List.of(new PeerJoined(TOPIC, peer)), hear(peer, changes(true, false, true, false, true)));
    assertEquals(List.of(), hear(peer, changes(false, true)));
  }

  @Test
  void aFlappingSubscriptionChangesAtMostFourTimesAndThenAtTheHeartbeat() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false);
    List<Effect> effects = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      effects.addAll(hear(peer, changes(i % 2 == 0)));
    }
    assertEquals(2, only(PeerJoined.class, effects).size());
    assertEquals(2, only(PeerLeft.class, effects).size());
    assertEquals(
        List.of(new Rejected(peer, Rejection.SUBSCRIPTION_FLAPPING)),
        only(Rejected.class, effects));
    hear(peer, changes(true));
    assertEquals(List.of(), router.topicPeers(TOPIC));
    // The last word is not lost.
    assertEquals(List.of(new PeerJoined(TOPIC, peer)), only(PeerJoined.class, heartbeat()));
    assertEquals(List.of(peer), router.topicPeers(TOPIC));
    assertEquals(
        List.of(new PeerLeft(TOPIC, peer)), only(PeerLeft.class, hear(peer, changes(false))));
  }

  @Test
  void aGraftEndsTheHoldOfItsSubscriptionOnce() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false);
    for (int i = 0; i < 5; i++) {
      hear(peer, changes(i % 2 == 0));
    }
    assertEquals(List.of(), router.topicPeers(TOPIC));
    assertEquals(List.of(new PeerJoined(TOPIC, peer), new MeshChanged(TOPIC, 1)), hearGraft(peer));
    assertEquals(List.of(peer), router.meshPeers(TOPIC));
    // It goes on flapping, and grafting: nothing of that is heard before the heartbeat.
    for (int i = 0; i < 10; i++) {
      assertEquals(List.of(), hear(peer, changes(false)));
      assertEquals(List.of(), hearGraft(peer));
    }
    assertEquals(List.of(peer), router.meshPeers(TOPIC));
    hear(peer, changes(false));
    assertEquals(List.of(new PeerLeft(TOPIC, peer)), only(PeerLeft.class, heartbeat()));
  }

  @Test
  void aHeldSubscriptionThatIsOneTooManyIsRejectedAtTheHeartbeat() {
    use(settings.withLimits(new GossipsubSettings.Limits(9, 9, 1, 10, 10, 1000, 10)));
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false);
    for (int i = 0; i < 5; i++) {
      hear(peer, changes(i % 2 == 0));
    }
    hear(peer, Rpc.subscribed(List.of("other")));
    List<Effect> tooMany = List.of(new Rejected(peer, Rejection.TOO_MANY_TOPICS));
    assertEquals(tooMany, heartbeat());
    // Said once between two heartbeats.
    assertEquals(List.of(), hear(peer, Rpc.subscribed(List.of("a", "b"))));
    heartbeat();
    assertEquals(tooMany, hear(peer, Rpc.subscribed(List.of("a", "b"))));
  }

  @Test
  void aPeerThatGoesWhileItsLastWordIsHeldStaysGone() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false);
    for (int i = 0; i < 5; i++) {
      hear(peer, changes(i % 2 == 0));
    }
    router.removePeer(peer);
    assertEquals(List.of(), heartbeat());
    assertEquals(List.of(), router.topicPeers(TOPIC));
  }

  // ---- what is too large for one RPC

  @Test
  void greetingsAndGraftsOfManyLongTopicsAreDivided() throws MalformedException {
    use(settings.withLimits(new GossipsubSettings.Limits(9, 1100, 1100, 10, 10, 1000, 10_000)));
    List<String> topics = new ArrayList<>();
    for (int i = 0; i < 1100; i++) {
      topics.add("x".repeat(RpcCodec.MAX_TOPIC_BYTES - 4) + (1000 + i));
    }
    topics.forEach(topic -> router.subscribe(topic, now));
    PeerId peer = RouterNetwork.key(1).peerId();
    List<Effect> greeting = router.addPeer(peer, GossipsubVersion.V1_1, true, null);
    hear(peer, Rpc.subscribed(topics));
    List<String> subscribed = new ArrayList<>();
    List<String> grafted = new ArrayList<>();
    for (List<Effect> effects : List.of(greeting, heartbeat(), router.greet(peer))) {
      assertTrue(only(Send.class, effects).size() > 1);
      for (Send send : only(Send.class, effects)) {
        Rpc rpc = RpcCodec.decode(RpcCodec.encode(send.rpc()));
        rpc.subscriptions().forEach(each -> subscribed.add(each.topic()));
        rpc.graft().forEach(each -> grafted.add(each.topic()));
      }
    }
    List<String> twice = new ArrayList<>(topics);
    twice.addAll(topics);
    assertEquals(twice, subscribed);
    assertEquals(twice, grafted);
  }

  @Test
  void theLargestRpcIsPublishedTakenAndForwardedAndNoneLarger() throws MalformedException {
    router.subscribe(TOPIC, now);
    PeerId one = peer(false, TOPIC);
    PeerId other = peer(false, TOPIC);
    hearGraft(other);
    int some = 1_000_000;
    int overhead = RpcCodec.encode(publishedRpc(some)).size() - some;
    int largest = RpcCodec.MAX_RPC_BYTES - overhead;
    assertTrue(router.publish(TOPIC, Bytes.wrap(new byte[largest + 1]), now).isEmpty());
    Rpc published = publishedRpc(largest);
    assertEquals(RpcCodec.MAX_RPC_BYTES, RpcCodec.encode(published).size());
    Message theirs =
        MessageSigning.sign(RouterNetwork.key(60), CRYPTO, TOPIC, Bytes.wrap(new byte[largest]), 7);
    Rpc received = RpcCodec.decode(RpcCodec.encode(Rpc.ofMessage(theirs)));
    Send forwarded = sends(hear(one, received), Traffic.FORWARDED).get(0);
    assertEquals(List.of(other), forwarded.to());
    assertEquals(RpcCodec.MAX_RPC_BYTES, RpcCodec.encode(forwarded.rpc()).size());
  }

  private Rpc publishedRpc(int bytes) {
    return Rpc.ofMessage(
        router.publish(TOPIC, Bytes.wrap(new byte[bytes]), now).orElseThrow().message());
  }

  @Test
  void unknownPeersAreNotHeard() {
    router.subscribe(TOPIC, now);
    PeerId stranger = PeerId.of(RouterNetwork.key(77).publicKey());
    assertEquals(List.of(), hearGraft(stranger));
    assertEquals(List.of(), hear(stranger, Rpc.ofMessage(message(3, 1, TOPIC))));
  }

  // ---- mesh maintenance

  @Test
  void aMeshBelowDegreeLowIsFilledToDegree() {
    router.subscribe(TOPIC, now);
    inboundPeers(4);
    heartbeat();
    assertEquals(4, router.meshPeers(TOPIC).size());
    inboundPeers(10);
    List<Effect> effects = heartbeat();
    assertEquals(2, grafted(effects).size());
    assertEquals(6, router.meshPeers(TOPIC).size());
    assertEquals(Set.of(), grafted(heartbeat()));
  }

  @Test
  void aMeshAboveDegreeHighIsPrunedToDegreeAndKeepsOutboundPeers() {
    router.subscribe(TOPIC, now);
    PeerId out1 = peer(true, TOPIC);
    PeerId out2 = peer(true, TOPIC);
    inboundPeers(10);
    for (PeerId peer : peers) {
      hearGraft(peer);
    }
    PeerId out3 = peer(true, TOPIC);
    hearGraft(out3);
    assertEquals(13, router.meshPeers(TOPIC).size());
    List<Effect> effects = heartbeat();
    assertEquals(7, pruned(effects).size());
    assertEquals(6, router.meshPeers(TOPIC).size());
    long outbound =
        List.of(out1, out2, out3).stream().filter(router.meshPeers(TOPIC)::contains).count();
    assertTrue(outbound >= 2, outbound + " outbound peers");
    Prune prune = sends(effects, Traffic.CONTROL).get(0).rpc().prune().get(0);
    assertEquals(new Prune(TOPIC, List.of(), 60), prune);
    assertEquals(List.of(new MeshChanged(TOPIC, 6)), only(MeshChanged.class, effects));
  }

  @Test
  void aMeshWithTooFewOutboundPeersGraftsOutboundPeers() {
    router.subscribe(TOPIC, now);
    inboundPeers(5);
    peers.forEach(this::hearGraft);
    PeerId out1 = peer(true, TOPIC);
    PeerId out2 = peer(true, TOPIC);
    peer(true, TOPIC);
    Set<PeerId> grafted = grafted(heartbeat());
    assertEquals(2, grafted.size());
    assertTrue(peers.subList(5, 8).containsAll(grafted), out1 + " " + out2);
  }

  @Test
  void aFullMeshRefusesInboundGraftsAndTakesOutboundOnes() {
    router.subscribe(TOPIC, now);
    inboundPeers(12);
    peers.forEach(this::hearGraft);
    PeerId in = peer(false, TOPIC);
    assertEquals(Set.of(in), pruned(hearGraft(in)));
    PeerId out = peer(true, TOPIC);
    assertEquals(Set.of(), pruned(hearGraft(out)));
    assertTrue(router.meshPeers(TOPIC).contains(out));
  }

  @Test
  void graftsForTopicsThatWeAreNotInAreIgnored() {
    PeerId peer = peer(false, TOPIC);
    assertEquals(List.of(), hearGraft(peer));
    assertEquals(List.of(), hearPrune(peer, 60));
  }

  @Test
  void aGraftIsASubscription() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false);
    assertEquals(List.of(new PeerJoined(TOPIC, peer), new MeshChanged(TOPIC, 1)), hearGraft(peer));
    assertEquals(List.of(peer), router.topicPeers(TOPIC));
    assertEquals(List.of(), hearGraft(peer));
  }

  @Test
  void aPrunedPeerIsGraftedAgainOnlyAfterItsBackoff() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    heartbeat();
    assertEquals(List.of(new MeshChanged(TOPIC, 0)), hearPrune(peer, 20));
    assertEquals(Set.of(), grafted(heartbeats(Duration.ofSeconds(20))));
    assertEquals(Set.of(peer), grafted(heartbeats(Duration.ofSeconds(2))));
  }

  @Test
  void aPruneWithoutBackoffMeansTheDefaultAndAHugeOneIsCapped() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    hearPrune(peer, 0);
    assertEquals(Set.of(), grafted(heartbeats(Duration.ofSeconds(60))));
    assertEquals(Set.of(peer), grafted(heartbeats(Duration.ofSeconds(2))));
    hearPrune(peer, Long.MAX_VALUE);
    now += Router.MAX_BACKOFF.toNanos();
    assertEquals(Set.of(peer), grafted(heartbeats(Duration.ofSeconds(2))));
  }

  @Test
  void aGraftDuringTheBackoffIsAnsweredOnceThenIgnored() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    hearPrune(peer, 60);
    List<Effect> first = hearGraft(peer);
    assertEquals(Set.of(peer), pruned(first));
    assertTrue(first.contains(new Rejected(peer, Rejection.GRAFT_DURING_BACKOFF)));
    assertEquals(List.of(new Rejected(peer, Rejection.GRAFT_FLOOD)), hearGraft(peer));
    now += Duration.ofSeconds(11).toNanos();
    assertEquals(Set.of(peer), pruned(hearGraft(peer)));
    // Each of them began the backoff anew.
    now += Duration.ofSeconds(59).toNanos();
    assertEquals(Set.of(peer), pruned(hearGraft(peer)));
    now += Duration.ofSeconds(60).toNanos();
    assertEquals(List.of(new MeshChanged(TOPIC, 1)), hearGraft(peer));
  }

  @Test
  void olderPeersAreToldNoBackoff() {
    router.subscribe(TOPIC, now);
    PeerId old = peer(GossipsubVersion.V1_0, false, TOPIC);
    hearPrune(old, 0);
    Send send = sends(hearGraft(old), Traffic.CONTROL).get(0);
    assertEquals(List.of(new Prune(TOPIC, List.of(), 0)), send.rpc().prune());
  }

  @Test
  void rememberedBackoffsAreCapped() {
    Backoffs backoffs = new Backoffs(0, 2);
    List<PeerId> ids = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      ids.add(PeerId.of(RouterNetwork.key(i).publicKey()));
      backoffs.add(TOPIC, ids.get(i - 1), 100, 0);
    }
    assertEquals(2, backoffs.size());
    assertFalse(backoffs.isInForce(TOPIC, ids.get(0), 1));
    assertTrue(backoffs.isInForce(TOPIC, ids.get(2), 99));
    backoffs.expire(100);
    assertEquals(0, backoffs.size());
  }

  // ---- messages

  @Test
  void aNewMessageIsDeliveredOnceAndForwardedToTheRestOfTheMesh() {
    router.subscribe(TOPIC, now);
    inboundPeers(4);
    heartbeat();
    PeerId source = peers.get(0);
    // Peer 2 (key 2) is the author.
    Message message = message(2, 1, TOPIC);
    List<Effect> effects = hear(source, Rpc.ofMessage(message));
    assertEquals(List.of(new Deliver(peers.get(1), message)), only(Deliver.class, effects));
    Send forward = sends(effects, Traffic.FORWARDED).get(0);
    assertEquals(Set.of(peers.get(2), peers.get(3)), Set.copyOf(forward.to()));
    assertEquals(List.of(), hear(peers.get(2), Rpc.ofMessage(message)));
  }

  @Test
  void messagesOfTopicsThatWeAreNotInAreIgnored() {
    PeerId peer = peer(false, TOPIC);
    assertEquals(List.of(), hear(peer, Rpc.ofMessage(message(5, 1, TOPIC))));
  }

  @Test
  void invalidMessagesAreReportedAndNotRememberedAsSeen() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    Message good = message(5, 1, TOPIC);
    Message forged =
        new Message(
            good.from(),
            Bytes.utf8("forged"),
            good.seqno(),
            TOPIC,
            good.signature(),
            null,
            Bytes.EMPTY);
    assertEquals(
        List.of(new Rejected(peer, Rejection.BAD_SIGNATURE)), hear(peer, Rpc.ofMessage(forged)));
    assertEquals(1, only(Deliver.class, hear(peer, Rpc.ofMessage(good))).size());
  }

  @Test
  void ourOwnMessagesComeBackUnheard() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    Message ours = router.publish(TOPIC, Bytes.utf8("x"), now).orElseThrow().message();
    assertEquals(List.of(), hear(peer, Rpc.ofMessage(ours)));
    Message claimed = MessageSigning.sign(SELF, CRYPTO, TOPIC, Bytes.utf8("y"), 999);
    assertEquals(
        List.of(new Rejected(peer, Rejection.CLAIMS_TO_BE_OURS)),
        hear(peer, Rpc.ofMessage(claimed)));
  }

  @Test
  void aMessageIsNewAgainWhenTheDuplicateWindowHasPassed() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    Message message = message(5, 1, TOPIC);
    hear(peer, Rpc.ofMessage(message));
    now += Duration.ofSeconds(300).toNanos() - 1;
    assertEquals(List.of(), only(Deliver.class, hear(peer, Rpc.ofMessage(message))));
    now += 1;
    assertEquals(1, only(Deliver.class, hear(peer, Rpc.ofMessage(message))).size());
  }

  @Test
  void seenIdsAreCappedTheOldestGoFirst() {
    SeenCache seen = new SeenCache(1000, 2);
    for (int i = 0; i < 3; i++) {
      seen.add(Bytes.of((byte) i), i);
    }
    assertEquals(2, seen.size());
    assertFalse(seen.contains(Bytes.of((byte) 0), 5));
    assertTrue(seen.contains(Bytes.of((byte) 1), 5));
  }

  // ---- publishing

  @Test
  void floodPublishingReachesAllPeersOfTheTopic() {
    router.subscribe(TOPIC, now);
    inboundPeers(20);
    heartbeat();
    Publication publication = router.publish(TOPIC, Bytes.utf8("x"), now).orElseThrow();
    assertEquals(20, publication.recipients());
    assertEquals(peers, sends(publication.effects(), Traffic.PUBLISHED).get(0).to());
    assertEquals(List.of(), only(Deliver.class, publication.effects()));
  }

  @Test
  void withoutFloodPublishingOnlyTheMeshIsSentIt() {
    use(settings.withFloodPublish(false));
    router.subscribe(TOPIC, now);
    inboundPeers(20);
    heartbeat();
    Publication publication = router.publish(TOPIC, Bytes.utf8("x"), now).orElseThrow();
    assertEquals(
        router.meshPeers(TOPIC), sends(publication.effects(), Traffic.PUBLISHED).get(0).to());
  }

  @Test
  void withoutSubscriptionTheFanoutIsSentItAndKeptForItsTimeToLive() {
    use(settings.withFloodPublish(false));
    inboundPeers(20);
    List<PeerId> first = published();
    assertEquals(6, first.size());
    heartbeats(Duration.ofSeconds(59));
    assertEquals(first, published());
    // One of them goes: the heartbeat fills its place.
    router.removePeer(first.get(0));
    heartbeat();
    List<PeerId> second = published();
    assertEquals(6, second.size());
    assertEquals(first.subList(1, 6), second.subList(0, 5));
    heartbeats(Duration.ofSeconds(61));
    List<PeerId> third = published();
    assertFalse(Set.copyOf(second).equals(Set.copyOf(third)), "the fanout was not forgotten");
  }

  @Test
  void joiningTakesTheFanoutOver() {
    use(settings.withFloodPublish(false));
    inboundPeers(20);
    List<PeerId> fanout = published();
    router.subscribe(TOPIC, now);
    assertEquals(fanout, router.meshPeers(TOPIC));
  }

  private List<PeerId> published() {
    Publication publication = router.publish(TOPIC, Bytes.utf8("x"), now).orElseThrow();
    return sends(publication.effects(), Traffic.PUBLISHED).get(0).to();
  }

  @Test
  void aMessageForNobodyIsOfferedToWhoComesWithinTheHistory() {
    Publication publication = router.publish(TOPIC, Bytes.utf8("x"), now).orElseThrow();
    assertEquals(0, publication.recipients());
    assertEquals(List.of(), publication.effects());
    PeerId late = peer(false, TOPIC);
    Bytes id = publication.message().id();
    assertEquals(
        List.of(
            new Send(
                List.of(late),
                Rpc.ofIHave(List.of(new IHave(TOPIC, List.of(id)))),
                Traffic.GOSSIP)),
        heartbeat());
    assertEquals(
        List.of(new Send(List.of(late), Rpc.ofMessage(publication.message()), Traffic.FORWARDED)),
        hear(late, Rpc.ofIWant(new IWant(List.of(id)))));
  }

  @Test
  void messagesOverTheLimitAreRefusedAndSequenceNumbersGrow() {
    assertTrue(
        router.publish(TOPIC, Bytes.wrap(new byte[RpcCodec.MAX_MESSAGE_BYTES + 1]), now).isEmpty());
    assertTrue(
        router
            .publish(TOPIC, Bytes.wrap(new byte[RpcCodec.MAX_MESSAGE_BYTES - 50]), now)
            .isEmpty());
    assertTrue(
        router
            .publish(TOPIC, Bytes.wrap(new byte[RpcCodec.MAX_MESSAGE_BYTES - 200]), now)
            .isPresent());
    Bytes first = router.publish(TOPIC, Bytes.EMPTY, now).orElseThrow().message().seqno();
    Bytes second = router.publish(TOPIC, Bytes.EMPTY, now).orElseThrow().message().seqno();
    assertTrue(first.compareTo(second) < 0);
  }

  // ---- gossip

  @Test
  void gossipGoesToPeersOutsideTheMeshForThreeHeartbeatsAndIsServedForFive() {
    router.subscribe(TOPIC, now);
    inboundPeers(20);
    heartbeat();
    Message message = message(300, 1, TOPIC);
    hear(peers.get(0), Rpc.ofMessage(message));
    Set<PeerId> mesh = Set.copyOf(router.meshPeers(TOPIC));
    for (int i = 1; i <= 6; i++) {
      List<Send> gossip = sends(heartbeat(), Traffic.GOSSIP);
      assertEquals(i <= 3 ? 6 : 0, gossip.size(), "heartbeat " + i);
      for (Send send : gossip) {
        assertFalse(mesh.contains(send.to().get(0)));
        assertEquals(List.of(new IHave(TOPIC, List.of(message.id()))), send.rpc().ihave());
      }
      List<Effect> served = hear(peers.get(i), Rpc.ofIWant(new IWant(List.of(message.id()))));
      assertEquals(i < 5 ? 1 : 0, served.size(), "heartbeat " + i);
    }
  }

  @Test
  void theGossipFactorTellsAShareOfManyPeers() {
    router.subscribe(TOPIC, now);
    inboundPeers(86);
    heartbeat();
    hear(peers.get(0), Rpc.ofMessage(message(300, 1, TOPIC)));
    assertEquals(20, sends(heartbeat(), Traffic.GOSSIP).size());
  }

  @Test
  void whatIsMissingIsAskedForOnceInEachIHave() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    Message known = message(300, 1, TOPIC);
    Bytes unknown = message(300, 2, TOPIC).id();
    hear(peer, Rpc.ofMessage(known));
    List<Effect> effects =
        hear(
            peer,
            Rpc.ofIHave(
                List.of(
                    new IHave(TOPIC, List.of(known.id(), unknown, unknown)),
                    new IHave("elsewhere", List.of(Bytes.utf8("other"))))));
    assertEquals(
        List.of(new Send(List.of(peer), Rpc.ofIWant(new IWant(List.of(unknown))), Traffic.GOSSIP)),
        effects);
  }

  @Test
  void iHaveIsLimitedInNumberUntilTheNextHeartbeat() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    Rpc ihave = Rpc.ofIHave(List.of(new IHave(TOPIC, List.of(Bytes.utf8("unknown")))));
    for (int i = 0; i < 10; i++) {
      assertEquals(1, sends(hear(peer, ihave), Traffic.GOSSIP).size());
    }
    assertEquals(List.of(new Rejected(peer, Rejection.IHAVE_FLOOD)), hear(peer, ihave));
    assertEquals(List.of(), hear(peer, ihave));
    heartbeat();
    assertEquals(1, sends(hear(peer, ihave), Traffic.GOSSIP).size());
  }

  @Test
  void idsAskedOfOnePeerAreLimitedUntilTheNextHeartbeat() {
    router.subscribe(TOPIC, now);
    PeerId peer = peer(false, TOPIC);
    List<Bytes> ids = new ArrayList<>();
    for (int i = 0; i < 6_000; i++) {
      ids.add(Bytes.utf8("id" + i));
    }
    Rpc ihave = Rpc.ofIHave(List.of(new IHave(TOPIC, ids)));
    Send asked = sends(hear(peer, ihave), Traffic.GOSSIP).get(0);
    assertEquals(5_000, asked.rpc().iwant().get(0).messageIds().size());
    assertEquals(List.of(new Rejected(peer, Rejection.IHAVE_FLOOD)), hear(peer, ihave));
  }

  @Test
  void iWantIsServedThreeTimesToEachPeer() {
    router.subscribe(TOPIC, now);
    PeerId one = peer(false, TOPIC);
    PeerId other = peer(false, TOPIC);
    Bytes id = router.publish(TOPIC, Bytes.utf8("x"), now).orElseThrow().message().id();
    Rpc iwant = Rpc.ofIWant(new IWant(List.of(id, id)));
    for (int i = 0; i < 3; i++) {
      assertEquals(1, hear(one, iwant).size());
    }
    assertEquals(List.of(), hear(one, iwant));
    assertEquals(1, hear(other, iwant).size());
    assertEquals(List.of(), hear(one, Rpc.ofIWant(new IWant(List.of(Bytes.utf8("unknown"))))));
  }

  @Test
  void theMessageCacheIsCappedTheOldestGoFirst() {
    MessageCache cache = new MessageCache(5, 3, 2, 1_000);
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      messages.add(message(300, i, TOPIC));
      cache.put(messages.get(i));
    }
    assertEquals(messages.subList(1, 3), cache.gossip(TOPIC));
    MessageCache bytes = new MessageCache(5, 3, 100, 3);
    messages.forEach(bytes::put);
    assertEquals(messages.subList(2, 3), bytes.gossip(TOPIC));
  }

  // ---- the two forms of message ids

  @Test
  void idsOfJsPeersAreRecognised() {
    router.subscribe(TOPIC, now);
    PeerId js = peer(false, TOPIC);
    Message message = message(300, 1, TOPIC);
    Bytes jsId = MessageIdForm.PUBLIC_KEY.idOf(message);
    Rpc ihave = Rpc.ofIHave(List.of(new IHave(TOPIC, List.of(jsId))));
    assertEquals(
        List.of(jsId),
        sends(hear(js, ihave), Traffic.GOSSIP).get(0).rpc().iwant().get(0).messageIds());
    hear(js, Rpc.ofMessage(message));
    assertEquals(List.of(), hear(js, ihave));
    assertEquals(1, hear(js, Rpc.ofIWant(new IWant(List.of(jsId)))).size());
  }

  @Test
  void jsPeersAreToldTheirFormOnceItIsKnown() {
    PeerId js = peer(false, TOPIC);
    Message own = router.publish(TOPIC, Bytes.utf8("x"), now).orElseThrow().message();
    assertEquals(own.id(), toldId(heartbeat()));
    Bytes jsId = MessageIdForm.PUBLIC_KEY.idOf(own);
    hear(js, Rpc.ofIWant(new IWant(List.of(jsId))));
    assertEquals(jsId, toldId(heartbeat()));
  }

  @Test
  void whoJoinsTheMeshIsToldOfRecentMessagesOnceWhereItsFormIsKnown() {
    router.subscribe(TOPIC, now);
    Message own = router.publish(TOPIC, Bytes.utf8("x"), now).orElseThrow().message();
    PeerId unknown = peer(false, TOPIC);
    PeerId known = PeerId.of(RouterNetwork.key(500).publicKey());
    router.addPeer(known, GossipsubVersion.V1_1, false, MessageIdForm.PUBLIC_KEY);
    hearGraft(known);
    List<Effect> effects = heartbeat();
    assertEquals(Set.of(known, unknown), Set.copyOf(router.meshPeers(TOPIC)));
    List<Send> gossip = sends(effects, Traffic.GOSSIP);
    assertEquals(1, gossip.size());
    assertEquals(List.of(known), gossip.get(0).to());
    assertEquals(MessageIdForm.PUBLIC_KEY.idOf(own), toldId(effects));
    assertEquals(List.of(), sends(heartbeat(), Traffic.GOSSIP));
  }

  private static Bytes toldId(List<Effect> effects) {
    return sends(effects, Traffic.GOSSIP).get(0).rpc().ihave().get(0).messageIds().get(0);
  }
}
