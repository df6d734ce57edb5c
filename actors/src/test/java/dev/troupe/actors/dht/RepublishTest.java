package dev.troupe.actors.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.DhtFixture.InboundPipe;
import dev.troupe.actors.fakes.ScriptedHost;
import dev.troupe.actors.fakes.ScriptedStore;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.presence.Presence;
import dev.troupe.actors.presence.PresenceSettings;
import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.ipns.IpnsRecord;
import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Finished;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.ProviderStore;
import dev.troupe.protocol.kademlia.StoredProvider;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.kademlia.ValueStore;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is announced again, when, and until when. */
class RepublishTest {

  private static final Bytes KEY = Bytes.utf8("/test/k");
  private static final Duration INTERVAL = DhtSettings.Records.DEFAULT.providerRepublish();
  private static final Duration PAUSE = DhtSettings.Records.DEFAULT.pause();

  /** Long enough for a lookup, and much shorter than anything else here. */
  private static final Duration MOMENT = Duration.ofSeconds(5);

  private final Script remote = Script.peerNumber(1);
  private ScriptedStore store = new ScriptedStore();
  private DhtFixture fixture;

  @AfterEach
  void close() {
    if (fixture != null) {
      fixture.close();
    }
  }

  private void start(Store where) {
    fixture = new DhtFixture(DhtFixture.joining(remote), where, remote);
    fixture.advance(MOMENT);
  }

  /** By how much the intervals of providers and of values are shortened, in this order. */
  private static Duration[] jitter() {
    try (SimulatedSystem system = SimulatedSystem.create(0, Order.FIFO)) {
      RandomGenerator random = system.random("dht republish");
      long part = INTERVAL.toNanos() / Republishing.JITTER_PART + 1;
      return new Duration[] {
        Duration.ofNanos(random.nextLong(part)), Duration.ofNanos(random.nextLong(part))
      };
    }
  }

  private void provide(String name) {
    Probe<Dht.ProvideReply> reply = provideLater(name);
    fixture.system.runUntilIdle();
    fixture.advance(Duration.ZERO);
    reply.expect(Dht.Provided.class, MOMENT);
  }

  private void stopProviding(String name) {
    Probe<Dht.StopProvidingReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.StopProviding(Script.hash(name), reply.ref()));
    assertEquals(new Dht.ProvidingStopped(Script.hash(name)), reply.next());
  }

  private long told(KademliaMessage.Type type) {
    return remote.requests.stream().filter(request -> request.type() == type).count();
  }

  private long announced() {
    return told(KademliaMessage.Type.ADD_PROVIDER);
  }

  private List<PeerInfo> providers(String name) throws Exception {
    InboundPipe pipe = fixture.openInbound(Script.peer(500));
    pipe.send(KademliaMessage.getProviders(Script.hash(name)));
    return pipe.answer().providers();
  }

  @Test
  void aProviderIsAnnouncedAgainExactlyWhenItIsDue() {
    start(Store.NONE);
    long begun = fixture.system.now();
    provide("x");
    Duration due = INTERVAL.minus(jitter()[0]);
    for (int round = 1; round <= 3; round++) {
      assertEquals(round, announced());
      // The request itself takes some milliseconds, twice: on the way there, and with the record.
      Duration before = due.multipliedBy(round).minusSeconds(1);
      fixture.advance(before.minusNanos(fixture.system.now() - begun));
      assertEquals(round, announced());
      fixture.advance(MOMENT);
      assertEquals(round + 1, announced());
    }
    assertTrue(jitter()[0].compareTo(INTERVAL.dividedBy(Republishing.JITTER_PART)) <= 0);
  }

  @Test
  void aValueOfOurOwnIsPutAgainAndAnothersIsNot() throws Exception {
    start(Store.NONE);
    Bytes another = Bytes.utf8("/test/another's");
    InboundPipe pipe = fixture.openInbound(Script.peer(500));
    KademliaMessage put =
        KademliaMessage.putValue(new ValueRecord(another, Bytes.utf8("of somebody")));
    pipe.send(put);
    assertEquals(put, pipe.answer());
    long begun = fixture.system.now();
    Probe<Dht.PutValueReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(KEY, Bytes.utf8("v"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    reply.expect(Dht.ValuePut.class, MOMENT);
    assertEquals(1, told(KademliaMessage.Type.PUT_VALUE));
    fixture.advance(
        INTERVAL.minus(jitter()[1]).minusSeconds(1).minusNanos(fixture.system.now() - begun));
    assertEquals(1, told(KademliaMessage.Type.PUT_VALUE));
    fixture.advance(MOMENT);
    assertEquals(2, told(KademliaMessage.Type.PUT_VALUE));
    fixture.advance(Duration.ofHours(60));
    assertTrue(told(KademliaMessage.Type.PUT_VALUE) >= 4);
    assertTrue(remote.requests.stream().noneMatch(request -> request.key().equals(another)));
  }

  @Test
  void aValueWhoseTimeIsOverIsNotPutAgain() {
    start(Store.NONE);
    PrivateKey key = ScriptedWorld.key(1);
    IpnsRecord record =
        new IpnsRecord(
            Bytes.utf8("/ipfs/x"), 0, SimulatedSystem.EPOCH.plus(Duration.ofHours(1)), 0);
    Probe<Dht.PutValueReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(
            IpnsRecord.keyOf(key.peerId()),
            record.seal(new PortableCrypto(), key),
            Readiness.UNTIL_GATE_OPENS,
            reply.ref()));
    reply.expect(Dht.ValuePut.class, MOMENT);
    fixture.advance(Duration.ofHours(47));
    assertEquals(1, told(KademliaMessage.Type.PUT_VALUE));
  }

  @Test
  void whatIsStoppedIsNotAnnouncedAgainAndNotNamed() throws Exception {
    start(Store.NONE);
    provide("x");
    assertEquals(1, providers("x").size());
    stopProviding("x");
    assertEquals(List.of(), providers("x"));
    fixture.advance(Duration.ofHours(60));
    assertEquals(1, announced());
  }

  @Test
  void stoppingAnswersAProvideThatWaits() {
    remote.reachable = false;
    start(Store.NONE);
    Probe<Dht.ProvideReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.Provide(Script.hash("x"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    stopProviding("x");
    assertEquals(Dht.Reason.WITHDRAWN, reply.expect(Dht.OperationFailed.class).reason());
  }

  private void put() {
    Probe<Dht.PutValueReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(KEY, Bytes.utf8("v"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    reply.expect(Dht.ValuePut.class, MOMENT);
  }

  private Probe<Dht.StopPuttingReply> stopPutting() {
    Probe<Dht.StopPuttingReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.StopPutting(KEY, reply.ref()));
    fixture.system.runUntilIdle();
    return reply;
  }

  private int values() {
    Probe<Dht.Records> records = fixture.system.probe();
    fixture.dht.tell(new Dht.GetRecords(records.ref()));
    return records.next().values();
  }

  @Test
  void whatIsPutNoMoreIsNotPutAgainAndNotNamed() {
    start(Store.NONE);
    put();
    assertEquals(1, values());
    assertEquals(new Dht.PuttingStopped(KEY), stopPutting().next());
    assertEquals(0, values());
    fixture.advance(Duration.ofHours(60));
    assertEquals(1, told(KademliaMessage.Type.PUT_VALUE));
  }

  @Test
  void anothersValueStaysWhenOursIsPutNoMore() throws Exception {
    start(Store.NONE);
    InboundPipe pipe = fixture.openInbound(Script.peer(500));
    pipe.send(KademliaMessage.putValue(new ValueRecord(KEY, Bytes.utf8("of somebody"))));
    pipe.answer();
    assertEquals(new Dht.PuttingStopped(KEY), stopPutting().next());
    assertEquals(1, values());
  }

  @Test
  void stoppingAnswersAPutThatWaits() {
    remote.reachable = false;
    start(Store.NONE);
    Probe<Dht.PutValueReply> reply = putLater("v");
    assertEquals(new Dht.PuttingStopped(KEY), stopPutting().next());
    assertEquals(Dht.Reason.WITHDRAWN, reply.expect(Dht.OperationFailed.class).reason());
  }

  @Test
  void whatIsPutNoMoreIsNotThereAfterARestartEvenIfThatWasWhileLoading() {
    start(store);
    put();
    fixture.close();
    store = store.reopened();
    store.slow = true;
    start(store);
    Probe<Dht.StopPuttingReply> reply = stopPutting();
    reply.expectNone();
    store.slow = false;
    store.release();
    fixture.system.runUntilIdle();
    assertEquals(new Dht.PuttingStopped(KEY), reply.next());
    assertEquals(0, values());
    assertEquals(List.of(), store.keys(StoreCollection.VALUES));
  }

  @Test
  void whatIsAskedForAfterAStopIsDoneEvenIfThatWasWhileLoading() {
    start(store);
    put();
    provide("x");
    fixture.close();
    store = store.reopened();
    store.slow = true;
    start(store);
    Probe<Dht.PutValueReply> before = putLater("before");
    Probe<Dht.StopPuttingReply> stopped = stopPutting();
    Probe<Dht.PutValueReply> after = putLater("after");
    Probe<Dht.ProvideReply> providedBefore = provideLater("x");
    Probe<Dht.StopProvidingReply> unprovided = fixture.system.probe();
    fixture.dht.tell(new Dht.StopProviding(Script.hash("x"), unprovided.ref()));
    Probe<Dht.ProvideReply> providedAfter = provideLater("x");
    fixture.system.runUntilIdle();
    assertEquals(Dht.Reason.WITHDRAWN, before.expect(Dht.OperationFailed.class).reason());
    assertEquals(Dht.Reason.WITHDRAWN, providedBefore.expect(Dht.OperationFailed.class).reason());
    stopped.expectNone();
    store.slow = false;
    store.release();
    fixture.identify(remote);
    fixture.advance(MOMENT);
    assertEquals(new Dht.PuttingStopped(KEY), stopped.next());
    assertEquals(new Dht.ProvidingStopped(Script.hash("x")), unprovided.next());
    after.expect(Dht.ValuePut.class);
    providedAfter.expect(Dht.Provided.class);
    assertEquals(1, values());
  }

  private Probe<Dht.PutValueReply> putLater(String value) {
    Probe<Dht.PutValueReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(KEY, Bytes.utf8(value), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    return reply;
  }

  private Probe<Dht.ProvideReply> provideLater(String name) {
    Probe<Dht.ProvideReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.Provide(Script.hash(name), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    return reply;
  }

  @Test
  void aPresenceThatIsWithdrawnWhileItWaitsIsNotPublished() {
    remote.reachable = false;
    start(Store.NONE);
    PrivateKey key = ScriptedWorld.key(1);
    ActorRef<Presence.Command> presence =
        fixture.system.spawn(
            Presence.create(
                PresenceSettings.DEFAULT,
                key,
                new ScriptedWorld(fixture.system),
                new ScriptedHost(key.peerId()),
                fixture.dht),
            "presence");
    Probe<Presence.AnnounceReply> announced = fixture.system.probe();
    Probe<Presence.Withdrawn> withdrawn = fixture.system.probe();
    presence.tell(new Presence.Announce("/eth/0xa11ce", "id", "Alice", announced.ref()));
    fixture.system.runUntilIdle();
    assertEquals(1, fixture.state().stashed());
    presence.tell(new Presence.Withdraw("/eth/0xa11ce", withdrawn.ref()));
    fixture.system.runUntilIdle();
    assertTrue(withdrawn.next().wasAnnounced());
    remote.reachable = true;
    fixture.identify(remote);
    fixture.advance(MOMENT);
    assertEquals(Dht.State.READY, fixture.state().state());
    assertEquals(0, told(KademliaMessage.Type.PUT_VALUE));
    assertEquals(0, values());
  }

  @Test
  void whatIsProvidedIsRememberedAndGoesOnBeingProvided() throws Exception {
    start(store);
    provide("x");
    fixture.close();
    store = store.reopened();
    remote.requests.clear();
    start(store);
    assertEquals(1, providers("x").size());
    fixture.advance(INTERVAL);
    assertEquals(1, announced());
  }

  @Test
  void whatIsProvidedIsAnnouncedAtOnceWhenThePeerWasAwayForLong() throws Exception {
    ProviderStore places = new ProviderStore(DhtFixture.SELF, ProviderStore.Settings.DEFAULT);
    StoredProvider own =
        new StoredProvider(
            Script.hash("x"),
            DhtFixture.SELF,
            List.of(Script.address(0)),
            SimulatedSystem.EPOCH.minus(Duration.ofDays(5)));
    Bytes place = places.placeOf(own.key(), DhtFixture.SELF);
    store.memory.commit(
        Batch.of(Change.put(StoreCollection.PROVIDERS, place, own.encode())),
        new StoreCompletion<>() {
          @Override
          public void succeeded(Batch batch) {}

          @Override
          public void failed(StoreFailure failure) {
            throw new AssertionError(failure);
          }
        });
    start(store);
    assertEquals(1, announced());
    assertEquals(1, providers("x").size());
  }

  @Test
  void whatIsNotToBeKeptIsForgottenWithThePeer() throws Exception {
    start(store);
    Probe<Dht.ProvideReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.Provide(Script.hash("x"), false, Readiness.UNTIL_GATE_OPENS, reply.ref()));
    reply.expect(Dht.Provided.class, MOMENT);
    fixture.close();
    store = store.reopened();
    start(store);
    assertEquals(List.of(), providers("x"));
  }

  @Test
  void whatIsStoppedIsNotThereAfterARestartEvenIfThatWasWhileLoading() throws Exception {
    start(store);
    provide("x");
    provide("y");
    stopProviding("y");
    fixture.close();
    store = store.reopened();
    store.slow = true;
    start(store);
    Probe<Dht.StopProvidingReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.StopProviding(Script.hash("x"), reply.ref()));
    reply.expectNone();
    store.slow = false;
    store.release();
    fixture.system.runUntilIdle();
    assertTrue(reply.next() instanceof Dht.ProvidingStopped);
    assertEquals(List.of(), providers("x"));
    assertEquals(List.of(), providers("y"));
    assertEquals(List.of(), store.keys(StoreCollection.PROVIDERS));
  }

  @Test
  void aStopThatCannotBeKeptSaysSo() {
    start(store);
    provide("x");
    store.failure = new StoreFailure(StoreFailure.Kind.FULL, "there is no room on the disk");
    Probe<Dht.StopProvidingReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.StopProviding(Script.hash("x"), reply.ref()));
    assertEquals(Dht.Reason.NOT_KEPT, reply.expect(Dht.OperationFailed.class).reason());
  }

  @Test
  void manyKeysTakeOneLookup() {
    start(Store.NONE);
    long walks = told(KademliaMessage.Type.FIND_NODE);
    startProviding(1000);
    assertEquals(1000, announced());
    assertEquals(walks + 1, told(KademliaMessage.Type.FIND_NODE));
  }

  @Test
  void whatIsTooMuchForOneSweepComesWithTheNext() {
    start(Store.NONE);
    long walks = told(KademliaMessage.Type.FIND_NODE);
    startProviding(Republishing.KEYS_A_SWEEP);
    assertEquals(Republishing.KEYS_A_SWEEP, announced());
    assertEquals(walks + 1, told(KademliaMessage.Type.FIND_NODE));
    fixture.close();
    remote.requests.clear();
    start(Store.NONE);
    walks = told(KademliaMessage.Type.FIND_NODE);
    startProviding(Republishing.KEYS_A_SWEEP + 1);
    assertEquals(Republishing.KEYS_A_SWEEP + 1, announced());
    assertEquals(walks + 2, told(KademliaMessage.Type.FIND_NODE));
  }

  @Test
  void oneStreamTakesSoManyKeysAndTheRestComeOnAnother() {
    start(Store.NONE);
    startProviding(2 * Query.Sweep.KEYS_A_PARCEL + 1);
    assertEquals(
        List.of(Query.Sweep.KEYS_A_PARCEL, Query.Sweep.KEYS_A_PARCEL, 1),
        remote.streams.stream()
            .filter(each -> each.get(0).type() == KademliaMessage.Type.ADD_PROVIDER)
            .map(List::size)
            .toList());
  }

  @Test
  void aCrashInTheMiddleOfASweepLosesNoKeyAndNoReply() {
    start(Store.NONE);
    long walks = told(KademliaMessage.Type.FIND_NODE);
    Probe<Dht.StartProvidingReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.StartProviding(keys(300), reply.ref()));
    // The walk is under way, and nothing has been announced.
    fixture.advance(Script.LATENCY.plusMillis(1));
    assertEquals(walks + 1, told(KademliaMessage.Type.FIND_NODE));
    assertEquals(0, announced());
    fixture.crash();
    assertEquals(new Dht.ProvidingStarted(300, 0), reply.next());
    fixture.advance(MOMENT);
    assertEquals(300, announced());
    reply.expectNone();
  }

  @Test
  void aCrashBeforeItIsKeptIsSaid() {
    start(store);
    store.slow = true;
    Probe<Dht.StartProvidingReply> started = fixture.system.probe();
    fixture.dht.tell(new Dht.StartProviding(keys(1), started.ref()));
    Probe<Dht.StopProvidingReply> stopped = fixture.system.probe();
    fixture.dht.tell(new Dht.StopProviding(keys(1).get(0), stopped.ref()));
    fixture.crash();
    assertEquals(Dht.Reason.CRASHED, started.expect(Dht.OperationFailed.class).reason());
    assertEquals(Dht.Reason.CRASHED, stopped.expect(Dht.OperationFailed.class).reason());
    store.release();
    fixture.system.runUntilIdle();
    started.expectNone();
    stopped.expectNone();
  }

  @Test
  void aStopBeforeItIsKeptIsSaid() {
    start(store);
    store.slow = true;
    Probe<Dht.StartProvidingReply> started = fixture.system.probe();
    fixture.dht.tell(new Dht.StartProviding(keys(1), started.ref()));
    fixture.dht.tell(new Dht.Stop());
    fixture.system.runUntilIdle();
    assertEquals(Dht.Reason.STOPPING, started.expect(Dht.OperationFailed.class).reason());
  }

  private static List<Multihash> keys(int count) {
    return IntStream.range(0, count).mapToObj(i -> Script.hash("key " + i)).toList();
  }

  private void startProviding(int count) {
    Probe<Dht.StartProvidingReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.StartProviding(keys(count), reply.ref()));
    assertEquals(new Dht.ProvidingStarted(count, 0), reply.next());
    fixture.advance(MOMENT);
  }

  @Test
  void nobodyThereIsTriedAgainAfterAPause() {
    start(Store.NONE);
    remote.opens = false;
    Probe<Dht.StartProvidingReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.StartProviding(List.of(Script.hash("x")), reply.ref()));
    fixture.advance(Duration.ofMinutes(1));
    assertEquals(0, announced());
    remote.opens = true;
    fixture.advance(DhtSettings.Records.DEFAULT.pause().multipliedBy(2));
    assertEquals(1, announced());
  }

  @Test
  void aProvideThatFailsIsTriedAgainAfterAPause() {
    start(Store.NONE);
    remote.opens = false;
    Probe<Dht.ProvideReply> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.Provide(Script.hash("x"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    reply.expect(Dht.OperationFailed.class, Duration.ofMinutes(1));
    assertEquals(0, announced());
    remote.opens = true;
    fixture.advance(PAUSE.multipliedBy(2));
    assertEquals(1, announced());
    fixture.advance(INTERVAL.dividedBy(2));
    assertEquals(1, announced());
  }

  @Test
  void aValueThatNobodyTookIsPutAgainAfterAPauseThatGrows() {
    start(Store.NONE);
    remote.answer = RepublishTest::refusingValues;
    Probe<Dht.PutValueReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(KEY, Bytes.utf8("v"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
    assertEquals(Dht.Reason.REJECTED, reply.expect(Dht.OperationFailed.class, MOMENT).reason());
    fixture.advance(PAUSE.plus(MOMENT));
    assertEquals(2, told(KademliaMessage.Type.PUT_VALUE));
    fixture.advance(INTERVAL);
    assertTrue(told(KademliaMessage.Type.PUT_VALUE) <= 9);
    remote.answer = Script.naming();
    fixture.advance(INTERVAL);
    long tries = told(KademliaMessage.Type.PUT_VALUE);
    fixture.advance(INTERVAL.dividedBy(2));
    assertEquals(tries, told(KademliaMessage.Type.PUT_VALUE));
  }

  private static @Nullable KademliaMessage refusingValues(KademliaMessage request) {
    return request.type() == KademliaMessage.Type.PUT_VALUE ? null : Script.naming().apply(request);
  }

  @Test
  void whatCouldNotBeKeptIsWrittenWhenItIsAskedForAgain() {
    start(store);
    StoreFailure full = new StoreFailure(StoreFailure.Kind.FULL, "there is no room on the disk");
    for (int round = 1; round <= 2; round++) {
      store.failure = round == 1 ? full : null;
      Probe<Dht.StartProvidingReply> started = fixture.system.probe();
      fixture.dht.tell(new Dht.StartProviding(keys(1), started.ref()));
      assertEquals(round == 2, started.next() instanceof Dht.ProvidingStarted);
      assertEquals(round == 2 ? 1 : 0, store.keys(StoreCollection.PROVIDERS).size());
    }
    for (int round = 1; round <= 2; round++) {
      store.failure = round == 1 ? full : null;
      Probe<Dht.StopProvidingReply> stopped = fixture.system.probe();
      fixture.dht.tell(new Dht.StopProviding(keys(1).get(0), stopped.ref()));
      assertEquals(round == 2, stopped.next() instanceof Dht.ProvidingStopped);
      assertEquals(round == 2 ? 0 : 1, store.keys(StoreCollection.PROVIDERS).size());
    }
  }

  @Test
  void whereWeListenElsewhereThatIsAnnounced() {
    start(Store.NONE);
    provide("x");
    fixture.listens = List.of(Script.address(77));
    fixture.advance(Duration.ofHours(1));
    List<KademliaMessage> told =
        remote.requests.stream()
            .filter(each -> each.type() == KademliaMessage.Type.ADD_PROVIDER)
            .toList();
    assertEquals(2, told.size());
    assertEquals(fixture.listens, told.get(1).providers().get(0).addresses());
  }

  @Test
  void weAreNamedWhereWeListenNow() throws Exception {
    start(Store.NONE);
    provide("x");
    fixture.listens = List.of(Script.address(77));
    assertEquals(fixture.listens, providers("x").get(0).addresses());
  }

  @Test
  void aParcelMayTakeTheTimeOfAllItsRecords() {
    start(Store.NONE);
    remote.takes = Duration.ofMillis(20);
    int count = Query.Sweep.KEYS_A_PARCEL;
    startProviding(count);
    fixture.advance(PAUSE.multipliedBy(3));
    assertEquals(count, announced());
  }

  @Test
  void whatIsStartedWhileLoadingIsAsLongAgoAsItWas() {
    start(store);
    provide("x");
    fixture.close();
    store = store.reopened();
    remote.requests.clear();
    store.slow = true;
    start(store);
    Probe<Dht.StartProvidingReply> started = fixture.system.probe();
    fixture.dht.tell(new Dht.StartProviding(List.of(Script.hash("x")), started.ref()));
    started.expectNone();
    fixture.crash();
    started.expectNone();
    store.slow = false;
    store.release();
    fixture.advance(MOMENT);
    assertEquals(new Dht.ProvidingStarted(1, 0), started.next());
    assertEquals(0, announced());
  }

  @Test
  void whileLoadingSoManyStartsAndStopsWait() {
    store.slow = true;
    fixture =
        new DhtFixture(
            DhtFixture.joining(remote)
                .withLimits(new DhtSettings.Limits(1, 10, 200, 10, 10, 10, 2)),
            store,
            remote);
    Probe<Dht.StopProvidingReply> stopped = fixture.system.probe();
    Probe<Dht.StartProvidingReply> started = fixture.system.probe();
    fixture.dht.tell(new Dht.StopProviding(Script.hash("x"), stopped.ref()));
    fixture.dht.tell(new Dht.StartProviding(keys(1), started.ref()));
    assertEquals(Dht.Reason.STASH_FULL, started.expect(Dht.OperationFailed.class).reason());
    stopped.expectNone();
    fixture.dht.tell(new Dht.Stop());
    fixture.system.runUntilIdle();
    assertEquals(Dht.Reason.STOPPING, stopped.expect(Dht.OperationFailed.class).reason());
  }

  @Test
  void moreValuesThanMayBeAreRefused() {
    fixture =
        new DhtFixture(
            DhtFixture.joining(remote)
                .withLimits(new DhtSettings.Limits(10, 10, 200, 10, 10, 1, 10)),
            remote);
    fixture.advance(MOMENT);
    for (int i = 1; i <= 2; i++) {
      Probe<Dht.PutValueReply> reply = fixture.system.probe();
      fixture.dht.tell(
          new Dht.PutValue(
              Bytes.utf8("/test/" + i), Bytes.utf8("v"), Readiness.UNTIL_GATE_OPENS, reply.ref()));
      if (i == 1) {
        reply.expect(Dht.ValuePut.class, MOMENT);
      } else {
        assertEquals(
            Dht.Reason.TOO_MANY_VALUES, reply.expect(Dht.OperationFailed.class, MOMENT).reason());
      }
    }
    assertEquals(1, told(KademliaMessage.Type.PUT_VALUE));
  }

  /** Decisions alone, without a DHT. */
  private static final class Decisions {

    final ValueStore values =
        new ValueStore(Namespaces.BUILT_IN, DhtFixture.SELF, ValueStore.Settings.DEFAULT);
    final ProviderStore providers =
        new ProviderStore(DhtFixture.SELF, ProviderStore.Settings.DEFAULT);
    final PeerInfo self = new PeerInfo(DhtFixture.SELF, List.of(Script.address(0)));
    final Republishing republishing =
        new Republishing(DhtSettings.DEFAULT, values, providers, new SplittableRandom(1));
    long lookups;

    /** The key of what is next; begun. */
    Bytes next(long now) {
      Republishing.Task task =
          republishing.next(self, now, () -> SimulatedSystem.EPOCH.plusNanos(now)).orElseThrow();
      republishing.begin(++lookups);
      return task.query().question().key();
    }

    void end(Query.Outcome outcome, long now) {
      assertTrue(republishing.end(lookups, outcome, now));
    }
  }

  @Test
  void whatFailsDoesNotHoldUpWhatDoesNot() throws Exception {
    Decisions decisions = new Decisions();
    for (Multihash key : keys(3)) {
      decisions.providers.intend(key, decisions.self.addresses(), true, 0);
    }
    decisions.values.intend(new ValueRecord(KEY, Bytes.utf8("v")), 0);
    Multihash failing = Multihash.decode(decisions.next(0));
    decisions.end(new Query.Outcome.Announced(List.of(), List.of(failing)), 0);
    assertEquals(KEY, decisions.next(0), "values have their turn");
    decisions.end(new Query.Outcome.Placed(1), 0);
    Multihash another = Multihash.decode(decisions.next(0));
    assertNotEquals(failing, another);
    List<Multihash> others = keys(3).stream().filter(key -> !key.equals(failing)).toList();
    decisions.end(new Query.Outcome.Announced(others, List.of()), 0);
    long left =
        decisions.republishing.untilNext(decisions.self.addresses(), 0).orElseThrow().toNanos();
    assertEquals(PAUSE.toNanos(), left);
    assertEquals(failing, Multihash.decode(decisions.next(left)));
  }

  @Test
  void whatAnOperationAnnouncesIsNotAnnouncedBesides() throws Exception {
    Decisions decisions = new Decisions();
    ValueRecord value = new ValueRecord(KEY, Bytes.utf8("v"));
    decisions.providers.intend(keys(1).get(0), decisions.self.addresses(), true, 0);
    decisions.values.intend(value, 0);
    decisions.republishing.begin(100, keys(1).get(0), decisions.self.addresses());
    decisions.republishing.begin(101, value);
    assertTrue(
        decisions.republishing.next(decisions.self, 0, () -> SimulatedSystem.EPOCH).isEmpty());
    assertTrue(decisions.republishing.untilNext(decisions.self.addresses(), 0).isEmpty());
    Query.Outcome late = new Query.Outcome.Failed(Dht.Reason.TIMED_OUT, "time ran out");
    assertTrue(decisions.republishing.end(100, late, 0));
    assertEquals(
        PAUSE, decisions.republishing.untilNext(decisions.self.addresses(), 0).orElseThrow());
  }

  @Test
  void whereNobodyAtAllAnswersEverythingWaits() throws Exception {
    Decisions decisions = new Decisions();
    decisions.providers.intend(keys(1).get(0), decisions.self.addresses(), true, 0);
    decisions.values.intend(new ValueRecord(KEY, Bytes.utf8("v")), 0);
    decisions.next(0);
    decisions.end(new Query.Outcome.Failed(Dht.Reason.NO_PEERS, "nobody"), 0);
    assertTrue(
        decisions.republishing.next(decisions.self, 0, () -> SimulatedSystem.EPOCH).isEmpty());
    assertEquals(
        PAUSE, decisions.republishing.untilNext(decisions.self.addresses(), 0).orElseThrow());
    assertEquals(KEY, decisions.next(PAUSE.toNanos()));
  }

  @Test
  void aKeyIsAnnouncedWhenHalfOfThoseHaveTakenItThatShould() {
    List<PeerId> four = IntStream.rangeClosed(1, 4).mapToObj(Script::peer).toList();
    Finished walk = new Finished(Ending.EXHAUSTED, four, 4, 4);
    PeerInfo self = new PeerInfo(DhtFixture.SELF, List.of());
    Query.Sweep sweep = new Query.Sweep(keys(2), self, 20);
    List<Query.Parcel> parcels = sweep.parcels(walk);
    sweep.onPlaced(parcels.get(0));
    assertEquals(
        new Query.Outcome.Announced(List.of(), keys(2)), sweep.placed(1, Dht.Reason.REJECTED));
    sweep.onPlaced(parcels.get(1));
    assertEquals(
        new Query.Outcome.Announced(keys(2), List.of()), sweep.placed(2, Dht.Reason.REJECTED));
  }

  /** A path that lies can end as it likes: by naming more than may be asked, or by stalling. */
  @ParameterizedTest
  @EnumSource(names = {"DISPUTED", "BUDGET_SPENT", "DEADLINE_PASSED"})
  void wherePathsDisagreeAllThatTheyFoundAreTold(Ending ending) {
    List<PeerId> forty = IntStream.rangeClosed(1, 40).mapToObj(Script::peer).toList();
    Finished walk = new Finished(ending, forty, 60, 60);
    PeerInfo self = new PeerInfo(DhtFixture.SELF, List.of());
    Query.Sweep sweep = new Query.Sweep(keys(2), self, 20);
    List<Query.Parcel> parcels = sweep.parcels(walk);
    assertEquals(Set.copyOf(forty), Set.copyOf(parcels.stream().map(Query.Parcel::peer).toList()));
    parcels.subList(0, 19).forEach(sweep::onPlaced);
    List<Multihash> first = keys(1);
    assertEquals(
        new Query.Outcome.Announced(List.of(), first), sweep.placed(19, Dht.Reason.REJECTED));
    sweep.onPlaced(parcels.get(19));
    assertEquals(
        new Query.Outcome.Announced(first, List.of()), sweep.placed(20, Dht.Reason.REJECTED));
  }

  @Test
  void moreKeysThanMayBeAreRefusedAndCounted() {
    fixture =
        new DhtFixture(
            DhtFixture.joining(remote)
                .withLimits(new DhtSettings.Limits(10, 10, 200, 10, 10, 10, 2)),
            remote);
    Probe<Dht.StartProvidingReply> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.StartProviding(
            List.of(Script.hash("a"), Script.hash("b"), Script.hash("c")), reply.ref()));
    assertEquals(new Dht.ProvidingStarted(2, 1), reply.next());
    Probe<Dht.ProvideReply> provided = fixture.system.probe();
    fixture.dht.tell(new Dht.Provide(Script.hash("d"), Readiness.UNTIL_GATE_OPENS, provided.ref()));
    fixture.advance(MOMENT);
    assertEquals(Dht.Reason.TOO_MANY_PROVIDED, provided.expect(Dht.OperationFailed.class).reason());
  }

  @Test
  void recordsMustNotExpireBeforeTheyAreAnnouncedAgain() {
    Duration day = Duration.ofDays(1);
    assertThrows(
        IllegalArgumentException.class,
        () -> new DhtSettings.Records(day, day, day, day, day.multipliedBy(2), day, day));
  }
}
