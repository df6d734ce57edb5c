package dev.troupe.actors.dht;

import static dev.troupe.actors.dht.Readiness.FAIL_FAST;
import static dev.troupe.actors.dht.Readiness.UNTIL_GATE_OPENS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.Dht.OperationFailed;
import dev.troupe.actors.dht.Dht.Reason;
import dev.troupe.actors.dht.Dht.State;
import dev.troupe.actors.dht.Dht.StateChanged;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.KademliaMessage.Type;
import dev.troupe.simulation.kernel.Probe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The gate, the stash, and what becomes of what waits: the real actor, on virtual time. */
class DhtStashTest {

  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration GATE = Duration.ofSeconds(30);

  private final Script bootstrap = Script.peerNumber(1);
  private DhtFixture fixture;

  /** Each kind of operation, and what to expect of it. */
  enum Kind {
    PROVIDE {
      @Override
      Dht.Operation ask(Readiness readiness, Probe<Object> probe) {
        return new Dht.Provide(Script.hash("topic"), readiness, narrow(probe));
      }
    },
    FIND_PROVIDERS {
      @Override
      Dht.Operation ask(Readiness readiness, Probe<Object> probe) {
        return new Dht.FindProviders(Script.hash("topic"), 10, readiness, narrow(probe));
      }
    },
    PUT_VALUE {
      @Override
      Dht.Operation ask(Readiness readiness, Probe<Object> probe) {
        return new Dht.PutValue(
            Bytes.utf8("/test/a"), Bytes.utf8("value"), readiness, narrow(probe));
      }
    },
    GET_VALUE {
      @Override
      Dht.Operation ask(Readiness readiness, Probe<Object> probe) {
        return new Dht.GetValue(Bytes.utf8("/test/b"), readiness, narrow(probe));
      }
    },
    FIND_PEER {
      @Override
      Dht.Operation ask(Readiness readiness, Probe<Object> probe) {
        return new Dht.FindPeer(Script.peer(77), readiness, narrow(probe));
      }
    };

    abstract Dht.Operation ask(Readiness readiness, Probe<Object> probe);

    @SuppressWarnings("unchecked") // a probe of Object records whatever it is told
    static <T> ActorRef<T> narrow(Probe<Object> probe) {
      return (ActorRef<T>) (ActorRef<?>) probe.ref();
    }
  }

  @AfterEach
  void close() {
    if (fixture != null) {
      fixture.close();
    }
  }

  @Test
  void operationsAskedBeforeReadinessRunOnceInOrderAfterTheRoutingTableIsPopulated() {
    bootstrap.dialTime = Duration.ofSeconds(4);
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.states.expect(new StateChanged(State.BOOTSTRAPPING, 0, 0));
    List<Probe<Object>> replies = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      replies.add(get("/test/" + i, UNTIL_GATE_OPENS));
    }
    fixture.advance(Duration.ofSeconds(3));
    replies.forEach(Probe::expectNone);
    assertEquals(new StateChanged(State.BOOTSTRAPPING, 0, 5), fixture.state());
    assertEquals(List.of(), bootstrap.requests);

    fixture.advance(Duration.ofSeconds(2));
    fixture.states.expect(new StateChanged(State.READY, 1, 5));
    replies.forEach(reply -> assertFailed(Reason.NOT_FOUND, reply));
    replies.forEach(Probe::expectNone);
    List<String> asked =
        bootstrap.requests.stream()
            .filter(request -> request.type() == Type.GET_VALUE)
            .map(request -> request.key().utf8())
            .toList();
    assertEquals(List.of("/test/0", "/test/1", "/test/2", "/test/3", "/test/4"), asked);
    assertEquals(new StateChanged(State.READY, 1, 0), fixture.state());
  }

  @Test
  void theDeadlineOpensTheGateAtThirtySecondsAndSaysSo() {
    bootstrap.reachable = false;
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.states.expect(new StateChanged(State.BOOTSTRAPPING, 0, 0));
    Probe<Object> first = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    Probe<Object> second = ask(Kind.GET_VALUE, UNTIL_GATE_OPENS);
    fixture.advance(GATE.minusNanos(1));
    first.expectNone();
    fixture.states.expectNone();
    fixture.advance(Duration.ofNanos(1));
    fixture.states.expect(new StateChanged(State.DEGRADED, 0, 2));
    assertFailed(Reason.NO_PEERS, first);
    assertFailed(Reason.NO_PEERS, second);
    assertEquals(new StateChanged(State.DEGRADED, 0, 0), fixture.state());
  }

  @Test
  void withNoDhtToJoinItIsReadyAtOnce() {
    fixture = new DhtFixture(DhtSettings.DEFAULT);
    fixture.states.expect(new StateChanged(State.READY, 0, 0));
    assertFailed(Reason.NO_PEERS, ask(Kind.FIND_PEER, UNTIL_GATE_OPENS));
    // Meeting somebody is news to those who found nobody before; losing them again is no reason to
    // wait.
    fixture.identify(bootstrap);
    fixture.states.expect(new StateChanged(State.READY, 1, 0));
    bootstrap.silent = true;
    assertFailed(Reason.NO_PEERS, ask(Kind.GET_VALUE, UNTIL_GATE_OPENS), Duration.ofSeconds(5));
    assertEquals(new StateChanged(State.READY, 0, 0), fixture.state());
  }

  @Test
  void withTheDhtOffEveryOperationIsRefusedAtOnce() {
    fixture = new DhtFixture(DhtFixture.joining(bootstrap).withMode(DhtMode.OFF), bootstrap);
    fixture.states.expect(new StateChanged(State.READY, 0, 0));
    for (Kind kind : Kind.values()) {
      assertFailed(Reason.NO_DHT, ask(kind, UNTIL_GATE_OPENS));
    }
    assertEquals(List.of(), fixture.dials);
    assertTrue(fixture.handlers.isEmpty());
  }

  @Test
  void anOperationWhoseReadinessBudgetPassesIsAnsweredThenAndNotLater() {
    bootstrap.dialTime = Duration.ofSeconds(8);
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    Probe<Object> patient = ask(Kind.GET_VALUE, Readiness.within(Duration.ofSeconds(20)));
    Probe<Object> hasty = get("/test/hasty", Readiness.within(Duration.ofSeconds(5)));
    Probe<Object> hastier = get("/test/hastier", Readiness.within(Duration.ofSeconds(2)));
    fixture.advance(Duration.ofSeconds(2).minusNanos(1));
    hastier.expectNone();
    fixture.advance(Duration.ofNanos(1));
    assertFailed(Reason.NOT_READY, hastier);
    hasty.expectNone();
    fixture.advance(Duration.ofSeconds(3));
    assertFailed(Reason.NOT_READY, hasty);
    patient.expectNone();
    fixture.advance(Duration.ofSeconds(10));
    assertFailed(Reason.NOT_FOUND, patient);
    fixture.advance(Duration.ofMinutes(1));
    hasty.expectNone();
    hastier.expectNone();
    patient.expectNone();
    assertTrue(bootstrap.requests.stream().noneMatch(r -> r.key().utf8().startsWith("/test/hast")));
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void anOperationThatMayNotWaitFailsFastWhileTheGateIsShutAndRunsWhenItIsOpen(Kind kind) {
    bootstrap.dialTime = Duration.ofSeconds(8);
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    assertFailed(Reason.NOT_READY, ask(kind, FAIL_FAST));
    fixture.advance(Duration.ofSeconds(9));
    Probe<Object> reply = ask(kind, FAIL_FAST);
    fixture.advance(SECOND);
    assertOutcome(kind, reply.next());
  }

  @Test
  void aFullStashRefusesWithItsOwnError() {
    bootstrap.reachable = false;
    fixture = new DhtFixture(withStash(2), bootstrap);
    Probe<Object> first = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    Probe<Object> second = ask(Kind.PROVIDE, Readiness.within(SECOND));
    assertFailed(Reason.STASH_FULL, ask(Kind.PROVIDE, UNTIL_GATE_OPENS));
    fixture.advance(SECOND);
    assertFailed(Reason.NOT_READY, second);
    // The place of one that was answered is free again, though it stood in the middle.
    Probe<Object> third = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    third.expectNone();
    assertFailed(Reason.STASH_FULL, ask(Kind.PROVIDE, UNTIL_GATE_OPENS));
    fixture.advance(GATE);
    assertFailed(Reason.NO_PEERS, first);
    assertFailed(Reason.NO_PEERS, third);
  }

  @Test
  void anEmptiedTableStashesAgainBootstrapsAnewAndRecovers() {
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(SECOND);
    fixture.states.fishFor(StateChanged.class, SECOND);
    assertEquals(State.READY, fixture.state().state());
    lose(bootstrap);
    assertFailed(Reason.NO_PEERS, ask(Kind.GET_VALUE, UNTIL_GATE_OPENS), SECOND);
    assertEquals(new StateChanged(State.STARVED, 0, 0), fixture.state());

    Probe<Object> waiting = ask(Kind.FIND_PROVIDERS, UNTIL_GATE_OPENS);
    waiting.expectNone();
    long emptied = fixture.system.now();
    fixture.dials.clear();
    fixture.dialTimes.clear();
    fixture.advance(Duration.ofSeconds(12));
    assertBetween(0, 6, fixture.dialTimes.get(0) - emptied);
    waiting.expectNone();

    bootstrap.reachable = true;
    // The next round is due after 15 to 18 s.
    fixture.advance(Duration.ofSeconds(7));
    waiting.expect(Dht.ProvidersFound.class);
    assertEquals(new StateChanged(State.READY, 1, 0), fixture.state());
    Probe<Object> works = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    fixture.advance(SECOND);
    works.expect(Dht.Provided.class);
  }

  @Test
  void aStarvedOneThatFindsSomebodyInTimeRunsWhatWaits() {
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(SECOND);
    lose(bootstrap);
    assertFailed(Reason.NO_PEERS, ask(Kind.GET_VALUE, UNTIL_GATE_OPENS), SECOND);
    Probe<Object> waiting = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    fixture.advance(Duration.ofSeconds(10));
    waiting.expectNone();
    fixture.identify(Script.peerNumber(5));
    fixture.advance(SECOND);
    waiting.expect(Dht.Provided.class);
    assertEquals(new StateChanged(State.READY, 1, 0), fixture.state());
  }

  @Test
  void aDegradedOneBootstrapsAnewWhenAskedButNotForEachOperation() {
    bootstrap.reachable = false;
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(GATE.plusSeconds(10));
    assertEquals(State.DEGRADED, fixture.state().state());
    fixture.dials.clear();
    for (int i = 0; i < 20; i++) {
      assertFailed(Reason.NO_PEERS, ask(Kind.GET_VALUE, UNTIL_GATE_OPENS));
      fixture.advance(SECOND);
    }
    assertTrue(fixture.dials.size() >= 1 && fixture.dials.size() <= 2, "dials: " + fixture.dials);
    bootstrap.reachable = true;
    fixture.advance(Duration.ofSeconds(15));
    ask(Kind.GET_VALUE, UNTIL_GATE_OPENS);
    fixture.advance(SECOND);
    assertEquals(new StateChanged(State.READY, 1, 0), fixture.state());
  }

  @Test
  void aDegradedOneRecoversThoughNobodyAsks() {
    bootstrap.reachable = false;
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(GATE.plusSeconds(10));
    bootstrap.reachable = true;
    fixture.advance(Duration.ofMinutes(3));
    assertEquals(new StateChanged(State.READY, 1, 0), fixture.state());
  }

  @Test
  void stoppingAnswersEverythingThatWaits() {
    bootstrap.reachable = false;
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    List<Probe<Object>> replies = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      replies.add(ask(kind, UNTIL_GATE_OPENS));
    }
    Probe<Object> observer = fixture.system.probe();
    observer.watch(fixture.dht);
    fixture.dht.tell(new Dht.Stop());
    replies.forEach(reply -> assertFailed(Reason.STOPPING, reply));
    observer.expectTerminated(fixture.dht);
    assertTrue(fixture.handlers.isEmpty());
  }

  @Test
  void stoppingFromOutsideAnswersWhatWaitsAndWhatRuns() {
    bootstrap.silent = true;
    fixture =
        new DhtFixture(
            DhtFixture.joining(bootstrap)
                .withLimits(new DhtSettings.Limits(10, 1, 200, 10, 10, 10, 10)),
            bootstrap);
    fixture.advance(SECOND);
    Probe<Object> runs = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    Probe<Object> waits = ask(Kind.PUT_VALUE, UNTIL_GATE_OPENS);
    assertEquals(1, fixture.state().stashed());
    fixture.system.stop(fixture.dht);
    assertFailed(Reason.STOPPING, runs);
    assertFailed(Reason.STOPPING, waits);
    fixture.advance(GATE);
    assertEquals(0, fixture.openStreams);
  }

  @Test
  void moreOperationsThanMayRunWaitTheirTurn() {
    fixture =
        new DhtFixture(
            DhtFixture.joining(bootstrap)
                .withLimits(new DhtSettings.Limits(10, 2, 200, 10, 10, 10, 10)),
            bootstrap);
    fixture.advance(SECOND);
    List<Probe<Object>> replies = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      replies.add(get("/test/" + i, UNTIL_GATE_OPENS));
    }
    Probe<Object> hasty = get("/test/hasty", FAIL_FAST);
    assertFailed(Reason.NOT_READY, hasty);
    assertEquals(new StateChanged(State.READY, 1, 5), fixture.state());
    fixture.advance(SECOND);
    replies.forEach(reply -> assertFailed(Reason.NOT_FOUND, reply));
  }

  @Test
  void anInvalidRecordIsRefusedBeforeItWaits() {
    bootstrap.reachable = false;
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    assertFailed(Reason.INVALID_RECORD, get("/unknown/key", UNTIL_GATE_OPENS));
    Probe<Object> put = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(
            Bytes.utf8("/pk/nobody"), Bytes.utf8("no key"), UNTIL_GATE_OPENS, Kind.narrow(put)));
    assertFailed(Reason.INVALID_RECORD, put);
    assertEquals(0, fixture.state().stashed());
  }

  @Test
  void oneDeadBootstrapPeerDoesNotBlockTheOthers() {
    Script[] dead = new Script[4];
    for (int i = 0; i < dead.length; i++) {
      dead[i] = Script.peerNumber(10 + i);
      dead[i].reachable = false;
      dead[i].dialTime = Duration.ofSeconds(3);
    }
    fixture =
        new DhtFixture(
            DhtFixture.joining(dead[0], dead[1], dead[2], dead[3], bootstrap),
            dead[0],
            dead[1],
            dead[2],
            dead[3],
            bootstrap);
    fixture.advance(Duration.ofSeconds(7));
    assertEquals(State.READY, fixture.state().state());
    assertTrue(fixture.dials.size() <= 5, "nobody is dialled twice in a round");
  }

  // Crashes

  @Test
  void aCrashWhileBootstrappingKeepsWhatWaits() {
    bootstrap.dialTime = Duration.ofSeconds(4);
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    Probe<Object> reply = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    Probe<Object> hasty = ask(Kind.PROVIDE, Readiness.within(Duration.ofSeconds(2)));
    fixture.advance(SECOND);
    fixture.crash();
    assertEquals(new StateChanged(State.BOOTSTRAPPING, 0, 2), fixture.state());
    fixture.advance(SECOND);
    assertFailed(Reason.NOT_READY, hasty);
    fixture.advance(Duration.ofSeconds(5));
    reply.expect(Dht.Provided.class);
    reply.expectNone();
    assertEquals(State.READY, fixture.state().state());
  }

  @Test
  void aCrashWhileReadyAnswersWhatRunsAndRunsWhatWaits() {
    fixture =
        new DhtFixture(
            DhtFixture.joining(bootstrap)
                .withLimits(new DhtSettings.Limits(10, 2, 200, 10, 10, 10, 10)),
            bootstrap);
    fixture.advance(SECOND);
    Probe<Object> first = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    Probe<Object> second = ask(Kind.GET_VALUE, UNTIL_GATE_OPENS);
    Probe<Object> waits = ask(Kind.PUT_VALUE, UNTIL_GATE_OPENS);
    fixture.advance(Duration.ofMillis(15)); // in the middle of two lookups
    assertEquals(1, fixture.state().stashed());
    fixture.crash();
    assertFailed(Reason.CRASHED, first);
    assertFailed(Reason.CRASHED, second);
    fixture.advance(SECOND);
    waits.expect(Dht.ValuePut.class);
    // The connected peer was told again, and is in the table again; subscribers hear of it all.
    assertEquals(new StateChanged(State.READY, 1, 0), fixture.state());
    assertEquals(
        List.of(State.BOOTSTRAPPING, State.READY, State.BOOTSTRAPPING, State.READY),
        fixture.states.received().stream().map(StateChanged::state).toList());
    fixture.advance(GATE);
    first.expectNone();
    second.expectNone();
    waits.expectNone();
    assertEquals(0, fixture.openStreams, "the lookups' streams are gone");
  }

  @Test
  void aCrashWhileStarvedKeepsWhatWaits() {
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(SECOND);
    lose(bootstrap);
    assertFailed(Reason.NO_PEERS, ask(Kind.GET_VALUE, UNTIL_GATE_OPENS), SECOND);
    assertEquals(State.STARVED, fixture.state().state());
    Probe<Object> waits = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    fixture.crash();
    assertEquals(new StateChanged(State.BOOTSTRAPPING, 0, 1), fixture.state());
    bootstrap.reachable = true;
    fixture.advance(Duration.ofSeconds(20));
    waits.expect(Dht.Provided.class);
  }

  @Test
  void aCrashWhileDegradedBootstrapsAnew() {
    bootstrap.reachable = false;
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(GATE);
    assertEquals(State.DEGRADED, fixture.state().state());
    fixture.crash();
    assertEquals(State.BOOTSTRAPPING, fixture.state().state());
    Probe<Object> waits = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    fixture.advance(GATE);
    assertFailed(Reason.NO_PEERS, waits);
  }

  @Test
  void anOperationThatCrashesTheActorIsAnsweredAndNotRunAgain() {
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(SECOND);
    Probe<Object> poison = fixture.system.probe();
    fixture.dht.tell(new Dht.FindPeer(null, UNTIL_GATE_OPENS, Kind.narrow(poison)));
    fixture.advance(SECOND);
    assertFailed(Reason.CRASHED, poison);
    assertEquals(State.READY, fixture.state().state());
    poison.expectNone();
  }

  @Test
  void aLookupThatCrashesHasItsOperationAnswered() {
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(SECOND);
    Probe<Object> reply = ask(Kind.GET_VALUE, UNTIL_GATE_OPENS);
    fixture.brokenStreams = true;
    fixture.advance(SECOND);
    assertFailed(Reason.CRASHED, reply);
    fixture.brokenStreams = false;
    Probe<Object> next = ask(Kind.PROVIDE, UNTIL_GATE_OPENS);
    fixture.advance(SECOND);
    next.expect(Dht.Provided.class);
  }

  @Test
  void whatIsKeptForOthersSurvivesACrash() throws Exception {
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    fixture.advance(SECOND);
    DhtFixture.InboundPipe pipe = fixture.openInbound(bootstrap.peer);
    pipe.send(KademliaMessage.addProvider(Script.hash("x"), bootstrap.info()));
    fixture.crash();
    assertEquals("the DHT stops", pipe.resetReason);
    DhtFixture.InboundPipe other = fixture.openInbound(bootstrap.peer);
    other.send(KademliaMessage.getProviders(Script.hash("x")));
    assertEquals(List.of(bootstrap.info()), other.answer().providers());
  }

  // Every state and every command

  @ParameterizedTest
  @EnumSource(State.class)
  void everyStateAnswersQuestionsAndStops(State state) {
    reach(state);
    Probe<StateChanged> subscriber = fixture.system.probe();
    fixture.dht.tell(new Dht.Subscribe(subscriber.ref()));
    assertEquals(state, subscriber.next().state());
    fixture.dht.tell(new Dht.ReachabilityChanged(Dht.Reachability.PRIVATE));
    fixture.system.runUntilIdle();
    assertTrue(fixture.handlers.isEmpty());
    fixture.dht.tell(new Dht.ReachabilityChanged(Dht.Reachability.UNKNOWN));
    fixture.system.runUntilIdle();
    assertEquals(1, fixture.handlers.size());
    fixture.system.stop(subscriber.ref());
    assertEquals(state, fixture.state().state());
    Probe<Object> observer = fixture.system.probe();
    observer.watch(fixture.dht);
    fixture.dht.tell(new Dht.Stop());
    observer.expectTerminated(fixture.dht);
  }

  @ParameterizedTest
  @EnumSource(State.class)
  void everyStateStashesOrRunsEachOperation(State state) {
    for (Kind kind : Kind.values()) {
      reach(state);
      Probe<Object> reply = ask(kind, UNTIL_GATE_OPENS);
      switch (state) {
        case BOOTSTRAPPING, STARVED -> {
          reply.expectNone();
          assertEquals(1, fixture.state().stashed());
        }
        case READY -> {
          fixture.advance(SECOND);
          assertOutcome(kind, reply.next());
        }
        case DEGRADED -> assertFailed(Reason.NO_PEERS, reply);
      }
      fixture.advance(Duration.ofMinutes(2));
      assertEquals(1, reply.received().size(), kind + " ends in one reply");
      fixture.close();
    }
    fixture = null;
  }

  /** Whatever happens, in whatever order: each operation is answered once. */
  @Test
  void underCrashesLossesAndRandomOrderEachOperationIsAnsweredOnce() {
    for (long seed = 1; seed <= 20; seed++) {
      Script other = Script.peerNumber(2);
      Script first = Script.peerNumber(1);
      first.answer = Script.naming(other);
      fixture = new DhtFixture(seed, DhtFixture.joining(first), first, other);
      var random = new java.util.SplittableRandom(seed);
      List<Probe<Object>> replies = new ArrayList<>();
      for (int step = 0; step < 60; step++) {
        switch (random.nextInt(8)) {
          case 0 -> first.reachable = !first.reachable;
          case 1 -> other.silent = !other.silent;
          case 2 -> first.silent = !first.silent;
          case 3 -> fixture.disconnect(first);
          case 4 -> fixture.crash();
          default ->
              replies.add(
                  ask(
                      Kind.values()[random.nextInt(Kind.values().length)],
                      random.nextBoolean() ? UNTIL_GATE_OPENS : Readiness.within(SECOND)));
        }
        fixture.advance(Duration.ofMillis(random.nextInt(3000)));
      }
      fixture.advance(Duration.ofMinutes(2));
      for (Probe<Object> reply : replies) {
        assertEquals(1, reply.received().size(), "seed " + seed + ": " + reply.received());
      }
      assertEquals(0, fixture.openStreams, "seed " + seed);
      fixture.close();
      fixture = null;
    }
  }

  @Test
  void theSameSeedGivesTheSameTrace() {
    assertEquals(traceOfARun(7), traceOfARun(7));
  }

  private static long traceOfARun(long seed) {
    Script bootstrap = Script.peerNumber(1);
    try (DhtFixture run = new DhtFixture(seed, DhtFixture.joining(bootstrap), bootstrap)) {
      for (Kind kind : Kind.values()) {
        run.dht.tell(kind.ask(UNTIL_GATE_OPENS, run.system.probe()));
      }
      run.advance(Duration.ofMinutes(1));
      return run.system.traceHash();
    }
  }

  private void reach(State state) {
    Script peer = Script.peerNumber(1);
    peer.reachable = state == State.READY || state == State.STARVED;
    fixture = new DhtFixture(DhtFixture.joining(peer), peer);
    switch (state) {
      case BOOTSTRAPPING -> {}
      case READY -> fixture.advance(SECOND);
      case DEGRADED -> fixture.advance(GATE);
      case STARVED -> {
        fixture.advance(SECOND);
        lose(peer);
        assertFailed(Reason.NO_PEERS, ask(Kind.GET_VALUE, UNTIL_GATE_OPENS), SECOND);
      }
    }
    assertEquals(state, fixture.state().state());
  }

  private void lose(Script remote) {
    remote.reachable = false;
    fixture.disconnect(remote);
  }

  private DhtSettings withStash(int capacity) {
    return DhtFixture.joining(bootstrap)
        .withLimits(new DhtSettings.Limits(capacity, 64, 200, 10, 10, 10, 10));
  }

  private Probe<Object> ask(Kind kind, Readiness readiness) {
    Probe<Object> probe = fixture.system.probe();
    fixture.dht.tell(kind.ask(readiness, probe));
    return probe;
  }

  private Probe<Object> get(String key, Readiness readiness) {
    Probe<Object> probe = fixture.system.probe();
    fixture.dht.tell(new Dht.GetValue(Bytes.utf8(key), readiness, Kind.narrow(probe)));
    return probe;
  }

  private static void assertFailed(Reason reason, Probe<Object> reply) {
    assertEquals(reason, reply.expect(OperationFailed.class).reason());
  }

  private static void assertFailed(Reason reason, Probe<Object> reply, Duration within) {
    assertEquals(reason, reply.expect(OperationFailed.class, within).reason());
  }

  /** What becomes of each kind where one peer answers, and knows nothing. */
  private static void assertOutcome(Kind kind, Object reply) {
    switch (kind) {
      case PROVIDE -> assertEquals(new Dht.Provided(Script.hash("topic"), 1), reply);
      case FIND_PROVIDERS ->
          assertEquals(new Dht.ProvidersFound(Script.hash("topic"), List.of()), reply);
      case PUT_VALUE -> assertEquals(new Dht.ValuePut(Bytes.utf8("/test/a"), 1), reply);
      case GET_VALUE, FIND_PEER ->
          assertEquals(Reason.NOT_FOUND, ((OperationFailed) reply).reason());
    }
  }

  private static void assertBetween(long low, long high, long nanos) {
    assertTrue(
        nanos >= Duration.ofSeconds(low).toNanos() && nanos <= Duration.ofSeconds(high).toNanos(),
        () -> nanos + " ns is not between " + low + " and " + high + " s");
  }
}
