package dev.troupe.actors.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.bootstrap.BootstrapSettings;
import dev.troupe.actors.bootstrap.FakeConnections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.fakes.ScriptedHost;
import dev.troupe.actors.fakes.ScriptedStream;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.health.BootstrapHealth.Grade;
import dev.troupe.actors.health.Health.Alert;
import dev.troupe.actors.health.Health.BootstrapFailed;
import dev.troupe.actors.health.Health.Changed;
import dev.troupe.actors.health.Health.Event;
import dev.troupe.actors.health.HealthReport.State;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.ping.Ping;
import dev.troupe.actors.store.Store;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HealthTest {

  private static final PeerId SELF = ScriptedWorld.key(0).peerId();
  private static final Multiaddr PRIMARY = address(1);
  private static final Multiaddr BACKUP = address(2);
  private static final Multiaddr FRIEND = address(3);
  private static final Multiaddr NAME = parse("/dnsaddr/b.example.org");
  private static final ProtocolId DHT = ProtocolId.of("/ipfs/kad/1.0.0");
  private static final Duration PERIOD = Duration.ofSeconds(25);
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final SimulatedSystem system = SimulatedSystem.create();
  private final ScriptedWorld world = new ScriptedWorld(system);
  private final ScriptedHost host = new ScriptedHost(SELF);
  private final FakeConnections connections =
      new FakeConnections(system, List.of(PRIMARY, BACKUP, FRIEND));
  private final Probe<Event> events = system.probe("events");
  private final List<ActorRef<Dht.StateChanged>> dhtSubscribers = new ArrayList<>();
  private final ActorRef<Dht.Command> dht = system.spawn(dht(), "dht");
  private Dht.StateChanged dhtState = new Dht.StateChanged(Dht.State.READY, 1, 0);

  private static Multiaddr address(int number) {
    return parse("/ip4/192.0.2." + number + "/tcp/4001")
        .withPeer(ScriptedWorld.key(number).peerId());
  }

  private static Multiaddr parse(String address) {
    try {
      return Multiaddr.parse(address);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private static PeerId peer(Multiaddr address) {
    return address.peerId();
  }

  private Behavior<Dht.Command> dht() {
    return Behaviors.receive(Dht.Command.class)
        .onMessage(
            Dht.GetState.class,
            get -> {
              get.replyTo().tell(dhtState);
              return Behaviors.same();
            })
        .onMessage(
            Dht.Subscribe.class,
            subscribe -> {
              dhtSubscribers.add(subscribe.subscriber());
              subscribe.subscriber().tell(dhtState);
              return Behaviors.same();
            })
        .build();
  }

  private void dhtBecomes(Dht.State state, int peers) {
    dhtState = new Dht.StateChanged(state, peers, 0);
    dhtSubscribers.forEach(each -> each.tell(dhtState));
    system.runUntilIdle();
  }

  private ActorRef<Health.Command> health(Multiaddr... backups) {
    return healthWith(PRIMARY, backups);
  }

  private ActorRef<Health.Command> healthWith(Multiaddr primary, Multiaddr... backups) {
    ActorRef<BootstrapPool.Command> pool =
        system.spawn(
            BootstrapPool.create(
                BootstrapSettings.DEFAULT.withBackups(List.of(backups)),
                List.of(primary),
                SELF,
                world,
                Store.NONE,
                connections.ref),
            "pool");
    return spawn(pool);
  }

  private ActorRef<Health.Command> spawn(ActorRef<BootstrapPool.Command> pool) {
    ActorRef<Health.Command> health =
        system.spawn(
            Health.create(HealthSettings.DEFAULT, DHT, world, host, connections.ref, dht, pool),
            "health");
    health.tell(new Health.Subscribe(events.ref()));
    system.runUntilIdle();
    return health;
  }

  private HealthReport report(ActorRef<Health.Command> health) {
    Probe<HealthReport> probe = system.probe();
    health.tell(new Health.GetReport(probe.ref()));
    return probe.next();
  }

  /** Connected, pinged, and answered. */
  private ActorRef<Health.Command> healthy(Multiaddr... backups) {
    connections.up.add(peer(PRIMARY));
    ActorRef<Health.Command> health = health(backups);
    system.advance(FakeConnections.LATENCY);
    pong(Duration.ofMillis(30));
    return health;
  }

  /** The oldest ping that nobody has answered takes so long. */
  private void pong(Duration roundTrip) {
    ScriptedStream stream = takePing().succeed();
    byte[] sent = stream.takeWritten();
    system.advance(roundTrip);
    stream.receive(sent);
    system.runUntilIdle();
  }

  private int pings() {
    return (int)
        host.openings.stream().filter(each -> each.protocol().equals(Ping.PROTOCOL)).count();
  }

  private ScriptedHost.Opening takePing() {
    ScriptedHost.Opening ping =
        host.openings.stream()
            .filter(each -> each.protocol().equals(Ping.PROTOCOL))
            .findFirst()
            .orElseThrow();
    host.openings.remove(ping);
    return ping;
  }

  /** Waits for the next ping. */
  private void awaitPing() {
    assertTrue(system.tryRunUntil(() -> pings() > 0, PERIOD));
  }

  private <E extends Event> List<E> heard(Class<E> type) {
    return events.received().stream().filter(type::isInstance).map(type::cast).toList();
  }

  private List<State> states() {
    return heard(Changed.class).stream().map(each -> each.report().state()).toList();
  }

  @AfterEach
  void close() {
    system.close();
  }

  @Test
  void itIsHealthyOnceABootstrapPeerIsConnectedAndTheDhtIsReady() {
    ActorRef<Health.Command> health = healthy();
    assertEquals(List.of(State.DEGRADED, State.HEALTHY), states());
    HealthReport report = report(health);
    assertEquals(State.HEALTHY, report.state());
    assertEquals(List.of(), report.warnings());
    BootstrapHealth primary = report.bootstraps().get(0);
    assertTrue(primary.reachable());
    assertEquals(Duration.ofMillis(30), primary.latency());
    assertEquals(Grade.GOOD, primary.grade());
    assertTrue(report.alone(), "nobody but the bootstrap peer: no other peers yet");
    assertEquals(1, report.tableSize());
    dhtBecomes(Dht.State.READY, 2);
    assertFalse(report(health).alone());
  }

  @Test
  void eachIsMeasuredEveryTwentyFiveSecondsSoThatALossIsNoticedWithinThirty() {
    ActorRef<Health.Command> health = healthy();
    system.advance(PERIOD.minus(FakeConnections.LATENCY).minusMillis(31));
    assertEquals(0, pings());
    system.advance(Duration.ofMillis(1));
    assertEquals(1, pings());
    system.advance(TIMEOUT.minusNanos(1));
    assertTrue(report(health).bootstraps().get(0).reachable());
    system.advance(Duration.ofNanos(1));
    BootstrapHealth primary = report(health).bootstraps().get(0);
    assertFalse(primary.reachable());
    assertNull(primary.latency());
    assertEquals(State.DEGRADED, states().get(states().size() - 1));
  }

  @Test
  void whoMissesTwoPingsIsDisconnectedAndDialledAgainAndABackupStandsIn() {
    ActorRef<Health.Command> health = healthy(BACKUP);
    for (int i = 0; i < 3; i++) {
      awaitPing();
      pong(Duration.ZERO);
    }
    awaitPing();
    connections.up.remove(peer(PRIMARY));
    connections.up.add(peer(BACKUP));
    system.advance(TIMEOUT.multipliedBy(2));
    assertFalse(connections.connected.contains(peer(PRIMARY)));
    system.advance(Duration.ofSeconds(2));
    assertTrue(connections.connected.contains(peer(BACKUP)));
    HealthReport report = report(health);
    assertEquals(State.DEGRADED, report.state());
    assertEquals(
        List.of("no primary bootstrap peer can be reached, a backup stands in"), report.warnings());
    assertEquals(1, heard(BootstrapFailed.class).size());
  }

  @Test
  void aLossThatIsToldIsKnownAtOnce() {
    ActorRef<Health.Command> health = healthy();
    connections.lose(peer(PRIMARY));
    assertFalse(report(health).bootstraps().get(0).reachable());
    assertEquals(State.DOWN, report(health).state());
    assertEquals(State.DOWN, states().get(states().size() - 1));
    system.advance(Duration.ofSeconds(7));
    assertEquals(State.HEALTHY, states().get(states().size() - 1), "it came back");
  }

  @Test
  void withOthersConnectedItIsDegradedRatherThanDown() {
    connections.connected.add(peer(FRIEND));
    ActorRef<Health.Command> health = health();
    system.advance(Duration.ofSeconds(1));
    assertEquals(State.DEGRADED, report(health).state());
    assertEquals(List.of("no bootstrap peer can be reached"), report(health).warnings());
    assertEquals(
        List.of(new Health.Offer[] {Health.Offer.RETRY, Health.Offer.USE_BACKUP}),
        List.of(heard(BootstrapFailed.class).get(0).offers().toArray()));
  }

  @Test
  void whileTheDhtIsDownItIsDegraded() {
    ActorRef<Health.Command> health = healthy();
    dhtBecomes(Dht.State.STARVED, 0);
    assertEquals(State.DEGRADED, states().get(states().size() - 1));
    assertEquals(List.of("the DHT is starved"), report(health).warnings());
  }

  @Test
  void threePoorRoundTripsInARowAreWarnedOf() {
    ActorRef<Health.Command> health = healthy();
    for (int i = 0; i < 3; i++) {
      assertEquals(List.of(), report(health).warnings());
      awaitPing();
      pong(Duration.ofMillis(501));
    }
    assertEquals(1, report(health).warnings().size());
    assertTrue(report(health).warnings().get(0).contains("501 ms"));
    assertEquals(State.DEGRADED, report(health).state());
    awaitPing();
    pong(Duration.ofMillis(201));
    assertEquals(List.of(), report(health).warnings());
    assertEquals(Grade.SLOW, report(health).bootstraps().get(0).grade());
  }

  @Test
  void afterTwoMinutesWithoutABootstrapPeerThereIsAnAlertOnce() {
    health();
    system.advance(FakeConnections.LATENCY);
    system.advance(Duration.ofMinutes(2).minusNanos(1));
    assertEquals(List.of(), heard(Alert.class));
    system.advance(Duration.ofNanos(1));
    assertEquals(PRIMARY, heard(Alert.class).get(0).address());
    system.advance(Duration.ofMinutes(10));
    assertEquals(1, heard(Alert.class).size());
  }

  @Test
  void whoDoesNotSpeakPingIsReachableAllTheSame() {
    connections.up.add(peer(PRIMARY));
    ActorRef<Health.Command> health = health();
    system.advance(FakeConnections.LATENCY);
    takePing().fail(HostFailure.Kind.PROTOCOL_NOT_SUPPORTED);
    system.runUntilIdle();
    BootstrapHealth primary = report(health).bootstraps().get(0);
    assertTrue(primary.reachable());
    assertNull(primary.latency());
    assertEquals(0, pings());
  }

  @Test
  void aBootstrapPeerIsAskedWhomItKnows() throws MalformedException {
    ActorRef<Health.Command> health = healthy();
    assertNull(report(health).bootstraps().get(0).peers());
    ScriptedStream stream = host.takeOpening().succeed();
    FrameDecoder written = new FrameDecoder(1000);
    written.feed(ByteBuffer.wrap(stream.takeWritten()));
    KademliaMessage question = KademliaMessage.decode(written.next());
    assertEquals(KademliaMessage.Type.FIND_NODE, question.type());
    PeerInfo other = new PeerInfo(peer(FRIEND), List.of(FRIEND.withoutPeer()));
    stream.receive(Frames.encode(question.answer(null, List.of(other), List.of()).encode()));
    assertEquals(1, report(health).bootstraps().get(0).peers());
    assertTrue(stream.writeClosed);
  }

  @Test
  void withoutBootstrapPeersItCostsNothingAndAnswersAllTheSame() {
    ActorRef<Health.Command> health = spawn(null);
    long before = system.eventCount();
    system.advance(Duration.ofMinutes(10));
    assertEquals(before, system.eventCount());
    assertEquals(State.HEALTHY, report(health).state());
    assertEquals(List.of(), events.received());
    Probe<BootstrapPool.OfferReply> reply = system.probe();
    health.tell(new Health.Retry(reply.ref()));
    health.tell(new Health.UseBackup(BACKUP, reply.ref()));
    reply.expect(BootstrapPool.Declined.class);
    reply.expect(BootstrapPool.Declined.class);
  }

  @Test
  void aWatchCostsAHandfulOfEventsEveryTwentyFiveSeconds() {
    healthy();
    awaitPing();
    pong(Duration.ofMillis(1));
    long before = system.eventCount();
    awaitPing();
    pong(Duration.ofMillis(1));
    assertTrue(system.eventCount() - before <= 5, "" + (system.eventCount() - before));
  }

  @Test
  void afterACrashItGoesOnWatching() {
    ActorRef<Health.Command> health = healthy();
    system.crash(health, "", new IllegalStateException("crashed by the test"));
    system.advance(Duration.ofSeconds(1));
    while (pings() > 0) {
      pong(Duration.ofMillis(10));
    }
    HealthReport report = report(health);
    assertEquals(State.HEALTHY, report.state());
    assertEquals(1, report.bootstraps().size());
    assertEquals(Duration.ofMillis(10), report.bootstraps().get(0).latency());
  }

  @Test
  void whoSubscribesLaterHearsOfThoseThatHaveFailedAndAreGoneStill() {
    ActorRef<Health.Command> health = health();
    system.advance(Duration.ofSeconds(1));
    Probe<Event> late = system.probe("late");
    health.tell(new Health.Subscribe(late.ref()));
    late.expect(Changed.class);
    assertEquals(PRIMARY, late.expect(BootstrapFailed.class).address());
    connections.up.add(peer(PRIMARY));
    system.advance(Duration.ofSeconds(10));
    Probe<Event> later = system.probe("later");
    health.tell(new Health.Subscribe(later.ref()));
    later.expect(Changed.class);
    later.expectNone();
  }

  /** Who is behind the name from now on. */
  private void nameLeadsTo(Multiaddr address) {
    world.nameServer = (name, completion) -> completion.succeeded(List.of("dnsaddr=" + address));
  }

  /** What a subscriber is told of failures, if it comes now. */
  private List<Multiaddr> failuresToldTo(ActorRef<Health.Command> health) {
    Probe<Event> late = system.probe();
    health.tell(new Health.Subscribe(late.ref()));
    late.expect(Changed.class);
    return late.received().stream()
        .filter(BootstrapFailed.class::isInstance)
        .map(each -> ((BootstrapFailed) each).address())
        .toList();
  }

  @Test
  void aNameThatIsResolvedAfterAllHasNotFailedAnyMore() {
    ActorRef<Health.Command> health = healthWith(NAME);
    for (int i = 0; i < 2; i++) {
      system.advance(Duration.ofSeconds(50));
      assertEquals(List.of(NAME), failuresToldTo(health), "it is asked again, and fails again");
    }
    connections.up.add(peer(PRIMARY));
    nameLeadsTo(PRIMARY);
    assertTrue(
        system.tryRunUntil(
            () -> states().get(states().size() - 1) == State.HEALTHY, Duration.ofMinutes(2)));
    assertEquals(List.of(), failuresToldTo(health));
  }

  @Test
  void whoLeavesAndComesBackBehindANameThatMovesFailsAnew() {
    nameLeadsTo(PRIMARY);
    ActorRef<Health.Command> health = healthWith(NAME);
    system.advance(Duration.ofSeconds(2));
    assertEquals(List.of(NAME.withPeer(peer(PRIMARY))), failuresToldTo(health));
    nameLeadsTo(BACKUP);
    system.advance(Duration.ofSeconds(10));
    assertEquals(List.of(NAME.withPeer(peer(BACKUP))), failuresToldTo(health));
    nameLeadsTo(PRIMARY);
    system.advance(Duration.ofSeconds(6));
    assertEquals(List.of(NAME.withPeer(peer(PRIMARY))), failuresToldTo(health));
    system.advance(Duration.ofMinutes(2).minusSeconds(6));
    assertEquals(List.of(), heard(Alert.class), "two minutes count from its return");
    system.advance(Duration.ofSeconds(6));
    assertEquals(
        List.of(NAME.withPeer(peer(PRIMARY))),
        heard(Alert.class).stream().map(Alert::address).toList());
  }

  /** The DHT of this test answers none of their questions. */
  @Test
  void aVerificationOrProbeThatCrashesIsAnsweredAndMakesRoom() {
    ActorRef<Health.Command> health = healthy();
    Probe<Health.VerifyReply> verified = system.probe();
    Probe<Health.ProbeReply> probed = system.probe();
    for (int i = 0; i < 2 * Health.MAX_ERRANDS; i++) {
      List<String> before = List.copyOf(system.children(health).keySet());
      if (i % 2 == 0) {
        health.tell(new Health.Verify(null, verified.ref()));
      } else {
        health.tell(new Health.ProbeReadiness(probed.ref()));
      }
      system.runUntilIdle();
      List<String> errands = new ArrayList<>(system.children(health).keySet());
      errands.removeAll(before);
      String path = errands.get(0);
      system.crash(
          health,
          path.substring(path.lastIndexOf('/') + 1),
          new IllegalStateException("crashed by the test"));
      if (i % 2 == 0) {
        Health.Verified answer = verified.expect(Health.Verified.class);
        assertEquals(Health.Verdict.UNKNOWN, answer.verdict());
        assertEquals(Health.STEPS.size(), answer.steps().size());
        assertTrue(answer.steps().stream().noneMatch(Health.Step::ok));
        assertEquals("it ended before", answer.steps().get(0).detail());
      } else {
        assertEquals("it ended before", probed.expect(Health.NotReady.class).reason());
      }
      verified.expectNone();
      probed.expectNone();
    }
  }
}
