package dev.troupe.actors.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.DhtFixture.InboundPipe;
import dev.troupe.actors.fakes.ScriptedStore;
import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.StoredPeer;
import dev.troupe.protocol.kademlia.StoredValue;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.varint.Frames;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the Dht keeps beyond its end, and what it says meanwhile. */
class DhtStoreTest {

  private static final PeerId SENDER = Script.peer(500);
  private static final Bytes KEY = Bytes.utf8("/test/k");
  private static final StoreFailure FULL =
      new StoreFailure(StoreFailure.Kind.FULL, "there is no room on the disk");

  private ScriptedStore store = new ScriptedStore();
  private DhtFixture fixture;

  @AfterEach
  void close() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private void start(DhtSettings settings, Script... remotes) {
    fixture = new DhtFixture(settings, store, remotes);
  }

  /** The peer ends, and starts again with what it has kept. */
  private void startAgain(DhtSettings settings, Script... remotes) {
    fixture.close();
    store = store.reopened();
    start(settings, remotes);
  }

  private InboundPipe put(String key, String value) {
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.send(KademliaMessage.putValue(new ValueRecord(Bytes.utf8(key), Bytes.utf8(value))));
    return pipe;
  }

  private String held(Bytes key) throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.send(KademliaMessage.getValue(key));
    ValueRecord record = pipe.answer().record();
    return record == null ? null : record.value().utf8();
  }

  private List<PeerInfo> providers(String name) throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.send(KademliaMessage.getProviders(Script.hash(name)));
    return pipe.answer().providers();
  }

  private void keep(Change... changes) {
    store.memory.commit(
        Batch.of(changes),
        new StoreCompletion<>() {
          @Override
          public void succeeded(Batch batch) {}

          @Override
          public void failed(StoreFailure failure) {
            throw new AssertionError(failure);
          }
        });
  }

  private static Change value(Bytes key, String value, Instant putAt) {
    ValueRecord record = new ValueRecord(key, Bytes.utf8(value)).receivedAt(putAt);
    return Change.put(StoreCollection.VALUES, key, new StoredValue(record, SENDER, putAt).encode());
  }

  @Test
  void aPutIsAcknowledgedOnlyOnceItIsDurable() throws Exception {
    start(DhtSettings.DEFAULT);
    store.slow = true;
    InboundPipe pipe = put("/test/k", "v");
    assertFalse(pipe.hasAnswered());
    store.release();
    fixture.system.runUntilIdle();
    assertEquals("v", pipe.answer().record().value().utf8());
  }

  @Test
  void aPutThatCannotBeKeptIsRefusedAndTheDhtGoesOn() throws Exception {
    start(DhtSettings.DEFAULT);
    assertTrue(put("/test/before", "v").hasAnswered());
    store.failure = FULL;
    InboundPipe refused = put("/test/k", "v");
    assertFalse(refused.hasAnswered());
    assertTrue(refused.resetReason.contains("FULL"), refused.resetReason);
    InboundPipe provider = fixture.openInbound(SENDER);
    provider.send(
        KademliaMessage.addProvider(
            Script.hash("x"), new PeerInfo(SENDER, List.of(Script.address(500)))));
    assertNotNull(provider.resetReason);
    assertEquals("v", held(Bytes.utf8("/test/before")));
    store.failure = null;
    assertTrue(put("/test/k", "v").hasAnswered());
  }

  @Test
  void manyProvidersOnOneStreamAreKeptByOneCommit() throws Exception {
    start(DhtSettings.DEFAULT);
    store.slow = true;
    PeerInfo self = new PeerInfo(SENDER, List.of(Script.address(500)));
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int i = 0; i < Query.Sweep.KEYS_A_PARCEL; i++) {
      all.writeBytes(
          Frames.encode(KademliaMessage.addProvider(Script.hash("key " + i), self).encode()));
    }
    all.writeBytes(Frames.encode(KademliaMessage.getProviders(Script.hash("key 255")).encode()));
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.sendBytes(all.toByteArray());
    assertEquals(1, store.commits.size());
    assertEquals(Query.Sweep.KEYS_A_PARCEL, store.commits.get(0).changes().size());
    assertFalse(pipe.hasAnswered());
    store.slow = false;
    store.release();
    fixture.system.runUntilIdle();
    assertEquals(List.of(self), pipe.answer().providers());
    assertNull(pipe.resetReason);
  }

  @Test
  void whatCannotBeReadIsRefusedOnceThatBeforeItIsKept() throws Exception {
    start(DhtSettings.DEFAULT);
    PeerInfo self = new PeerInfo(SENDER, List.of(Script.address(500)));
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(Frames.encode(KademliaMessage.addProvider(Script.hash("x"), self).encode()));
    all.writeBytes(Frames.encode(Bytes.fromHex("ff")));
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.sendBytes(all.toByteArray());
    assertTrue(pipe.resetReason.contains("malformed"), pipe.resetReason);
    assertEquals(List.of(self), providers("x"));
  }

  @Test
  void whatIsOnlyReadWaitsForNobody() throws Exception {
    start(DhtSettings.DEFAULT);
    put("/test/k", "v");
    store.slow = true;
    assertEquals("v", held(KEY));
    assertEquals(1, store.commits.size());
  }

  @Test
  void valuesAndProvidersAreThereAfterARestart() throws Exception {
    start(DhtSettings.DEFAULT);
    put("/test/k", "v");
    PeerInfo self = new PeerInfo(SENDER, List.of(Script.address(500)));
    fixture.openInbound(SENDER).send(KademliaMessage.addProvider(Script.hash("x"), self));
    startAgain(DhtSettings.DEFAULT);
    assertEquals("v", held(KEY));
    assertEquals(List.of(self), providers("x"));
  }

  @Test
  void nobodyIsServedAndNothingRunsBeforeAllIsLoaded() throws Exception {
    start(DhtSettings.DEFAULT);
    put("/test/k", "v");
    fixture.close();
    store = store.reopened();
    store.slow = true;
    start(DhtSettings.DEFAULT);
    assertNull(fixture.openInbound(SENDER));
    Probe<Dht.FindProvidersReply> found = fixture.system.probe();
    fixture.dht.tell(
        new Dht.FindProviders(Script.hash("x"), 1, Readiness.UNTIL_GATE_OPENS, found.ref()));
    assertEquals(Dht.State.BOOTSTRAPPING, fixture.state().state());
    found.expectNone(Duration.ofSeconds(1));
    store.slow = false;
    store.release();
    fixture.system.runUntilIdle();
    assertEquals(Dht.State.READY, fixture.state().state());
    assertEquals("v", held(KEY));
    found.next();
  }

  @Test
  void aCrashWhileLoadingLosesNothing() throws Exception {
    start(DhtSettings.DEFAULT);
    put("/test/k", "v");
    fixture.close();
    store = store.reopened();
    store.slow = true;
    start(DhtSettings.DEFAULT);
    fixture.crash();
    store.slow = false;
    store.release();
    fixture.system.runUntilIdle();
    assertEquals("v", held(KEY));
  }

  @Test
  void anExpiredValueIsDroppedAndAFutureOneIsKeptAsIfItHadComeNow() throws Exception {
    Instant now = SimulatedSystem.EPOCH;
    keep(
        value(Bytes.utf8("/test/old"), "1", now.minus(Duration.ofHours(49))),
        value(Bytes.utf8("/test/young"), "2", now.minus(Duration.ofHours(47))),
        value(Bytes.utf8("/test/future"), "3", now.plus(Duration.ofDays(300))));
    start(DhtSettings.DEFAULT);
    assertNull(held(Bytes.utf8("/test/old")));
    assertEquals("2", held(Bytes.utf8("/test/young")));
    assertEquals("3", held(Bytes.utf8("/test/future")));
    assertFalse(store.keys(StoreCollection.VALUES).contains(Bytes.utf8("/test/old")));
    fixture.advance(Duration.ofMinutes(61));
    assertNull(held(Bytes.utf8("/test/young")));
    fixture.advance(Duration.ofHours(46));
    assertEquals("3", held(Bytes.utf8("/test/future")));
    fixture.advance(Duration.ofHours(2));
    assertNull(held(Bytes.utf8("/test/future")));
    assertEquals(List.of(), store.keys(StoreCollection.VALUES));
  }

  @Test
  void aValueThatIsNotValidNowIsNotServedAndNotLost() throws Exception {
    Bytes key = Bytes.utf8("/house/k");
    keep(value(key, "v", SimulatedSystem.EPOCH));
    start(DhtSettings.DEFAULT);
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.send(KademliaMessage.getValue(key));
    assertNull(pipe.answer().record());
    startAgain(
        DhtSettings.DEFAULT.withNamespaces(
            DhtSettings.DEFAULT.namespaces().with("house", Namespace.open())));
    assertEquals("v", held(key));
  }

  @Test
  void whatCannotBeDecodedIsPassedOver() throws Exception {
    keep(
        Change.put(StoreCollection.VALUES, Bytes.utf8("/test/a"), Bytes.fromHex("ff")),
        Change.put(StoreCollection.PROVIDERS, Bytes.fromHex("01"), Bytes.fromHex("ff")),
        Change.put(StoreCollection.TABLE, Bytes.fromHex("01"), Bytes.EMPTY),
        value(KEY, "v", SimulatedSystem.EPOCH));
    start(DhtSettings.DEFAULT);
    assertEquals("v", held(KEY));
    assertNull(held(Bytes.utf8("/test/a")));
  }

  @Test
  void aPutOfOurOwnIsAnsweredOnceOthersHaveItAndItIsKept() {
    Script remote = Script.peerNumber(1);
    start(DhtFixture.joining(remote), remote);
    fixture.advance(Duration.ofSeconds(1));
    store.slow = true;
    Probe<Dht.PutValueReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(KEY, Bytes.utf8("v"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    reply.expectNone(Duration.ofSeconds(5));
    store.release();
    assertTrue(reply.next() instanceof Dht.ValuePut);
    reply.expectNone();
  }

  @Test
  void aPutOfOurOwnThatIsNotKeptHereSaysSo() {
    Script remote = Script.peerNumber(1);
    start(DhtFixture.joining(remote), remote);
    fixture.advance(Duration.ofSeconds(1));
    store.failure = FULL;
    Probe<Dht.PutValueReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(KEY, Bytes.utf8("v"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    fixture.advance(Duration.ofSeconds(5));
    Dht.OperationFailed failed = reply.expect(Dht.OperationFailed.class);
    assertEquals(Dht.Reason.NOT_KEPT, failed.reason());
    assertTrue(failed.message().contains("no room on the disk"), failed.message());
    reply.expectNone();
  }

  @Test
  void aStoreThatNeverAnswersCostsAnOperationItsTimeAndNoMore() {
    Script remote = Script.peerNumber(1);
    start(DhtFixture.joining(remote), remote);
    fixture.advance(Duration.ofSeconds(1));
    store.slow = true;
    Probe<Dht.ProvideReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.Provide(Script.hash("x"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    fixture.advance(DhtSettings.DEFAULT.timing().operation().plusSeconds(1));
    assertEquals(Dht.Reason.TIMED_OUT, reply.expect(Dht.OperationFailed.class).reason());
    store.release();
    fixture.system.runUntilIdle();
    reply.expectNone();
  }

  @Test
  void theRoutingTableIsKeptNowAndThenAndAtTheEnd() {
    Script first = Script.peerNumber(1);
    Script second = Script.peerNumber(2);
    start(DhtSettings.DEFAULT);
    fixture.identify(first);
    assertEquals(List.of(), store.keys(StoreCollection.TABLE));
    fixture.advance(Dht.SAVE_INTERVAL.plusSeconds(1));
    assertEquals(List.of(first.peer.bytes()), store.keys(StoreCollection.TABLE));
    int commits = store.commits.size();
    fixture.advance(Dht.SAVE_INTERVAL.multipliedBy(5));
    assertEquals(commits, store.commits.size(), "nothing had changed");
    fixture.identify(second);
    fixture.dht.tell(new Dht.Stop());
    fixture.system.runUntilIdle();
    assertEquals(2, store.keys(StoreCollection.TABLE).size());
  }

  @Test
  void whoWasInTheTableEntersItOnlyAfterItHasAnswered() {
    Script alive = Script.peerNumber(1);
    Script dead = Script.peerNumber(2);
    Script client = Script.peerNumber(3);
    Script mute = Script.peerNumber(4);
    dead.reachable = false;
    client.server = false;
    mute.silent = true;
    for (Script each : List.of(alive, dead, client, mute)) {
      keep(
          Change.put(
              StoreCollection.TABLE,
              each.peer.bytes(),
              new StoredPeer(each.peer, List.of(each.address), SimulatedSystem.EPOCH).encode()));
    }
    start(DhtSettings.DEFAULT, alive, dead, client, mute);
    assertEquals(0, fixture.state().peers());
    fixture.advance(Duration.ofSeconds(1));
    assertTrue(fixture.connected.contains(mute.peer));
    assertEquals(1, fixture.state().peers(), "it says that it serves, and does not answer");
    fixture.advance(Duration.ofSeconds(10));
    Probe<Dht.Table> table = fixture.system.probe();
    fixture.dht.tell(new Dht.GetTable(table.ref()));
    assertEquals(List.of(alive.peer), table.next().peers());
    assertTrue(fixture.dials.contains(dead.peer));
    fixture.advance(Dht.SAVE_INTERVAL);
    assertEquals(List.of(alive.peer.bytes()), store.keys(StoreCollection.TABLE));
  }

  @Test
  void candidatesAreDialledAfewAtAtimeAndNotAllOfThem() {
    Script[] all = new Script[Keeping.MAX_CANDIDATES + 50];
    for (int i = 0; i < all.length; i++) {
      all[i] = Script.peerNumber(i + 1);
      all[i].reachable = false;
      keep(
          Change.put(
              StoreCollection.TABLE,
              all[i].peer.bytes(),
              new StoredPeer(
                      all[i].peer,
                      List.of(all[i].address),
                      SimulatedSystem.EPOCH.minusSeconds(1000 - i))
                  .encode()));
    }
    start(DhtSettings.DEFAULT, all);
    assertEquals(DhtSettings.Table.DEFAULT.checks(), fixture.dials.size());
    assertEquals(all[0].peer, fixture.dials.get(0));
    fixture.advance(Duration.ofHours(1));
    assertEquals(Keeping.MAX_CANDIDATES, fixture.dials.size());
    // Nobody answered: they are the ones to try the next time, too.
    assertFalse(store.keys(StoreCollection.TABLE).isEmpty());
  }

  @Test
  void aDhtThatIsOffReadsNothing() {
    store.slow = true;
    start(DhtSettings.DEFAULT.withMode(DhtMode.OFF));
    assertEquals(Dht.State.READY, fixture.state().state());
  }
}
