package dev.troupe.actors.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.Dht.FindProviders;
import dev.troupe.actors.dht.Dht.OperationFailed;
import dev.troupe.actors.dht.Dht.PeerWithAddresses;
import dev.troupe.actors.dht.Dht.Provide;
import dev.troupe.actors.dht.Dht.Provided;
import dev.troupe.actors.dht.Dht.ProvidersFound;
import dev.troupe.actors.dht.Dht.Reason;
import dev.troupe.actors.dht.Dht.State;
import dev.troupe.actors.dht.Dht.StateChanged;
import dev.troupe.actors.dht.Readiness;
import dev.troupe.actors.gossip.Gossip.Advertised;
import dev.troupe.actors.gossip.Gossip.Discovered;
import dev.troupe.actors.gossip.Gossip.MeshFormed;
import dev.troupe.actors.gossip.Gossip.TopicEvent;
import dev.troupe.actors.gossip.Gossip.TopicNews;
import dev.troupe.actors.gossip.Gossip.TopicStarted;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One subscription on virtual time, between probes for Gossip, the DHT and the connections. */
class TopicTest {

  private static final String NAME = "chat";
  private static final Multihash KEY = Multihash.sha256(FakeWorld.CRYPTO, Bytes.utf8(NAME));
  private static final PeerId SELF = FakeWorld.key(1).peerId();
  private static final PeerId OTHER = FakeWorld.key(2).peerId();

  private final SimulatedSystem system = SimulatedSystem.create();
  private final Probe<Gossip.Command> gossip = system.probe();
  private final Probe<Connections.Command> connections = system.probe();
  private final Probe<Dht.Command> dht = system.probe();
  private final ActorRef<Topic.Command> topic =
      system.spawn(
          Topic.create(
              NAME,
              KEY,
              SELF,
              5,
              GossipSettings.TopicSettings.DEFAULT,
              new SplittableRandom(1),
              gossip.ref(),
              connections.ref(),
              dht.ref()),
          "topic");

  private Provide provide;
  private FindProviders find;
  private ActorRef<StateChanged> states;

  @AfterEach
  void close() {
    system.close();
  }

  /** Takes what the actor asks of the DHT when it begins, and says the state. */
  private void begin(State state) {
    provide = dht.expect(Provide.class);
    find = dht.expect(FindProviders.class);
    states = dht.expect(Dht.Subscribe.class).subscriber();
    states.tell(new StateChanged(state, 0, 2));
    gossip.expect(new TopicStarted(NAME));
    dht.expectNone();
  }

  private void state(State state) {
    states.tell(new StateChanged(state, 1, 0));
    system.runUntilIdle();
  }

  private void provided() {
    provide.replyTo().tell(new Provided(KEY, 3));
    system.runUntilIdle();
    assertEquals(
        new TopicNews(new Advertised(NAME, 3)),
        gossip.received().get(gossip.received().size() - 1));
  }

  private void provideFailed(Reason reason) {
    provide.replyTo().tell(new OperationFailed(reason, "by order of the test"));
    system.runUntilIdle();
  }

  private void found(PeerId... peers) {
    List<PeerWithAddresses> providers = new ArrayList<>();
    for (PeerId peer : peers) {
      providers.add(new PeerWithAddresses(peer, List.of()));
    }
    find.replyTo().tell(new ProvidersFound(KEY, providers));
    system.runUntilIdle();
  }

  private void findFailed(Reason reason) {
    find.replyTo().tell(new OperationFailed(reason, "by order of the test"));
    system.runUntilIdle();
  }

  private TopicEvent news() {
    return gossip.expect(TopicNews.class).event();
  }

  private void mesh(int size) {
    topic.tell(new Topic.MeshSize(size));
    system.runUntilIdle();
  }

  /** The DHT must be asked for providers after this pause, not before. */
  private void expectFindAfter(Duration pause) {
    dht.expectNone(pause.minusNanos(1));
    system.advance(Duration.ofNanos(1));
    find = dht.expect(FindProviders.class);
  }

  private void expectProvideAfter(Duration pause) {
    dht.expectNone(pause.minusNanos(1));
    system.advance(Duration.ofNanos(1));
    provide = dht.expect(Provide.class);
  }

  @Test
  void advertisesAndDiscoversAtOnceSoThatBothWaitInTheStash() {
    begin(State.BOOTSTRAPPING);
    assertEquals(KEY, provide.key());
    assertEquals(Readiness.UNTIL_GATE_OPENS, provide.readiness());
    assertEquals(KEY, find.key());
    assertEquals(100, find.limit());
    assertEquals(Readiness.UNTIL_GATE_OPENS, find.readiness());
    // Becoming ready runs the stash: nothing is asked twice.
    state(State.READY);
    dht.expectNone();
  }

  @Test
  void connectsToTheProvidersItFindsExceptItself() throws Exception {
    begin(State.READY);
    List<Multiaddr> addresses = List.of(Multiaddr.parse("/ip4/10.0.0.1/tcp/1"));
    find.replyTo()
        .tell(
            new ProvidersFound(
                KEY,
                List.of(
                    new PeerWithAddresses(SELF, List.of()),
                    new PeerWithAddresses(OTHER, addresses))));
    Connections.Connect connect = connections.expect(Connections.Connect.class);
    assertEquals(OTHER, connect.peer());
    assertEquals(addresses, connect.addresses());
    connections.expectNone();
    assertEquals(new Discovered(NAME, List.of(OTHER)), news());
  }

  @Test
  void whoeverIsStillDialledWhenTheTopicIsLeftIsNotAnyMore() throws Exception {
    begin(State.READY);
    found(OTHER, FakeWorld.key(3).peerId());
    Connections.Connect first = connections.expect(Connections.Connect.class);
    Connections.Connect second = connections.expect(Connections.Connect.class);
    reached(first);
    system.runUntilIdle();
    system.stop(topic);
    assertEquals(
        new Connections.Withdraw(second.peer(), second.replyTo()),
        connections.expect(Connections.Withdraw.class));
    connections.expectNone();
  }

  private static PeerId[] many(int count) {
    PeerId[] many = new PeerId[count];
    for (int i = 0; i < count; i++) {
      many[i] = FakeWorld.key(i + 2).peerId();
    }
    return many;
  }

  private List<Connections.Connect> dials() {
    system.runUntilIdle();
    List<Connections.Connect> dials = new ArrayList<>();
    while (!connections.pending().isEmpty()) {
      dials.add(connections.expect(Connections.Connect.class));
    }
    return dials;
  }

  private void reached(Connections.Connect dial) throws MalformedException {
    dial.replyTo()
        .tell(new Connections.Connected(dial.peer(), Multiaddr.parse("/ip4/10.0.0.1/tcp/1")));
  }

  private void unreachable(Connections.Connect dial) {
    dial.replyTo()
        .tell(
            new Connections.ConnectFailed(
                dial.peer(), new HostFailure(HostFailure.Kind.TIMED_OUT, "by order of the test")));
  }

  @Test
  void dialsAFewProvidersAtATimeAndAnotherForEachThatCannotBeReached() throws Exception {
    begin(State.READY);
    PeerId[] many = many(120);
    found(many);
    List<Connections.Connect> first = dials();
    assertEquals(5, first.size());
    assertNotEquals(
        List.of(many).subList(0, 5), first.stream().map(Connections.Connect::peer).toList());
    assertEquals(100, ((Discovered) news()).peers().size());
    unreachable(first.get(0));
    unreachable(first.get(1));
    assertEquals(2, dials().size());
    reached(first.get(2));
    assertEquals(List.of(), dials());
    // An answer that comes twice counts once.
    reached(first.get(2));
    unreachable(first.get(0));
    assertEquals(List.of(), dials());
  }

  @Test
  void dialsEveryProviderOnceWhereNoneCanBeReached() {
    begin(State.READY);
    found(many(120));
    Set<PeerId> dialled = new LinkedHashSet<>();
    for (List<Connections.Connect> dials = dials(); !dials.isEmpty(); dials = dials()) {
      assertTrue(dials.size() <= 5, dials.size() + " at once");
      for (Connections.Connect dial : dials) {
        assertTrue(dialled.add(dial.peer()), "dialled twice");
        unreachable(dial);
      }
    }
    assertEquals(100, dialled.size());
  }

  @Test
  void dialsNobodyMoreOnceTheMeshStands() {
    begin(State.READY);
    found(many(20));
    List<Connections.Connect> dials = dials();
    mesh(5);
    dials.forEach(this::unreachable);
    assertEquals(List.of(), dials());
  }

  @Test
  void theNextDiscoveryDialsOnWhileEarlierDialsAreUnderWay() {
    begin(State.READY);
    provided();
    found(many(20));
    List<Connections.Connect> first = dials();
    expectFindAfter(Duration.ofSeconds(10));
    found(many(20));
    assertEquals(List.of(), dials());
    first.forEach(this::unreachable);
    assertEquals(5, dials().size());
  }

  @Test
  void advertisesAgainAtHalfTheTimeToLive() {
    begin(State.READY);
    mesh(5);
    found();
    provided();
    expectProvideAfter(Duration.ofMinutes(90));
    provided();
    expectProvideAfter(Duration.ofMinutes(90));
  }

  @Test
  void aFailedAdvertisementIsTriedThreeTimesThenRestsUntilItIsDue() {
    begin(State.READY);
    mesh(5);
    found();
    provideFailed(Reason.TIMED_OUT);
    expectProvideAfter(Duration.ofSeconds(2));
    provideFailed(Reason.NO_PEERS);
    expectProvideAfter(Duration.ofSeconds(4));
    provideFailed(Reason.CRASHED);
    expectProvideAfter(Duration.ofMinutes(90));
    provideFailed(Reason.TIMED_OUT);
    expectProvideAfter(Duration.ofSeconds(2));
  }

  @Test
  void everyMoveToReadyBeginsBothAnew() {
    begin(State.READY);
    mesh(5);
    provided();
    found();
    state(State.STARVED);
    dht.expectNone();
    state(State.READY);
    provide = dht.expect(Provide.class);
    find = dht.expect(FindProviders.class);
    // Still ready, with another number of peers: no move.
    state(State.READY);
    dht.expectNone();
    // Under way: not asked twice.
    state(State.DEGRADED);
    state(State.READY);
    dht.expectNone();
  }

  @Test
  void becomingReadyInTheMiddleOfARetryTriesAtOnceAndOnlyOnce() {
    begin(State.DEGRADED);
    provideFailed(Reason.NO_PEERS);
    findFailed(Reason.NO_PEERS);
    state(State.READY);
    provide = dht.expect(Provide.class);
    find = dht.expect(FindProviders.class);
    dht.expectNone(Duration.ofMinutes(5));
  }

  @Test
  void discoversWithBackoffWhileTheMeshIsLow() {
    begin(State.READY);
    provided();
    for (int seconds : new int[] {10, 20, 40, 80, 160, 320, 600, 600}) {
      if (seconds % 20 == 0) {
        findFailed(Reason.TIMED_OUT);
      } else {
        found();
      }
      expectFindAfter(Duration.ofSeconds(seconds));
    }
  }

  @Test
  void aFullMeshStopsDiscoveryAndALowOneBeginsItAgainFromTheFirstPause() {
    begin(State.READY);
    provided();
    found();
    expectFindAfter(Duration.ofSeconds(10));
    found();
    mesh(5);
    dht.expectNone(Duration.ofMinutes(30));
    mesh(4);
    expectFindAfter(Duration.ofSeconds(10));
    found();
    // Lower still is no new reason.
    system.advance(Duration.ofSeconds(1));
    mesh(3);
    expectFindAfter(Duration.ofSeconds(19));
  }

  @Test
  void saysTheMeshWhenItHasItsFirstMemberAndNeverAgain() {
    begin(State.READY);
    mesh(0);
    gossip.expectNone();
    mesh(2);
    assertEquals(new MeshFormed(NAME, 2), news());
    mesh(0);
    mesh(3);
    gossip.expectNone(Duration.ofSeconds(6));
  }

  @Test
  void saysAtTheDeadlineThatThereIsNoMesh() {
    begin(State.READY);
    gossip.expectNone(Duration.ofSeconds(5).minusNanos(1));
    system.advance(Duration.ofNanos(1));
    assertEquals(new MeshFormed(NAME, 0), news());
    mesh(1);
    gossip.expectNone();
  }

  @Test
  void withoutADhtItRests() {
    begin(State.READY);
    provideFailed(Reason.NO_DHT);
    findFailed(Reason.NO_DHT);
    state(State.STARVED);
    state(State.READY);
    dht.expectNone(Duration.ofHours(4));
  }

  @Test
  void aStoppingDhtIsAskedNoMore() {
    begin(State.READY);
    findFailed(Reason.STOPPING);
    provideFailed(Reason.STOPPING);
    dht.expectNone(Duration.ofHours(4));
  }

  @Test
  void afterACrashItBeginsAsIfJustSubscribed() {
    begin(State.READY);
    mesh(5);
    provided();
    // A provider without an id is our own defect.
    find.replyTo().tell(new ProvidersFound(KEY, List.of(new PeerWithAddresses(null, List.of()))));
    gossip.fishFor(TopicStarted.class, Duration.ZERO);
    provide = dht.expect(Provide.class);
    find = dht.expect(FindProviders.class);
    dht.expect(Dht.Subscribe.class);
    mesh(1);
    // The actor has forgotten that it said so before; Gossip has not.
    assertEquals(new MeshFormed(NAME, 1), news());
    found();
    expectFindAfter(Duration.ofSeconds(10));
  }

  @Test
  void whenItIsStoppedNothingOfItGoesOn() {
    begin(State.READY);
    provideFailed(Reason.TIMED_OUT);
    findFailed(Reason.TIMED_OUT);
    system.stop(topic);
    dht.expectNone(Duration.ofHours(4));
    assertTrue(gossip.pending().isEmpty(), "news of a stopped subscription");
  }
}
