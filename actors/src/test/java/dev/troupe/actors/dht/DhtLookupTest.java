package dev.troupe.actors.dht;

import static dev.troupe.actors.dht.Readiness.UNTIL_GATE_OPENS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.Dht.OperationFailed;
import dev.troupe.actors.dht.Dht.PeerWithAddresses;
import dev.troupe.actors.dht.Dht.Reason;
import dev.troupe.actors.dht.Dht.State;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.KademliaMessage.Type;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.PeerMemory;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.simulation.kernel.Probe;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What operations do once they run: the real Dht and its lookups, on virtual time, among scripted
 * peers.
 */
class DhtLookupTest {

  private static final Duration SECOND = Duration.ofSeconds(1);

  private final Script bootstrap = Script.peerNumber(1);
  private DhtFixture fixture;

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void aPeerThatIsKnownFromItselfIsFoundWithoutAskingAnybody() {
    Script met = Script.peerNumber(9);
    ready(bootstrap, met);
    fixture.identify(met);
    fixture.advance(SECOND);
    bootstrap.requests.clear();
    assertEquals(found(9), findPeer(9).next());
    fixture.disconnect(met);
    assertEquals(found(9), findPeer(9).next(), "it is in the table still");
    assertEquals(List.of(), bootstrap.requests);
  }

  @Test
  void hearsayInTheAddressBookIsNotBelieved() {
    Script wanted = Script.peerNumber(9);
    bootstrap.answer = Script.naming(wanted);
    ready(bootstrap, wanted);
    fixture.disconnect(wanted);
    wanted.server = false;
    fixture.identify(wanted);
    fixture.disconnect(wanted);
    fixture.addressBook.put(wanted.peer, List.of(Script.address(666)));
    Probe<Object> reply = findPeer(9);
    fixture.advance(SECOND);
    assertEquals(found(9), reply.next());
  }

  @Test
  void whatALiarSaysOfAPeerGivesWayToWhatThePeerSays() {
    Script liar = Script.peerNumber(2);
    Script wanted = Script.peerNumber(9);
    wanted.dialTime = Duration.ofMillis(500);
    wanted.answer = request -> request.answer(null, List.of(wanted.info()), List.of());
    liar.server = false;
    wanted.server = false;
    liar.answer =
        request ->
            request.answer(
                null, List.of(new PeerInfo(wanted.peer, List.of(Script.address(666)))), List.of());
    bootstrap.answer = Script.naming(liar);
    ready(bootstrap, liar);
    fixture.remotes.put(wanted.peer, wanted);
    Probe<Object> reply = findPeer(9);
    fixture.advance(SECOND);
    assertEquals(found(9), reply.next());
  }

  @Test
  void aPeerIsFoundThroughOthersAndItsAddressesAreLearned() {
    Script middle = Script.peerNumber(2);
    Script wanted = Script.peerNumber(9);
    bootstrap.answer = Script.naming(middle);
    middle.answer = Script.naming(wanted);
    middle.server = false; // So that it is not in the table before it is asked.
    ready(bootstrap, middle);
    fixture.addressBook.clear();
    Probe<Object> reply = findPeer(9);
    fixture.advance(SECOND);
    assertEquals(found(9), reply.next());
    assertEquals(List.of(Script.address(9)), fixture.addressBook.get(wanted.peer));
  }

  @Test
  void aPeerNobodyKnowsIsNotFound() {
    ready(bootstrap);
    Probe<Object> reply = findPeer(9);
    fixture.advance(SECOND);
    assertFailed(Reason.NOT_FOUND, reply);
  }

  @Test
  void aRecordIsPlacedWithTheNearestPeers() {
    Script[] peers = network(30);
    ready(peers);
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.Provide(Script.hash("x"), UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    fixture.advance(SECOND.multipliedBy(5));
    assertEquals(new Dht.Provided(Script.hash("x"), 20), reply.next());
    Key target = Key.of(Script.hash("x").encoded());
    List<Script> nearest =
        Arrays.stream(peers)
            .sorted(Comparator.comparing(p -> Key.of(p.peer).distanceTo(target)))
            .limit(20)
            .toList();
    for (Script peer : peers) {
      long records = peer.requests.stream().filter(r -> r.type() == Type.ADD_PROVIDER).count();
      assertEquals(nearest.contains(peer) ? 1 : 0, records);
    }
    KademliaMessage sent =
        nearest.get(0).requests.stream()
            .filter(r -> r.type() == Type.ADD_PROVIDER)
            .findFirst()
            .orElseThrow();
    assertEquals(Script.hash("x").encoded(), sent.key(), "a multihash, not a CID");
    assertEquals(
        List.of(new PeerInfo(DhtFixture.SELF, List.of(Script.address(0)))), sent.providers());
  }

  @Test
  void aValueThatNobodyTakesIsRejectedAndNobodyIsForgottenForRefusing() {
    bootstrap.answer =
        request -> request.type() == Type.PUT_VALUE ? null : Script.naming().apply(request);
    ready(bootstrap);
    Probe<Object> reply = put("/test/a", "v");
    fixture.advance(SECOND);
    assertFailed(Reason.REJECTED, reply);
    assertEquals(new Dht.StateChanged(State.READY, 1, 0), fixture.state());
  }

  @Test
  void aValueIsStoredHereToo() throws Exception {
    ready(bootstrap);
    put("/test/a", "v");
    fixture.advance(SECOND);
    DhtFixture.InboundPipe pipe = fixture.openInbound(bootstrap.peer);
    pipe.send(KademliaMessage.getValue(Bytes.utf8("/test/a")));
    assertEquals("v", pipe.answer().record().value().utf8());
  }

  @Test
  void theValueThatAQuorumHoldsIsGot() {
    Script a = holding(2, "old");
    Script b = holding(3, "new");
    Script c = holding(4, "new");
    bootstrap.answer = Script.naming(a, b, c);
    ready(bootstrap, a, b, c);
    Probe<Object> reply = get("/test/k");
    fixture.advance(SECOND);
    assertEquals(new Dht.ValueGot(Bytes.utf8("/test/k"), Bytes.utf8("new"), 2), reply.next());
  }

  @Test
  void whereFewerThanAQuorumHoldAValueItIsGotAllTheSame() {
    Script a = holding(2, "only");
    bootstrap.answer = Script.naming(a);
    ready(bootstrap, a);
    Probe<Object> reply = get("/test/k");
    fixture.advance(SECOND);
    assertEquals(new Dht.ValueGot(Bytes.utf8("/test/k"), Bytes.utf8("only"), 1), reply.next());
  }

  @Test
  void aGetThatWantsSoManyFailsWithFewerAndSaysHowManyThereWere() {
    Script a = holding(2, "v");
    Script b = holding(3, "v");
    bootstrap.answer = Script.naming(a, b);
    ready(bootstrap, a, b);
    Probe<Object> reply = get("/test/k", 3);
    fixture.advance(SECOND);
    OperationFailed failed = reply.expect(OperationFailed.class);
    assertEquals(Reason.QUORUM_NOT_REACHED, failed.reason());
    assertTrue(failed.message().contains("of the 3 peers"), failed.message());
    assertTrue(failed.message().contains("2 did"), failed.message());
    reply = get("/test/k", 2);
    fixture.advance(SECOND);
    assertEquals(new Dht.ValueGot(Bytes.utf8("/test/k"), Bytes.utf8("v"), 2), reply.next());
  }

  @Test
  void aGetThatWantsOneBelievesTheFirst() {
    Script a = holding(2, "v");
    Script b = holding(3, "w");
    b.latency = Duration.ofMillis(500);
    bootstrap.answer = Script.naming(a, b);
    ready(bootstrap, a, b);
    Probe<Object> reply = get("/test/k", 1);
    fixture.advance(Duration.ofMillis(300));
    assertEquals(new Dht.ValueGot(Bytes.utf8("/test/k"), Bytes.utf8("v"), 1), reply.next());
  }

  @Test
  void whereNobodyHasAValueAGetThatWantsSoManySaysSo() {
    ready(bootstrap);
    Probe<Object> reply = get("/test/k", 3);
    fixture.advance(SECOND);
    assertFailed(Reason.NOT_FOUND, reply);
  }

  @Test
  void aQuorumIsFromOneToK() {
    ready(bootstrap);
    for (int quorum : new int[] {Integer.MIN_VALUE, 0, 21, Integer.MAX_VALUE}) {
      Probe<Object> reply = get("/test/k", quorum);
      fixture.system.runUntilIdle();
      assertFailed(Reason.INVALID_QUORUM, reply);
    }
    Probe<Object> reply = get("/test/k", 20);
    fixture.advance(SECOND);
    assertFailed(Reason.NOT_FOUND, reply);
  }

  @Test
  void aRecordOfAnotherKeyIsNotBelievedButWhomTheAnswerNamesIsAsked() {
    Script holder = holding(3, "7");
    Script liar = Script.peerNumber(2);
    liar.answer =
        request ->
            request.type() == Type.GET_VALUE
                ? request.answer(
                    new ValueRecord(Bytes.utf8("/best/other"), Bytes.utf8("8")),
                    List.of(holder.info()),
                    List.of())
                : Script.naming().apply(request);
    ready(liar);
    fixture.remotes.put(holder.peer, holder);
    Probe<Object> reply = get("/best/k");
    fixture.advance(SECOND);
    assertEquals(new Dht.ValueGot(Bytes.utf8("/best/k"), Bytes.utf8("7"), 1), reply.next());
    assertEquals(State.READY, fixture.state().state(), "it answered, if nonsense");
    assertEquals(
        Bytes.utf8("7"),
        liar.requests.get(liar.requests.size() - 1).record().value(),
        "and is told better");
  }

  @Test
  void thoseWithAnotherValueAndTheNearestWithoutOneAreSentTheBest() {
    Script old = holding(2, "0");
    Script b = holding(3, "9");
    Script c = holding(4, "9");
    Script without = Script.peerNumber(5);
    bootstrap.answer = Script.naming(old, b, c, without);
    readyWithAll(bootstrap, old, b, c, without);
    Probe<Object> reply = get("/best/k");
    fixture.advance(SECOND);
    assertEquals(new Dht.ValueGot(Bytes.utf8("/best/k"), Bytes.utf8("9"), 2), reply.next());
    for (Script script : List.of(bootstrap, old, without)) {
      assertEquals(List.of("9"), puts(script));
    }
    for (Script script : List.of(b, c)) {
      assertEquals(List.of(), puts(script));
    }
  }

  @Test
  void whatIsStoredHereIsCorrectedToo() throws Exception {
    Script b = holding(3, "9");
    Script c = holding(4, "9");
    bootstrap.answer = Script.naming(b, c);
    ready(bootstrap, b, c);
    DhtFixture.InboundPipe pipe = fixture.openInbound(bootstrap.peer);
    pipe.send(KademliaMessage.putValue(new ValueRecord(Bytes.utf8("/best/k"), Bytes.utf8("0"))));
    pipe.answer();
    Probe<Object> reply = get("/best/k");
    fixture.advance(SECOND);
    assertEquals(new Dht.ValueGot(Bytes.utf8("/best/k"), Bytes.utf8("9"), 2), reply.next());
    pipe.send(KademliaMessage.getValue(Bytes.utf8("/best/k")));
    assertEquals("9", pipe.answer().record().value().utf8());
  }

  @Test
  void noMoreThanSoManyCorrectionsRunAtATime() {
    Script old = holding(2, "0");
    Script b = holding(3, "9");
    Script c = holding(4, "9");
    bootstrap.answer = Script.naming(old, b, c);
    ready(bootstrap, old, b, c);
    for (int i = 0; i < 3 * Dht.MAX_CORRECTIONS; i++) {
      get("/best/k" + i);
    }
    fixture.advance(SECOND);
    assertTrue(puts(old).size() >= Dht.MAX_CORRECTIONS);
    old.ignoresPuts = true;
    old.requests.clear();
    for (int i = 0; i < 3 * Dht.MAX_CORRECTIONS; i++) {
      get("/best/k" + i);
    }
    fixture.advance(SECOND);
    assertEquals(Dht.MAX_CORRECTIONS, puts(old).size(), "the others would wait for room");
  }

  @Test
  void whereValuesHaveNoOrderNobodyIsCorrected() throws Exception {
    Script a = holding(2, "newer");
    Script b = holding(3, "older");
    Script c = holding(4, "older");
    bootstrap.answer = Script.naming(a, b, c);
    readyWithAll(bootstrap, a, b, c);
    DhtFixture.InboundPipe pipe = fixture.openInbound(bootstrap.peer);
    pipe.send(
        KademliaMessage.putValue(new ValueRecord(Bytes.utf8("/test/k"), Bytes.utf8("newer"))));
    pipe.answer();
    Probe<Object> reply = get("/test/k");
    fixture.advance(SECOND);
    reply.expect(Dht.ValueGot.class);
    for (Script script : List.of(bootstrap, a, b, c)) {
      assertEquals(List.of(), puts(script));
    }
    pipe.send(KademliaMessage.getValue(Bytes.utf8("/test/k")));
    assertEquals("newer", pipe.answer().record().value().utf8());
  }

  @Test
  void aPeerThatDropsItsConnectionIsForgottenOnlyWhenItCannotBeReachedOnceMore() {
    Script full = Script.peerNumber(2);
    ready(bootstrap, full);
    fixture.identify(full);
    fixture.disconnect(full);
    full.drops = 1;
    Probe<Object> reply = get("/test/k");
    fixture.advance(SECOND);
    assertFailed(Reason.NOT_FOUND, reply);
    assertEquals(2, fixture.state().peers(), "it was full for a moment");
    fixture.disconnect(full);
    full.drops = 2;
    get("/test/k");
    fixture.advance(SECOND);
    assertEquals(1, fixture.state().peers());
  }

  @Test
  void whoAnswersInBetweenMayFailOnceMore() {
    Script shaky = Script.peerNumber(2);
    ready(bootstrap, shaky);
    fixture.identify(shaky);
    for (int i = 0; i < 3; i++) {
      shaky.silent = true;
      get("/test/k");
      fixture.advance(Duration.ofSeconds(4));
      assertEquals(2, fixture.state().peers());
      shaky.silent = false;
      get("/test/k");
      fixture.advance(Duration.ofSeconds(4));
    }
  }

  @Test
  void whoNamedAPeerFirstIsRememberedWithItsAddresses() {
    Script first = Script.peerNumber(2);
    Script second = Script.peerNumber(3);
    first.server = false;
    second.server = false;
    Script provider = Script.peerNumber(50);
    first.answer = request -> request.answer(null, List.of(), List.of(provider.info()));
    second.answer = first.answer;
    second.dialTime = Duration.ofMillis(100);
    bootstrap.answer = Script.naming(first, second);
    ready(bootstrap, first, second);
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.FindProviders(
            Script.hash("x"), 5, UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    fixture.advance(SECOND);
    reply.expect(Dht.ProvidersFound.class);
    assertEquals(first.peer, fixture.tellers.get(provider.peer));
    // Of a peer that does not answer itself, likewise.
    bootstrap.answer = Script.naming(Script.peerNumber(60));
    findPeer(60);
    fixture.advance(Duration.ofSeconds(4));
    assertEquals(bootstrap.peer, fixture.tellers.get(Script.peer(60)));
  }

  @Test
  void aPeerThatListensNowhereIsAnnouncedWithoutAddresses() {
    ready(bootstrap);
    fixture.listens = List.of();
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.Provide(Script.hash("x"), UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    fixture.advance(SECOND);
    assertEquals(new Dht.Provided(Script.hash("x"), 1), reply.next());
    assertEquals(
        List.of(new PeerInfo(DhtFixture.SELF, List.of())),
        bootstrap.requests.get(bootstrap.requests.size() - 1).providers());
  }

  @Test
  void findingProvidersStopsAtTheLimit() {
    Script[] many = network(12);
    for (Script peer : many) {
      peer.answer =
          request ->
              request.answer(
                  null, List.of(), List.of(Script.peerNumber(100 + peer.hashCode() % 7).info()));
    }
    bootstrap.answer =
        request ->
            request.answer(
                null,
                Arrays.stream(many).map(Script::info).toList(),
                List.of(
                    Script.peerNumber(50).info(),
                    new PeerInfo(DhtFixture.SELF, List.of()),
                    Script.peerNumber(51).info(),
                    Script.peerNumber(50).info(),
                    Script.peerNumber(52).info()));
    ready(bootstrap);
    fixture.dials.clear();
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.FindProviders(
            Script.hash("x"), 2, UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    fixture.advance(SECOND);
    assertEquals(
        new Dht.ProvidersFound(
            Script.hash("x"),
            List.of(
                new PeerWithAddresses(Script.peer(50), List.of(Script.address(50))),
                new PeerWithAddresses(Script.peer(51), List.of(Script.address(51))))),
        reply.next());
    assertEquals(List.of(), fixture.dials, "nobody else was needed");
    assertEquals(List.of(Script.address(51)), fixture.addressBook.get(Script.peer(51)), "learned");
    assertNull(fixture.addressBook.get(Script.peer(52)), "not among those that were asked for");
  }

  @Test
  void providersFoundWhenTimeRunsOutAreAnAnswer() {
    Script silent = Script.peerNumber(2);
    Script[] chain = chainOfSlowPeers(20);
    bootstrap.answer =
        request ->
            request.answer(null, List.of(chain[0].info()), List.of(Script.peerNumber(50).info()));
    ready(bootstrap);
    for (Script slow : chain) {
      fixture.remotes.put(slow.peer, slow);
    }
    fixture.remotes.put(silent.peer, silent);
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.FindProviders(
            Script.hash("x"), 5, UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    long asked = fixture.system.now();
    Dht.ProvidersFound found =
        (Dht.ProvidersFound) reply.expect(Object.class, Duration.ofSeconds(20));
    assertEquals(1, found.providers().size());
    assertEquals(Duration.ofSeconds(10).toNanos(), fixture.system.now() - asked);
  }

  @Test
  void anOperationThatTakesTooLongTimesOut() {
    Script[] chain = chainOfSlowPeers(20);
    bootstrap.answer = Script.naming(chain[0]);
    ready(bootstrap);
    for (Script slow : chain) {
      fixture.remotes.put(slow.peer, slow);
    }
    Probe<Object> reply = findPeer(77);
    long asked = fixture.system.now();
    assertEquals(
        Reason.TIMED_OUT, reply.expect(OperationFailed.class, Duration.ofSeconds(20)).reason());
    assertEquals(Duration.ofSeconds(10).toNanos(), fixture.system.now() - asked);
  }

  @Test
  void executionIsCountedFromWhenTheStashIsLeft() {
    bootstrap.dialTime = Duration.ofSeconds(25);
    bootstrap.silent = true;
    fixture = new DhtFixture(DhtFixture.joining(bootstrap), bootstrap);
    Probe<Object> reply = findPeer(77);
    fixture.advance(Duration.ofSeconds(26));
    reply.expectNone();
    fixture.advance(Duration.ofSeconds(3));
    // One peer, silent for the 3 s that a request may take; not for what was left of anything since
    // it was asked.
    assertFailed(Reason.NO_PEERS, reply);
  }

  @Test
  void aPeerThatDoesNotAnswerIsForgottenAndItsStreamReset() {
    Script silent = Script.peerNumber(2);
    ready(bootstrap, silent);
    fixture.identify(silent);
    assertEquals(2, fixture.state().peers());
    silent.silent = true;
    Probe<Object> reply = get("/test/k");
    fixture.advance(Duration.ofSeconds(4));
    assertFailed(Reason.NOT_FOUND, reply);
    assertEquals(0, fixture.openStreams);
    assertEquals(2, fixture.state().peers(), "it is connected: that may happen once");
    get("/test/k");
    fixture.advance(Duration.ofSeconds(4));
    assertEquals(1, fixture.state().peers());
    // To say anew that it serves is not enough: it comes back when it answers.
    fixture.identify(silent);
    assertEquals(1, fixture.state().peers());
    silent.silent = false;
    fixture.advance(DhtSettings.DEFAULT.timing().refresh().plusSeconds(10));
    assertEquals(2, fixture.state().peers());
  }

  @Test
  void whoAnswersAtGreaterLengthThanWeReadStaysInTheTable() {
    Script verbose = Script.peerNumber(2);
    ready(bootstrap, verbose);
    fixture.identify(verbose);
    assertEquals(2, fixture.state().peers());
    verbose.answer =
        request ->
            request.answer(
                new ValueRecord(
                    request.key(), Bytes.wrap(new byte[KademliaMessage.MAX_RESPONSE_SIZE])),
                List.of(),
                List.of());
    Probe<Object> reply = get("/test/k");
    fixture.advance(SECOND);
    assertFailed(Reason.NOT_FOUND, reply);
    assertEquals(2, fixture.state().peers());
  }

  @Test
  void ofMoreProvidersThanWeReadTheFirstAreFound() {
    bootstrap.answer =
        request ->
            request.type() == Type.GET_PROVIDERS
                ? request.answer(
                    null,
                    List.of(),
                    LongStream.range(0, 10_000)
                        .mapToObj(i -> Script.peerNumber(1000 + i).info())
                        .toList())
                : Script.naming().apply(request);
    ready(bootstrap);
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.FindProviders(
            Script.hash("x"), 1000, UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    fixture.advance(SECOND);
    assertEquals(
        KademliaMessage.MAX_PROVIDERS, ((Dht.ProvidersFound) reply.next()).providers().size());
    assertEquals(1, fixture.state().peers());
  }

  @Test
  void whoeverIsMetEntersTheTableAtItsListenAddressAndLeavesWhenItServesNoMore() throws Exception {
    ready(bootstrap);
    Script met = Script.peerNumber(5);
    fixture.identify(met);
    assertEquals(2, fixture.state().peers());
    DhtFixture.InboundPipe pipe = fixture.openInbound(bootstrap.peer);
    pipe.send(KademliaMessage.findNode(met.peer.bytes()));
    assertEquals(
        List.of(new PeerInfo(met.peer, List.of(met.address), PeerInfo.Connectedness.CONNECTED)),
        pipe.answer().closerPeers());
    fixture.disconnect(met);
    assertEquals(2, fixture.state().peers(), "the table is not the set of connections");
    met.server = false;
    fixture.identify(met);
    assertEquals(1, fixture.state().peers());
  }

  @Test
  void membersOfTheTableAreTaggedAndBootstrapPeersProtected() {
    ready(bootstrap);
    Script met = Script.peerNumber(5);
    fixture.identify(met);
    assertEquals(Set.of(bootstrap.peer, met.peer), Set.copyOf(fixture.tagged.get("table")));
    met.server = false;
    fixture.identify(met);
    assertEquals(List.of(bootstrap.peer), fixture.tagged.get("table"));
    assertEquals(Set.of(bootstrap.peer), fixture.protectedPeers);
    // After a crash the table begins anew, and so does the tag.
    fixture.disconnect(bootstrap);
    fixture.crash();
    assertEquals(List.of(), fixture.tagged.get("table"));
  }

  @Test
  void whoDidNotAnswerOnceAndIsConnectedStillEntersTheTableAgainInTime() {
    Script slow = Script.peerNumber(2);
    ready(bootstrap, slow);
    fixture.identify(slow);
    assertEquals(2, fixture.state().peers());
    slow.silent = true;
    findPeer(77);
    fixture.advance(Duration.ofSeconds(30));
    findPeer(78);
    fixture.advance(Duration.ofSeconds(30));
    assertEquals(1, fixture.state().peers());
    slow.silent = false;
    fixture.advance(DhtSettings.DEFAULT.timing().refresh());
    assertEquals(2, fixture.state().peers());
  }

  @Test
  void noMoreThanSoManyPeersAreAskedAtATime() {
    Script[] peers = network(60);
    for (Script peer : peers) {
      peer.dialTime = Duration.ofMillis(500);
    }
    bootstrap.answer = Script.naming(peers);
    fixture =
        new DhtFixture(
            DhtFixture.joining(bootstrap),
            Stream.concat(Stream.of(bootstrap), Arrays.stream(peers)).toArray(Script[]::new));
    fixture.advance(Duration.ofMillis(100));
    assertEquals(11, fixture.dials.size(), "the bootstrap peer, and ten of the first walk");
  }

  @Test
  void whoCannotBeReachedInTimeIsPassedOverAndOnlyTheDialDecidesWhetherItStays() {
    Script slow = Script.peerNumber(2);
    Script dead = Script.peerNumber(3);
    ready(bootstrap, slow, dead);
    for (Script script : List.of(slow, dead)) {
      fixture.identify(script);
      fixture.disconnect(script);
      script.dialTime = Duration.ofSeconds(8);
    }
    dead.reachable = false;
    Probe<Object> reply = get("/test/k");
    fixture.advance(Duration.ofSeconds(3).plusMillis(100));
    assertFailed(Reason.NOT_FOUND, reply);
    assertEquals(3, fixture.state().peers(), "nobody is blamed for what was not asked");
    fixture.advance(Duration.ofSeconds(9));
    assertEquals(2, fixture.state().peers(), "nobody is there");
    assertEquals(0, fixture.openStreams);
  }

  @Test
  void whoseStreamOpensTooLateIsNotBlamedAndTheStreamIsNotLeftBehind() {
    Script slow = Script.peerNumber(2);
    ready(bootstrap, slow);
    fixture.identify(slow);
    slow.openingTime = Duration.ofSeconds(4);
    Probe<Object> reply = get("/test/k");
    fixture.advance(Duration.ofSeconds(3).plusMillis(100));
    assertFailed(Reason.NOT_FOUND, reply);
    fixture.advance(Duration.ofSeconds(5));
    assertEquals(2, fixture.state().peers());
    assertEquals(0, fixture.openStreams);
  }

  @Test
  void whoseConnectionIsDeadIsForgottenOnceNoStreamCanBeOpened() {
    Script frozen = Script.peerNumber(2);
    ready(bootstrap, frozen);
    fixture.identify(frozen);
    frozen.openingTime = Duration.ofSeconds(10);
    frozen.opens = false;
    get("/test/k");
    fixture.advance(Duration.ofSeconds(10));
    assertEquals(2, fixture.state().peers());
    fixture.advance(Duration.ofSeconds(4));
    assertEquals(1, fixture.state().peers());
  }

  @Test
  void theTimeForAnAnswerBeginsWhenTheStreamIsOpen() {
    Script slow = Script.peerNumber(2);
    ready(bootstrap, slow);
    fixture.identify(slow);
    slow.openingTime = Duration.ofSeconds(2);
    slow.silent = true;
    Probe<Object> reply = get("/test/k");
    fixture.advance(Duration.ofMillis(4900));
    reply.expectNone();
    fixture.advance(Duration.ofMillis(200));
    assertFailed(Reason.NOT_FOUND, reply);
  }

  @Test
  void whoTakesMuchLongerThanUsualIsPassedOverAndNotAskedAgainForAWhile() {
    Script[] peers = network(30);
    ready(peers);
    Script silent = nearest("x", peers).get(0);
    silent.silent = true;
    Script[] others = nearest("x", peers).subList(1, 30).toArray(Script[]::new);
    for (Script other : others) {
      other.answer = Script.naming(others); // So that there is one more than K.
    }
    silent.requests.clear();
    Probe<Object> reply = provide("x");
    fixture.advance(Duration.ofMillis(900));
    reply.expectNone();
    fixture.advance(Duration.ofMillis(300));
    assertEquals(new Dht.Provided(Script.hash("x"), 20), reply.next(), "not after three seconds");
    assertEquals(1, silent.requests.size());
    reply = provide("x");
    fixture.advance(Duration.ofMillis(200));
    assertEquals(new Dht.Provided(Script.hash("x"), 20), reply.next());
    assertEquals(1, silent.requests.size(), "it is held back");
    assertEquals(30, fixture.state().peers(), "it is connected: that may happen once");
    fixture.advance(PeerMemory.FIRST_BACKOFF.multipliedBy(6).dividedBy(5));
    provide("x");
    fixture.advance(SECOND.multipliedBy(3));
    assertEquals(2, silent.requests.size());
    assertEquals(29, fixture.state().peers(), "not twice in a row");
  }

  @Test
  void whoIsHeldBackIsAskedOnceMoreWhenTheTimeIsOverAndThenLikeAnybody() {
    Script[] peers = network(30);
    ready(peers);
    Script shaky = nearest("x", peers).get(0);
    shaky.silent = true;
    provide("x");
    fixture.advance(SECOND.multipliedBy(2));
    shaky.silent = false;
    fixture.advance(PeerMemory.FIRST_BACKOFF.multipliedBy(6).dividedBy(5));
    for (int i = 0; i < 2; i++) {
      shaky.requests.clear();
      provide("x");
      fixture.advance(SECOND);
      assertEquals(List.of(Type.FIND_NODE, Type.ADD_PROVIDER), shaky.requestTypes());
    }
  }

  @Test
  void whoAnswersByteByByteHoldsNobodyUpForLongerThanARequestMayTake() {
    Script trickling = holding(2, "v");
    ready(bootstrap, trickling);
    fixture.identify(trickling);
    trickling.trickle = Duration.ofMillis(400);
    Probe<Object> reply = get("/test/k");
    fixture.advance(DhtSettings.DEFAULT.timing().request().plus(SECOND));
    assertFailed(Reason.NOT_FOUND, reply);
    assertEquals(0, fixture.openStreams);
    trickling.trickle = Duration.ofMillis(1);
    fixture.advance(DhtSettings.DEFAULT.timing().refresh());
    Probe<Object> again = get("/test/k");
    fixture.advance(SECOND);
    again.expect(Dht.ValueGot.class);
  }

  @Test
  void whoIsSlowIsNotLockedOutWhereNobodyElseKnows() {
    Script slow = holding(2, "v");
    ready(bootstrap, slow);
    fixture.identify(slow);
    get("/test/k");
    fixture.advance(SECOND);
    slow.latency = Duration.ofMillis(2500);
    for (int i = 0; i < 5; i++) {
      Probe<Object> reply = get("/test/k");
      fixture.advance(Duration.ofMillis(2600));
      reply.expect(Dht.ValueGot.class);
    }
    assertEquals(2, fixture.state().peers());
  }

  @Test
  void whoCannotBeReachedIsNotDialledAgainForAWhileUnlessItIsSaidToBeElsewhere() {
    Script[] peers = network(30);
    Script dead = Script.peerNumber(2);
    dead.reachable = false;
    dead.dialTime = Duration.ofSeconds(9);
    ready(peers);
    fixture.remotes.put(dead.peer, dead);
    nameInstead(peers, dead.info());
    fixture.dials.clear();
    findPeer(2);
    fixture.advance(SECOND.multipliedBy(4));
    findPeer(2);
    fixture.advance(SECOND.multipliedBy(4));
    assertEquals(List.of(dead.peer), fixture.dials);
    nameInstead(peers, new PeerInfo(dead.peer, List.of(Script.address(77))));
    findPeer(2);
    fixture.advance(SECOND.multipliedBy(4));
    assertEquals(List.of(dead.peer, dead.peer), fixture.dials);
  }

  private static void nameInstead(Script[] peers, PeerInfo named) {
    for (Script peer : peers) {
      peer.answer = request -> request.answer(null, List.of(named), List.of());
    }
  }

  @Test
  void aLiarThatNamesOnlyItsOwnDefeatsALookupAlongOnePath() {
    assertFailed(Reason.NOT_FOUND, getBesideALiar(1));
  }

  @Test
  void aLiarThatNamesOnlyItsOwnDoesNotDefeatALookupAlongThreePaths() {
    assertEquals(
        new Dht.ValueGot(Bytes.utf8("/test/k"), Bytes.utf8("v"), 1), getBesideALiar(3).next());
  }

  /** The fakes are nearer to the key than the one who holds the value. */
  private Probe<Object> getBesideALiar(int paths) {
    Script[] all = network(500);
    List<Script> nearest =
        Arrays.stream(all)
            .sorted(
                Comparator.comparing(p -> Key.of(p.peer).distanceTo(Key.of(Bytes.utf8("/test/k")))))
            .toList();
    Script[] fakes = nearest.subList(0, 25).toArray(Script[]::new);
    for (Script fake : fakes) {
      fake.server = false; // So that they do not enter the table.
      fake.answer = Script.naming(fakes);
    }
    Script holder = nearest.get(30);
    holder.server = false;
    holder.answer =
        request ->
            request.answer(new ValueRecord(request.key(), Bytes.utf8("v")), List.of(), List.of());
    Script liar = nearest.get(100);
    Script honest = nearest.get(200);
    liar.answer = Script.naming();
    honest.answer = Script.naming();
    bootstrap.answer = Script.naming();
    ready(
        DhtFixture.joining(bootstrap).withLookup(new DhtSettings.Lookup(paths, false)),
        bootstrap,
        liar,
        honest);
    fixture.identify(liar);
    fixture.identify(honest);
    for (Script script : all) {
      fixture.remotes.put(script.peer, script);
    }
    liar.answer = Script.naming(fakes);
    honest.answer = Script.naming(holder);
    Probe<Object> reply = get("/test/k");
    fixture.advance(SECOND.multipliedBy(3));
    return reply;
  }

  @Test
  void anOptimisticProvideIsDoneSoonerAndAlmostAsNear() {
    Duration careful = timeToProvide(false, 20);
    fixture.close();
    Duration optimistic = timeToProvide(true, 15);
    assertTrue(optimistic.compareTo(careful) < 0, optimistic + " and " + careful);
  }

  @Test
  void anOptimisticProvideThatKnowsTooLittleIsACarefulOne() {
    Script[] peers = network(100);
    ready(DhtFixture.joining(peers[0]).withLookup(new DhtSettings.Lookup(1, true)), peers);
    Probe<Object> reply = provide("x");
    fixture.advance(SECOND.multipliedBy(5));
    assertEquals(new Dht.Provided(Script.hash("x"), 20), reply.next());
  }

  @Test
  void anOptimisticProvideThatAllRefuseIsRejected() {
    Script[] peers = network(100);
    optimistic(true, peers);
    List<Script> nearest = nearest("x", peers);
    for (Script peer : nearest.subList(0, 8)) {
      Function<KademliaMessage, KademliaMessage> naming = peer.answer;
      peer.answer =
          request -> {
            peer.opens = false;
            return naming.apply(request);
          };
    }
    nearest.subList(8, 100).forEach(peer -> peer.answer = request -> null);
    Probe<Object> reply = provide("x");
    fixture.advance(SECOND.multipliedBy(30));
    assertFailed(Reason.REJECTED, reply);
  }

  private void optimistic(boolean optimistic, Script[] peers) {
    ready(DhtFixture.joining(peers[0]).withLookup(new DhtSettings.Lookup(1, optimistic)), peers);
    for (int i = 0; i < 10; i++) {
      get("/test/" + i);
      fixture.advance(SECOND.multipliedBy(4));
    }
  }

  /** At least so many of the nearest have the record then. */
  private Duration timeToProvide(boolean optimistic, int nearest) {
    Script[] peers = network(100);
    optimistic(optimistic, peers);
    Probe<Object> reply = provide("x");
    long asked = fixture.system.now();
    Dht.Provided provided = reply.expect(Dht.Provided.class, Duration.ofSeconds(5));
    Duration took = Duration.ofNanos(fixture.system.now() - asked);
    assertTrue(provided.peers() >= 20, "" + provided);
    long told =
        nearest("x", peers).subList(0, 20).stream()
            .filter(peer -> peer.requestTypes().contains(Type.ADD_PROVIDER))
            .count();
    assertTrue(told >= nearest, told + " of the nearest were told");
    return took;
  }

  @Test
  void aStreamThatTheRemoteDoesNotCloseIsReset() {
    ready(bootstrap);
    bootstrap.lingers = true;
    Probe<Object> reply = get("/test/k");
    fixture.advance(SECOND);
    assertFailed(Reason.NOT_FOUND, reply);
    assertEquals(1, fixture.openStreams);
    fixture.advance(Lookups.PARTING_TIME.minus(SECOND));
    assertEquals(1, fixture.openStreams);
    fixture.advance(Lookups.PARTING_TIME.plus(SECOND));
    assertEquals(0, fixture.openStreams);
    get("/test/k");
    fixture.advance(SECOND);
    assertEquals(1, fixture.openStreams);
    fixture.dht.tell(new Dht.Stop());
    fixture.system.runUntilIdle();
    assertEquals(0, fixture.openStreams);
  }

  @Test
  void aDialThatFailsDoesNotCountAgainstTheBudgetOfTime() {
    Script dead = Script.peerNumber(2);
    dead.reachable = false;
    dead.dialTime = Duration.ofSeconds(9);
    bootstrap.answer = Script.naming(dead);
    ready(bootstrap, dead);
    fixture.advance(Duration.ofSeconds(10));
    Probe<Object> reply = get("/test/k");
    fixture.advance(Duration.ofSeconds(3).plusMillis(100));
    assertFailed(Reason.NOT_FOUND, reply);
  }

  @Test
  void aPeerThatNoLookupWaitsForAnyMoreIsNotDialledOn() {
    Script dead = Script.peerNumber(2);
    dead.reachable = false;
    dead.dialTime = Duration.ofSeconds(9);
    bootstrap.answer = Script.naming(dead);
    ready(bootstrap, dead);
    fixture.advance(Duration.ofSeconds(10));
    fixture.withdrawn.clear();
    get("/test/k");
    fixture.advance(Duration.ofSeconds(3).plusMillis(100));
    assertEquals(List.of(dead.peer), fixture.withdrawn);
  }

  @Test
  void theDialOfOneThatIsLateGoesOnWhileTheLookupDoes() {
    Script late = Script.peerNumber(2);
    late.reachable = false;
    late.dialTime = Duration.ofSeconds(9);
    Script[] chain = chainOfSlowPeers(3);
    for (Script slow : chain) {
      slow.server = false; // So that they are asked one after the other.
    }
    bootstrap.answer = Script.naming(late, chain[0]);
    ready(bootstrap, late, chain[0], chain[1], chain[2]);
    fixture.advance(Duration.ofSeconds(20));
    List.of(chain).forEach(fixture::disconnect);
    fixture.withdrawn.clear();
    get("/test/k");
    fixture.advance(Duration.ofSeconds(5));
    assertEquals(List.of(), fixture.withdrawn);
    fixture.advance(Duration.ofSeconds(2));
    assertEquals(List.of(late.peer), fixture.withdrawn, "the lookup is over");
  }

  @Test
  void whatFollowsAResponseCostsNoMessageAndNoTimerOfItsOwn() {
    Script[] peers = network(20);
    ready(peers);
    get("/test/k");
    fixture.advance(SECOND);
    long before = fixture.system.eventCount();
    get("/test/k");
    fixture.advance(SECOND);
    long closing = fixture.system.eventCount() - before;
    for (Script peer : peers) {
      peer.lingers = true;
    }
    before = fixture.system.eventCount();
    get("/test/k");
    fixture.advance(SECOND);
    long lingering = fixture.system.eventCount() - before;
    assertEquals(20, fixture.openStreams);
    // One timer for all of them, which starts here.
    assertTrue(lingering - closing <= 2, lingering + " events, not " + closing);
    before = fixture.system.eventCount();
    fixture.advance(Lookups.PARTING_TIME.multipliedBy(2));
    assertEquals(0, fixture.openStreams);
    // Two sweeps, and the end of each stream.
    assertTrue(fixture.system.eventCount() - before <= 30, "" + before);
  }

  @Test
  void bucketsAreLookedAfterEveryTenMinutes() {
    ready(bootstrap);
    int before = bootstrap.requests.size();
    fixture.advance(Duration.ofMinutes(10));
    List<Type> later =
        bootstrap.requests.subList(before, bootstrap.requests.size()).stream()
            .map(KademliaMessage::type)
            .toList();
    assertEquals(List.of(Type.FIND_NODE), later, "ourselves; one so small has nobody else");
  }

  private void ready(Script... remotes) {
    ready(DhtFixture.joining(remotes[0]), remotes);
  }

  /** Gets ask everybody. */
  private void readyWithAll(Script... remotes) {
    ready(DhtFixture.joining(remotes[0]).withQuorum(10), remotes);
  }

  private void ready(DhtSettings settings, Script... remotes) {
    Namespaces namespaces = settings.namespaces().with("best", new GreatestIsBest());
    fixture = new DhtFixture(settings.withNamespaces(namespaces), remotes);
    fixture.advance(SECOND.multipliedBy(5));
    assertEquals(State.READY, fixture.state().state());
  }

  private static Script[] network(int size) {
    Script[] peers = new Script[size];
    for (int i = 0; i < size; i++) {
      peers[i] = Script.peerNumber(1000 + i);
    }
    for (Script peer : peers) {
      peer.answer = Script.naming(peers);
    }
    return peers;
  }

  /** Each names the next, after a dial of two seconds. */
  private static Script[] chainOfSlowPeers(int length) {
    Script[] chain = new Script[length];
    for (int i = 0; i < length; i++) {
      chain[i] = Script.peerNumber(2000 + i);
      chain[i].dialTime = Duration.ofSeconds(2);
    }
    for (int i = 0; i + 1 < length; i++) {
      chain[i].answer = Script.naming(chain[i + 1]);
    }
    return chain;
  }

  private static List<Script> nearest(String text, Script[] peers) {
    Key target = Key.of(Script.hash(text).encoded());
    return Arrays.stream(peers)
        .sorted(Comparator.comparing(p -> Key.of(p.peer).distanceTo(target)))
        .toList();
  }

  private Probe<Object> provide(String text) {
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.Provide(Script.hash(text), UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    return reply;
  }

  private static Script holding(long number, String value) {
    Script script = Script.peerNumber(number);
    script.answer =
        request ->
            request.type() == Type.GET_VALUE
                ? request.answer(
                    new ValueRecord(request.key(), Bytes.utf8(value)), List.of(), List.of())
                : Script.naming().apply(request);
    return script;
  }

  private static List<String> puts(Script script) {
    return script.requests.stream()
        .filter(request -> request.type() == Type.PUT_VALUE)
        .map(request -> request.record().value().utf8())
        .toList();
  }

  private Probe<Object> findPeer(long number) {
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.FindPeer(Script.peer(number), UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    return reply;
  }

  private Probe<Object> get(String key) {
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.GetValue(Bytes.utf8(key), UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    return reply;
  }

  private Probe<Object> get(String key, int quorum) {
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.GetValue(
            Bytes.utf8(key), quorum, UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    return reply;
  }

  private Probe<Object> put(String key, String value) {
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(
            Bytes.utf8(key), Bytes.utf8(value), UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    return reply;
  }

  private static Dht.PeerFound found(long number) {
    return new Dht.PeerFound(
        new PeerWithAddresses(Script.peer(number), List.of(Script.address(number))));
  }

  private static void assertFailed(Reason reason, Probe<Object> reply) {
    assertEquals(reason, reply.expect(OperationFailed.class).reason());
  }

  /** Any values; of two, the greater one is the best. */
  private record GreatestIsBest() implements Namespace {

    @Override
    public void validate(Bytes key, Bytes value) {}

    @Override
    public int select(Bytes key, List<Bytes> values) {
      return values.indexOf(Collections.max(values));
    }

    @Override
    public boolean isOrdered() {
      return true;
    }
  }
}
