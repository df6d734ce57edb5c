package dev.troupe.actors.bootstrap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.bootstrap.BootstrapPool.Changed;
import dev.troupe.actors.bootstrap.BootstrapPool.Event;
import dev.troupe.actors.bootstrap.BootstrapPool.Failed;
import dev.troupe.actors.fakes.ScriptedStore;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BootstrapPoolTest {

  private static final PeerId SELF = ScriptedWorld.key(0).peerId();
  private static final Multiaddr PRIMARY = address(1);
  private static final Multiaddr BACKUP = address(2);
  private static final Multiaddr OTHER = address(3);

  private static final StoreCompletion<Batch> IGNORED =
      new StoreCompletion<>() {
        @Override
        public void succeeded(Batch batch) {}

        @Override
        public void failed(StoreFailure failure) {
          throw new AssertionError(failure);
        }
      };

  private final SimulatedSystem system = SimulatedSystem.create();
  private final ScriptedWorld world = new ScriptedWorld(system);
  private final FakeConnections connections =
      new FakeConnections(system, List.of(PRIMARY, BACKUP, OTHER));
  private final Probe<Event> events = system.probe("events");
  private final Probe<BootstrapPool.OfferReply> replies = system.probe("replies");
  private ScriptedStore store = new ScriptedStore();
  private int pools;

  private static Multiaddr address(int number) {
    try {
      return Multiaddr.parse("/ip4/192.0.2." + number + "/tcp/4001")
          .withPeer(ScriptedWorld.key(number).peerId());
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private ActorRef<BootstrapPool.Command> pool(List<Multiaddr> primaries, Multiaddr... backups) {
    ActorRef<BootstrapPool.Command> pool =
        system.spawn(
            BootstrapPool.create(
                BootstrapSettings.DEFAULT.withBackups(List.of(backups)),
                primaries,
                SELF,
                world,
                store,
                connections.ref),
            "pool-" + pools++);
    pool.tell(new BootstrapPool.Subscribe(events.ref()));
    system.runUntilIdle();
    return pool;
  }

  @AfterEach
  void close() {
    system.close();
  }

  private static PeerId peer(Multiaddr address) {
    return address.peerId();
  }

  private List<Failed> failures() {
    return events.received().stream()
        .filter(Failed.class::isInstance)
        .map(Failed.class::cast)
        .toList();
  }

  private Bootstrap last(Multiaddr address) {
    Changed changed =
        (Changed)
            events.received().stream()
                .filter(Changed.class::isInstance)
                .reduce((one, other) -> other)
                .orElseThrow();
    return changed.bootstraps().stream()
        .filter(each -> each.address().equals(address))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aSilentBootstrapPeerHasFailedAtTenSecondsAndNotBefore() {
    connections.silent.add(peer(PRIMARY));
    pool(List.of(PRIMARY));
    system.advance(Duration.ofSeconds(10).minusNanos(1));
    assertEquals(List.of(), failures());
    system.advance(Duration.ofNanos(1));
    assertEquals(List.of(new Failed(PRIMARY, false, "no answer within 10000 ms")), failures());
    assertEquals(List.of(peer(PRIMARY)), connections.withdrawn);
  }

  @Test
  void theBackupIsConnectedAfterFiveSecondsOfSilence() {
    connections.silent.add(peer(PRIMARY));
    connections.up.add(peer(BACKUP));
    pool(List.of(PRIMARY), BACKUP);
    system.advance(Duration.ofSeconds(5).plus(FakeConnections.LATENCY));
    assertTrue(last(BACKUP).isReachable());
    assertTrue(connections.protectedPeers.contains(peer(BACKUP)));
    assertEquals(List.of(BACKUP.encoded()), store.keys(StoreCollection.BOOTSTRAP));
  }

  @Test
  void aPrimaryThatReturnsIsConnectedAndTheBackupIsProtectedNoLonger() {
    connections.up.add(peer(BACKUP));
    pool(List.of(PRIMARY), BACKUP);
    system.advance(Duration.ofSeconds(1));
    assertTrue(last(BACKUP).isReachable());
    connections.up.add(peer(PRIMARY));
    system.advance(Duration.ofSeconds(5));
    assertTrue(last(PRIMARY).isReachable());
    assertEquals(List.of(peer(PRIMARY)), List.copyOf(connections.protectedPeers));
  }

  @Test
  void aLossIsSaidAtOnceAndMended() {
    connections.up.add(peer(PRIMARY));
    pool(List.of(PRIMARY));
    system.advance(Duration.ofMinutes(2));
    assertTrue(last(PRIMARY).isReachable());
    connections.lose(peer(PRIMARY));
    assertEquals("it went away", last(PRIMARY).reason());
    system.advance(Duration.ofSeconds(2));
    assertTrue(last(PRIMARY).isReachable());
    assertEquals(2, connections.dials.size());
    assertEquals(List.of(), failures());
  }

  @Test
  void whoDoesNotAnswerIsDisconnectedAndDialledAgain() {
    connections.up.add(peer(PRIMARY));
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    system.advance(Duration.ofMinutes(2));
    connections.up.clear();
    pool.tell(new BootstrapPool.Unresponsive(peer(PRIMARY), "no answer to a ping"));
    system.runUntilIdle();
    assertEquals(List.of(), List.copyOf(connections.connected));
    assertEquals("no answer to a ping", last(PRIMARY).reason());
    system.advance(Duration.ofSeconds(2));
    assertEquals(1, failures().size());
  }

  @Test
  void aDialThatFindsAConnectionWhichEndsThenDoesNotCountAsConnected() {
    connections.up.add(peer(PRIMARY));
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    system.advance(Duration.ofMinutes(2));
    connections.slowToClose.add(peer(PRIMARY));
    pool.tell(new BootstrapPool.Unresponsive(peer(PRIMARY), "no answer to a ping"));
    system.advance(Pool.SPREAD);
    assertEquals(List.of(), List.copyOf(connections.connected));
    assertFalse(last(PRIMARY).isReachable());
    system.advance(BootstrapSettings.DEFAULT.pause().plusSeconds(1));
    assertTrue(last(PRIMARY).isReachable());
    assertEquals(2, connections.dials.size());
  }

  @Test
  void theUserMayTryAgainAndHearsWhatComesOfIt() {
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    system.advance(Duration.ofMinutes(5));
    assertEquals(1, failures().size());
    Probe<Event> late = system.probe("late");
    pool.tell(new BootstrapPool.Subscribe(late.ref()));
    late.expect(Changed.class);
    late.expect(failures().get(0));
    pool.tell(new BootstrapPool.Retry(replies.ref()));
    replies.expect(new BootstrapPool.Trying(List.of(PRIMARY)));
    system.advance(FakeConnections.LATENCY);
    assertEquals(2, failures().size());
  }

  @Test
  void theUserMayUseABackupThatNobodyConfigured() {
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    pool.tell(new BootstrapPool.UseBackup(null, replies.ref()));
    replies.expect(new BootstrapPool.Declined("no backup is configured"));
    connections.up.add(peer(OTHER));
    pool.tell(new BootstrapPool.UseBackup(OTHER, replies.ref()));
    replies.expect(new BootstrapPool.Trying(List.of(OTHER)));
    system.advance(FakeConnections.LATENCY);
    assertTrue(last(OTHER).isReachable());
  }

  @Test
  void anAddressWithoutANameGetsOneFromWhoeverAnswers() {
    connections.up.add(peer(PRIMARY));
    pool(List.of(PRIMARY.withoutPeer()), BACKUP);
    system.advance(Duration.ofSeconds(1));
    assertEquals(List.of(), failures());
    assertEquals(List.of(peer(PRIMARY)), connections.dials);
    Bootstrap bootstrap = last(PRIMARY.withoutPeer());
    assertTrue(bootstrap.isReachable());
    assertEquals(peer(PRIMARY), bootstrap.peer());
    assertTrue(connections.protectedPeers.contains(peer(PRIMARY)));
    connections.lose(peer(PRIMARY));
    assertEquals(Bootstrap.Status.RESTING, last(PRIMARY.withoutPeer()).status());
  }

  @Test
  void afterACrashItGoesOnAndItsSubscribersHear() {
    connections.up.add(peer(PRIMARY));
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    system.advance(Duration.ofSeconds(1));
    pool.tell(new BootstrapPool.Retry(null));
    system.advance(Duration.ofSeconds(1));
    assertTrue(last(PRIMARY).isReachable());
    connections.lose(peer(PRIMARY));
    assertEquals(Bootstrap.Status.RESTING, last(PRIMARY).status());
    system.advance(Duration.ofSeconds(6));
    assertTrue(last(PRIMARY).isReachable());
  }

  private ActorRef<BootstrapPool.Command> startAgain(
      ActorRef<BootstrapPool.Command> before, List<Multiaddr> primaries) {
    before.tell(new BootstrapPool.Stop());
    system.runUntilIdle();
    assertTrue(system.hasStopped(before));
    connections.connected.clear();
    connections.dials.clear();
    store = store.reopened();
    return pool(primaries);
  }

  @Test
  void whatTheUserAddedStandsInAgainAfterARestartIfItAnswered() {
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    connections.up.add(peer(OTHER));
    pool.tell(new BootstrapPool.UseBackup(BACKUP, replies.ref()));
    pool.tell(new BootstrapPool.UseBackup(OTHER, replies.ref()));
    system.advance(FakeConnections.LATENCY);
    startAgain(pool, List.of(PRIMARY));
    assertEquals(OTHER, last(OTHER).address());
    system.advance(Duration.ofSeconds(1));
    assertTrue(last(OTHER).isReachable());
    assertEquals(
        List.of(PRIMARY, OTHER),
        lastChanged().bootstraps().stream().map(Bootstrap::address).toList());
  }

  private Changed lastChanged() {
    return (Changed)
        events.received().stream()
            .filter(Changed.class::isInstance)
            .reduce((one, other) -> other)
            .orElseThrow();
  }

  @Test
  void aSlowStoreIsWaitedForOneSecondAndThenCountsWhenItAnswers() {
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    connections.up.add(peer(OTHER));
    pool.tell(new BootstrapPool.UseBackup(OTHER, replies.ref()));
    system.advance(FakeConnections.LATENCY);
    connections.up.clear();
    pool.tell(new BootstrapPool.Stop());
    system.runUntilIdle();
    connections.dials.clear();
    connections.up.add(peer(PRIMARY));
    store = store.reopened();
    store.slow = true;
    pool(List.of(PRIMARY));
    system.advance(BootstrapPool.RECALL.minusNanos(1));
    assertEquals(0, connections.dials.size());
    system.advance(Duration.ofNanos(1).plus(FakeConnections.LATENCY));
    assertTrue(last(PRIMARY).isReachable());
    store.release();
    system.runUntilIdle();
    assertTrue(last(OTHER).backup());
  }

  @Test
  void aStoreThatCannotBeWrittenChangesNothingElse() {
    store.failure = new StoreFailure(StoreFailure.Kind.FULL, "no room");
    connections.up.add(peer(PRIMARY));
    pool(List.of(PRIMARY));
    system.advance(Duration.ofSeconds(1));
    assertTrue(last(PRIMARY).isReachable());
    assertEquals(1, store.commits.size());
    assertEquals(List.of(), store.keys(StoreCollection.BOOTSTRAP));
  }

  @Test
  void aDamagedEntryIsPassedOverAndReplacedWhenItsPeerAnswers() {
    Change damage =
        Change.put(StoreCollection.BOOTSTRAP, PRIMARY.encoded(), Bytes.fromHex("ffffff"));
    store.commit(Batch.of(damage), IGNORED);
    connections.up.add(peer(PRIMARY));
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    system.advance(Duration.ofSeconds(1));
    assertTrue(last(PRIMARY).isReachable());
    startAgain(pool, List.of(BACKUP, PRIMARY));
    assertEquals(PRIMARY, lastChanged().bootstraps().get(0).address());
  }

  // Names

  private static final Multiaddr NAME = parse("/dnsaddr/b.example.org");

  private static Multiaddr parse(String address) {
    try {
      return Multiaddr.parse(address);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private static Multiaddr behind(Multiaddr address) {
    return NAME.withPeer(peer(address));
  }

  private void zone(Multiaddr... behind) {
    List<String> records = Stream.of(behind).map(each -> "dnsaddr=" + each).toList();
    world.nameServer = (name, completion) -> completion.succeeded(records);
  }

  @Test
  void aNameIsFollowedWhereItMoves() {
    zone(PRIMARY);
    connections.up.add(peer(PRIMARY));
    connections.up.add(peer(OTHER));
    pool(List.of(NAME));
    system.advance(Duration.ofMinutes(2));
    assertTrue(last(behind(PRIMARY)).isReachable());
    zone(OTHER);
    connections.up.remove(peer(PRIMARY));
    connections.lose(peer(PRIMARY));
    system.advance(Duration.ofSeconds(2));
    assertTrue(last(behind(OTHER)).isReachable());
    assertEquals(List.of(peer(OTHER)), List.copyOf(connections.connected));
    system.advance(Duration.ofMinutes(20));
    assertEquals(1, lastChanged().bootstraps().size());
    assertEquals(List.of(peer(OTHER)), List.copyOf(connections.protectedPeers));
  }

  @Test
  void whoAnsweredBehindANameIsDialledAfterARestartThoughTheNameDoesNotResolve() {
    zone(PRIMARY);
    connections.up.add(peer(PRIMARY));
    ActorRef<BootstrapPool.Command> pool = pool(List.of(NAME));
    system.advance(Duration.ofSeconds(1));
    assertTrue(last(behind(PRIMARY)).isReachable());
    world.nameServer = null;
    startAgain(pool, List.of(NAME));
    system.advance(Duration.ofSeconds(1));
    assertTrue(last(behind(PRIMARY)).isReachable());
    assertEquals(
        List.of(NAME), failures().stream().map(Failed::address).toList(), "and that is said");
  }

  @Test
  void aNameThatTheUserAddedIsKeptAsOneAndResolvedAnew() {
    zone(BACKUP, OTHER);
    connections.up.add(peer(BACKUP));
    connections.up.add(peer(OTHER));
    ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
    pool.tell(new BootstrapPool.UseBackup(NAME, replies.ref()));
    system.advance(Duration.ofSeconds(1));
    assertTrue(last(behind(BACKUP)).isReachable());
    zone(OTHER);
    startAgain(pool, List.of(PRIMARY));
    system.advance(Duration.ofSeconds(1));
    assertEquals(
        List.of(PRIMARY, behind(OTHER)),
        lastChanged().bootstraps().stream().map(Bootstrap::address).toList());
    assertTrue(last(behind(OTHER)).isReachable());
  }

  @Test
  void whatIsKnownIsDialledWhileTheNameServerSaysNothingAndWhatItSaysLateAsWell() {
    List<Completion<List<String>>> questions = new ArrayList<>();
    world.nameServer = (name, completion) -> questions.add(completion);
    connections.silent.add(peer(PRIMARY));
    pool(List.of(behind(PRIMARY), PRIMARY));
    system.advance(Attempt.PATIENCE.minusNanos(1));
    assertEquals(List.of(), connections.dials);
    system.advance(Duration.ofNanos(1));
    assertEquals(List.of(peer(PRIMARY)), connections.dials);
    connections.silent.clear();
    connections.up.add(peer(PRIMARY));
    questions.get(0).succeeded(List.of("dnsaddr=" + OTHER.withoutPeer().withPeer(peer(PRIMARY))));
    system.advance(FakeConnections.LATENCY);
    assertEquals(List.of(peer(PRIMARY)), connections.withdrawn);
    assertEquals(List.of(peer(PRIMARY), peer(PRIMARY)), connections.dials);
    assertTrue(last(behind(PRIMARY)).isReachable());
  }

  @Test
  void whatIsRefusedMayBeReachedWhereANameLeadsLate() {
    List<Completion<List<String>>> questions = new ArrayList<>();
    world.nameServer = (name, completion) -> questions.add(completion);
    pool(List.of(behind(PRIMARY), PRIMARY));
    system.advance(Attempt.PATIENCE.plus(FakeConnections.LATENCY));
    assertEquals(List.of(), failures(), "there may be more");
    connections.up.add(peer(PRIMARY));
    questions.get(0).succeeded(List.of("dnsaddr=" + OTHER.withoutPeer().withPeer(peer(PRIMARY))));
    system.advance(FakeConnections.LATENCY);
    assertTrue(last(behind(PRIMARY)).isReachable());
  }

  @Test
  void aResolutionThatCrashesIsANameThatDoesNotResolve() {
    world.nameServer =
        (name, completion) -> {
          throw new IllegalStateException("a bug");
        };
    connections.up.add(peer(PRIMARY));
    pool(List.of(behind(PRIMARY), PRIMARY, behind(OTHER)));
    system.advance(FakeConnections.LATENCY);
    assertTrue(last(behind(PRIMARY)).isReachable());
    assertEquals(
        List.of(new Failed(behind(OTHER), false, "the resolution has crashed")), failures());
  }

  @Test
  void whatADialBeforeACrashSaysIsNotTakenForAnotherAfterIt() {
    connections.up.add(peer(OTHER));
    for (int messages = 0; messages < 8; messages++) {
      ActorRef<BootstrapPool.Command> pool = pool(List.of(PRIMARY));
      pool.tell(new BootstrapPool.UseBackup(NAME, replies.ref()));
      for (int i = 0; i < messages; i++) {
        pool.tell(new BootstrapPool.Hurry());
      }
      pool.tell(new BootstrapPool.Retry(null));
      pool.tell(new BootstrapPool.UseBackup(OTHER, replies.ref()));
      system.advance(FakeConnections.LATENCY);
      assertTrue(last(OTHER).isReachable());
      assertEquals(
          List.of(), failures().stream().filter(each -> OTHER.equals(each.address())).toList());
      pool.tell(new BootstrapPool.Stop());
      system.runUntilIdle();
      connections.connected.clear();
      store = new ScriptedStore();
    }
  }
}
