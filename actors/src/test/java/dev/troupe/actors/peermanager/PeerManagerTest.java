package dev.troupe.actors.peermanager;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.fakes.ScriptedHost;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager.CreateRefused;
import dev.troupe.actors.peermanager.PeerManager.Created;
import dev.troupe.actors.peermanager.PeerManager.Refusal;
import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The manager over hosts that listen and close when the test says so. */
class PeerManagerTest {

  private final SimulatedSystem system = SimulatedSystem.create();
  private final ScriptedWorld world = new ScriptedWorld(system);
  private final ActorRef<PeerManager.Command> manager =
      system.spawn(PeerManager.create(world, 2), "manager");
  private final Probe<PeerManager.CreateReply> created = system.probe("created");
  private final Probe<PeerManager.StopReply> stopped = system.probe("stopped");

  @AfterEach
  void close() {
    system.close();
  }

  private void create(String alias, int key) {
    try {
      PeerSettings settings =
          PeerSettings.of(
              ScriptedWorld.key(key), List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/4001")));
      manager.tell(new PeerManager.Create(alias, settings, created.ref()));
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
    system.runUntilIdle();
  }

  private Created running(String alias, int key) {
    create(alias, key);
    host().listenings.remove(0).succeed();
    return created.expect(Created.class);
  }

  /** The host of the last peer made. */
  private ScriptedHost host() {
    return world.hosts.get(world.hosts.size() - 1);
  }

  /** Nothing of a host is left. */
  private void closed(ScriptedHost host) {
    host.closings.get(0).run();
    system.runUntilIdle();
  }

  private void refused(String alias, Refusal reason) {
    CreateRefused refused = created.expect(CreateRefused.class);
    assertEquals(alias, refused.alias());
    assertEquals(reason, refused.refusal());
    assertFalse(refused.message().isBlank());
    created.expectNone();
  }

  private void stop(String alias) {
    manager.tell(new PeerManager.StopPeer(alias, stopped.ref()));
    system.runUntilIdle();
  }

  private boolean finds(String alias) {
    Probe<PeerManager.FindReply> found = system.probe();
    manager.tell(new PeerManager.Find(alias, found.ref()));
    Probe<PeerManager.Peers> all = system.probe();
    manager.tell(new PeerManager.GetPeers(all.ref()));
    boolean isFound = found.next().peer() != null;
    assertEquals(isFound, all.next().peers().stream().anyMatch(peer -> peer.alias().equals(alias)));
    return isFound;
  }

  @Test
  void aPeerIsFoundFromTheMomentItListens() {
    create("one", 1);
    created.expectNone();
    assertFalse(finds("one"));
    host().listenings.get(0).succeed();
    Created one = created.expect(Created.class);
    assertEquals("one", one.alias());
    assertEquals(ScriptedWorld.key(1).peerId(), one.id());
    assertTrue(finds("one"));
    assertFalse(finds("two"));
    created.expectNone(Duration.ofMinutes(1));
  }

  @Test
  void oneIdentityIsOnePeerFromTheFirstCreateToTheEnd() {
    create("one", 1);
    create("two", 1);
    refused("two", Refusal.IDENTITY_TAKEN);
    host().listenings.remove(0).succeed();
    created.expect(Created.class);
    create("two", 1);
    refused("two", Refusal.IDENTITY_TAKEN);
    stop("one");
    create("two", 1);
    refused("two", Refusal.IDENTITY_TAKEN);
    closed(host());
    running("two", 1);
    assertEquals(2, world.hosts.size());
  }

  @Test
  void oneAliasIsOnePeerFromTheFirstCreateToTheEnd() {
    create("one", 1);
    create("one", 2);
    refused("one", Refusal.ALIAS_TAKEN);
    host().listenings.remove(0).succeed();
    created.expect(Created.class);
    create("one", 2);
    refused("one", Refusal.ALIAS_TAKEN);
    stop("one");
    create("one", 2);
    refused("one", Refusal.ALIAS_TAKEN);
    closed(host());
    running("one", 2);
  }

  @Test
  void twoCreatesOfOneAliasAndIdentityMakeOnePeer() {
    create("one", 1);
    create("one", 1);
    refused("one", Refusal.ALIAS_TAKEN);
    host().listenings.remove(0).succeed();
    created.expect(Created.class);
    assertEquals(1, world.hosts.size());
  }

  @Test
  void anAliasHasOneToAHundredCharacters() {
    create("", 1);
    refused("", Refusal.INVALID_ALIAS);
    create("x".repeat(101), 1);
    refused("x".repeat(101), Refusal.INVALID_ALIAS);
    assertEquals(0, world.hosts.size());
    running("x".repeat(100), 1);
  }

  @Test
  void onePeerTooManyIsRefusedUntilAnotherHasEnded() {
    running("one", 1);
    create("two", 2);
    create("three", 3);
    refused("three", Refusal.TOO_MANY_PEERS);
    host().listenings.remove(0).succeed();
    created.expect(Created.class);
    stop("one");
    create("three", 3);
    refused("three", Refusal.TOO_MANY_PEERS);
    closed(world.hosts.get(0));
    running("three", 3);
  }

  @Test
  void aPeerThatCannotListenIsRefusedWhenNothingOfItIsLeftAndMayBeTriedAgainAtOnce() {
    create("one", 1);
    host().listenings.remove(0).fail(HostFailure.Kind.ADDRESS_UNAVAILABLE);
    system.runUntilIdle();
    created.expectNone();
    assertFalse(finds("one"));
    closed(host());
    refused("one", Refusal.LISTEN_FAILED);
    running("one", 1);
  }

  @Test
  void aStopIsAnsweredWhenNothingIsLeftHoweverManyAskForIt() {
    Created one = running("one", 1);
    stop("one");
    stop("one");
    stopped.expectNone();
    assertFalse(finds("one"));
    assertFalse(system.hasStopped(one.peer()));
    closed(host());
    assertEquals(new PeerManager.StopReply("one", true), stopped.next());
    assertEquals(new PeerManager.StopReply("one", true), stopped.next());
    assertTrue(system.hasStopped(one.peer()));
    stop("one");
    assertEquals(new PeerManager.StopReply("one", false), stopped.next());
    stopped.expectNone();
  }

  @Test
  void aStopOfAPeerThatDoesNotListenYetAnswersBoth() {
    create("one", 1);
    stop("one");
    closed(host());
    refused("one", Refusal.STOPPED);
    assertEquals(new PeerManager.StopReply("one", true), stopped.next());
  }

  @Test
  void aHostThatNeverClosesDoesNotKeepTheAnswerForEver() {
    running("one", 1);
    stop("one");
    stopped.expectNone();
    // The peer gives its host as long as the manager gives the host of a peer that is no more.
    system.advance(Duration.ofSeconds(10).minusNanos(1));
    stopped.expectNone();
    create("two", 1);
    refused("two", Refusal.IDENTITY_TAKEN);
    system.advance(Duration.ofNanos(1));
    assertEquals(new PeerManager.StopReply("one", true), stopped.next());
    running("two", 1);
    // It closes after all: that is no news of the other who has its identity now.
    world.hosts.get(0).closings.forEach(Runnable::run);
    system.runUntilIdle();
    assertTrue(finds("two"));
  }

  @Test
  void aCrashOfAPeerFreesItsAliasAndIdentityAndTheOthersGoOn() {
    Created one = running("one", 1);
    Created two = running("two", 2);
    // Nobody to answer to: the message crashes the peer.
    one.peer().tell(Peer.getInfo(null));
    system.runUntilIdle();
    assertTrue(system.hasStopped(one.peer()));
    // Its sockets are not left behind.
    assertEquals(1, world.hosts.get(0).closings.size());
    assertEquals(0, world.hosts.get(1).closings.size());
    assertFalse(system.hasStopped(two.peer()));
    assertFalse(finds("one"));
    assertTrue(finds("two"));
    created.expectNone();
    // They are closed in their own time; until then, nobody else has its identity and its ports.
    create("one", 3);
    refused("one", Refusal.ALIAS_TAKEN);
    create("three", 1);
    refused("three", Refusal.IDENTITY_TAKEN);
    stop("one");
    stopped.expectNone();
    closed(world.hosts.get(0));
    assertEquals(new PeerManager.StopReply("one", true), stopped.next());
    running("one", 1);
    assertTrue(finds("one"));
  }

  private void createWithStore(String alias, int key) {
    manager.tell(
        new PeerManager.Create(
            alias,
            PeerSettings.of(ScriptedWorld.key(key), List.of())
                .withStore(StoreSettings.DEFAULT.withDirectory("data")),
            created.ref()));
    system.runUntilIdle();
  }

  /** A store that closes when the test says so. */
  private static final class SlowStore implements Store {
    final List<Runnable> closings = new ArrayList<>();

    @Override
    public boolean keeps() {
      return true;
    }

    @Override
    public void read(StoreCollection from, Bytes after, StoreCompletion<Page> completion) {
      completion.succeeded(new Page(List.of(), true));
    }

    @Override
    public void commit(Batch batch, StoreCompletion<Batch> completion) {
      completion.succeeded(batch);
    }

    @Override
    public void close(Runnable closed) {
      closings.add(closed);
    }
  }

  @Test
  void aPeerWhoseStoreCannotBeOpenedIsRefusedWithTheReason() {
    createWithStore("one", 1);
    created.expectNone();
    assertEquals(0, world.hosts.size());
    world
        .openings
        .get(0)
        .failed(new StoreFailure(StoreFailure.Kind.DAMAGED, "the store in data is damaged"));
    system.runUntilIdle();
    CreateRefused refused = created.expect(CreateRefused.class);
    assertEquals(Refusal.STORE_FAILED, refused.refusal());
    assertEquals("the store in data is damaged", refused.message());
    assertEquals(0, world.hosts.size());
    running("one", 1);
  }

  @Test
  void whatIsAskedWhileTheStoreOpensIsAnsweredThen() {
    createWithStore("one", 1);
    assertFalse(finds("one"));
    world.openings.get(0).succeeded(new SlowStore());
    system.runUntilIdle();
    Created one = created.expect(Created.class);
    Probe<Peer.Info> info = system.probe();
    one.peer().tell(Peer.getInfo(info.ref()));
    assertEquals(one.id(), info.next().peer());
  }

  @Test
  void aPeerHasEndedWhenItsStoreIsClosed() {
    createWithStore("one", 1);
    SlowStore store = new SlowStore();
    world.openings.get(0).succeeded(store);
    system.runUntilIdle();
    created.expect(Created.class);
    stop("one");
    assertEquals(0, store.closings.size());
    closed(host());
    assertEquals(1, store.closings.size());
    stopped.expectNone();
    store.closings.get(0).run();
    system.runUntilIdle();
    assertTrue(stopped.expect(PeerManager.StopReply.class).wasRunning());
    running("one", 1);
  }

  @Test
  void aPeerThatIsStoppedWhileItsStoreOpensClosesIt() {
    createWithStore("one", 1);
    stop("one");
    created.expectNone();
    SlowStore store = new SlowStore();
    world.openings.get(0).succeeded(store);
    system.runUntilIdle();
    assertEquals(1, store.closings.size());
    created.expectNone();
    store.closings.get(0).run();
    system.runUntilIdle();
    refused("one", Refusal.STOPPED);
    assertTrue(stopped.expect(PeerManager.StopReply.class).wasRunning());
  }

  @Test
  void aPeerThatCrashesClosesItsStore() {
    createWithStore("one", 1);
    SlowStore store = new SlowStore();
    world.openings.get(0).succeeded(store);
    system.runUntilIdle();
    Created one = created.expect(Created.class);
    system.crash(one.peer(), "", new IllegalStateException("a bug"));
    system.runUntilIdle();
    closed(host());
    assertEquals(1, store.closings.size());
  }
}
