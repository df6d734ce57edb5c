package dev.troupe.actors.connections;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.addressbook.AddressBookSettings;
import dev.troupe.actors.connections.DialableHost.Attempt;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Identification;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConnectionsTest {

  /** Peers in the order of their ids. */
  private static final List<PeerId> PEERS =
      IntStream.range(0, 12)
          .mapToObj(
              number -> {
                byte[] seed = new byte[32];
                seed[0] = (byte) number;
                return PrivateKey.fromSeed(new PortableCrypto(), seed).peerId();
              })
          .sorted(Comparator.naturalOrder())
          .toList();

  private static final PeerId SELF = PEERS.get(5);
  private static final PeerId BOB = PEERS.get(6);
  private static final PeerId CAROL = PEERS.get(7);

  private final SimulatedSystem system = SimulatedSystem.create();
  private final DialableHost host = new DialableHost(SELF);
  private final ActorRef<AddressBook.Command> book =
      system.spawn(AddressBook.create(AddressBookSettings.DEFAULT, system::now), "book");
  private final Probe<Connections.ConnectReply> replies = system.probe("replies");
  private final Probe<ConnectionsEvent> events = system.probe("events");
  private ActorRef<Connections.Command> connections = spawn(ConnectionsSettings.DEFAULT);

  private ActorRef<Connections.Command> spawn(ConnectionsSettings settings) {
    ActorRef<Connections.Command> made =
        system.spawn(
            Connections.create(settings, system::now, host, book),
            "connections-" + settings.hashCode());
    host.hears = event -> made.tell(new Connections.HostHeard(event));
    made.tell(new Connections.Subscribe(events.ref(), Connections.From.CONNECTED));
    return made;
  }

  private static Multiaddr at(int port) {
    try {
      return Multiaddr.parse("/ip4/192.0.2.1/tcp/" + port);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void close() {
    system.close();
  }

  private void connect(PeerId peer, Multiaddr... addresses) {
    connections.tell(new Connections.Connect(peer, List.of(addresses), replies.ref()));
    system.runUntilIdle();
  }

  private HostFailure failure() {
    return replies.expect(Connections.ConnectFailed.class).failure();
  }

  private List<Connections.ConnectedPeer> connected() {
    Probe<Connections.ConnectedPeers> probe = system.probe();
    connections.tell(new Connections.GetConnected(probe.ref()));
    return probe.next().peers();
  }

  // ---- watching one peer

  @Test
  void whoWatchesAPeerHearsOfItAlone() {
    host.reach(BOB);
    system.runUntilIdle();
    Probe<ConnectionsEvent> watcher = system.probe("watcher");
    connections.tell(new Connections.Watch(BOB, watcher.ref()));
    connections.tell(new Connections.Watch(CAROL, watcher.ref()));
    assertEquals(BOB, watcher.expect(ConnectionsEvent.PeerConnected.class).peer());
    host.reach(PEERS.get(9));
    watcher.expectNone();
    host.reach(CAROL);
    assertEquals(CAROL, watcher.expect(ConnectionsEvent.PeerConnected.class).peer());
  }

  // ---- dialling

  @Test
  void aDialToADeadAddressEndsAtItsBudgetWithTheReasonAndIsCalledOff() {
    connect(BOB, at(1));
    long begun = system.now();
    Attempt attempt = host.attempts.get(0);
    system.advance(Duration.ofSeconds(10).minusNanos(1));
    replies.expectNone();
    assertFalse(attempt.cancelled);
    system.advance(Duration.ofNanos(1));
    HostFailure failure = failure();
    assertEquals(Duration.ofSeconds(10).toNanos(), system.now() - begun);
    assertEquals(HostFailure.Kind.TIMED_OUT, failure.kind());
    assertTrue(failure.message().contains(BOB.toString()), failure.message());
    assertTrue(failure.message().contains(at(1).toString()), failure.message());
    assertTrue(attempt.cancelled);
  }

  @Test
  void addressesAreStaggeredUnderOneBudgetAndTheFirstToAnswerWins() {
    connect(BOB, at(1), at(2), at(3));
    assertEquals(1, host.attempts.size());
    system.advance(Duration.ofMillis(249));
    assertEquals(1, host.attempts.size());
    system.advance(Duration.ofMillis(1));
    assertEquals(2, host.attempts.size());
    host.attempts.get(1).succeed(BOB);
    system.runUntilIdle();
    assertEquals(new Connections.Connected(BOB, at(2)), replies.next());
    assertTrue(host.attempts.get(0).cancelled);
    system.advance(Duration.ofMinutes(1));
    assertEquals(2, host.attempts.size());
  }

  @Test
  void anAddressThatFailsGivesWayToTheNextAtOnceAndAllReasonsAreTold() {
    connect(BOB, at(1), at(2));
    host.attempts.get(0).fail(HostFailure.Kind.REFUSED, "nobody listens");
    system.runUntilIdle();
    assertEquals(at(2), host.attempts.get(1).address);
    host.attempts.get(1).fail(HostFailure.Kind.UNREACHABLE, "no route");
    system.runUntilIdle();
    HostFailure failure = failure();
    assertEquals(HostFailure.Kind.UNREACHABLE, failure.kind());
    assertTrue(failure.message().contains("nobody listens"), failure.message());
    assertTrue(failure.message().contains("no route"), failure.message());
  }

  @Test
  void somebodyElseAtAnAddressSaysMoreThanNobodyAtAnother() {
    connect(BOB, at(1), at(2));
    host.attempts.get(0).fail(HostFailure.Kind.WRONG_PEER, "carol answered");
    system.runUntilIdle();
    host.attempts.get(1).fail(HostFailure.Kind.REFUSED, "nobody listens");
    system.runUntilIdle();
    assertEquals(HostFailure.Kind.WRONG_PEER, failure().kind());
  }

  @Test
  void aPeerWithoutAddressesIsUnreachableAtOnce() {
    connect(BOB);
    assertEquals(HostFailure.Kind.UNREACHABLE, failure().kind());
    assertEquals(List.of(), host.attempts);
  }

  @Test
  void nobodyDialsThemselves() {
    connect(SELF, at(1));
    assertEquals(HostFailure.Kind.REFUSED, failure().kind());
    assertEquals(List.of(), host.attempts);
  }

  @Test
  void theAddressBookAddsWhatItKnows() {
    book.tell(
        new AddressBook.Learn(
            BOB, List.of(at(9)), AddressBook.Source.DISCOVERED, Duration.ofHours(1)));
    connect(BOB, at(1));
    host.attempts.get(0).fail(HostFailure.Kind.REFUSED, "nobody listens");
    system.runUntilIdle();
    assertEquals(at(9), host.attempts.get(1).address);
  }

  private static Identification identification(boolean certified, Multiaddr... addresses) {
    return new Identification(
        "other/1", "ipfs/0.1.0", List.of(), List.of(addresses), null, certified);
  }

  private AddressBook.Found known(PeerId peer) {
    Probe<AddressBook.Found> probe = system.probe();
    book.tell(new AddressBook.Find(peer, probe.ref()));
    return probe.next();
  }

  @Test
  void theAddressBookLearnsWhereAPeerWasReachedAndWhatItSays() {
    connect(BOB, at(1));
    ConnectionInfo made = host.attempts.get(0).succeed(BOB);
    host.hears.accept(new HostEvent.Identified(made, identification(false, at(3))));
    host.hears.accept(new HostEvent.Identified(made, identification(true, at(2))));
    system.runUntilIdle();
    assertEquals(new AddressBook.Found(BOB, List.of(at(1), at(2), at(3)), 3), known(BOB));
    // Where an inbound connection comes from, nobody listens.
    ConnectionInfo inbound = host.accept(CAROL);
    host.hears.accept(new HostEvent.Identified(inbound, identification(false, at(4))));
    system.runUntilIdle();
    assertEquals(new AddressBook.Found(CAROL, List.of(at(4)), 1), known(CAROL));
  }

  @Test
  void aPeerIsRememberedForAWhileAfterTheEndHoweverLongItWasConnected() {
    connect(BOB, at(1));
    ConnectionInfo made = host.attempts.get(0).succeed(BOB);
    host.hears.accept(new HostEvent.Identified(made, identification(true, at(2))));
    system.runUntilIdle();
    system.advance(Duration.ofDays(1));
    host.lose(made);
    system.runUntilIdle();
    system.advance(Duration.ofMinutes(59));
    assertEquals(new AddressBook.Found(BOB, List.of(at(1), at(2)), 2), known(BOB));
    system.advance(Duration.ofMinutes(1));
    assertEquals(new AddressBook.Found(BOB, List.of(), 0), known(BOB));
  }

  @Test
  void aPeerIsRememberedForHalfAsLongAtLeastAfterAShortConnection() {
    connect(BOB, at(1));
    ConnectionInfo made = host.attempts.get(0).succeed(BOB);
    host.hears.accept(new HostEvent.Identified(made, identification(true, at(2))));
    system.runUntilIdle();
    system.advance(Duration.ofMinutes(30));
    host.lose(made);
    system.runUntilIdle();
    system.advance(Duration.ofMinutes(29));
    assertEquals(new AddressBook.Found(BOB, List.of(at(1), at(2)), 2), known(BOB));
    system.advance(Duration.ofMinutes(1));
    assertEquals(new AddressBook.Found(BOB, List.of(), 0), known(BOB));
  }

  @Test
  void addressesAreDialledInTheOrderOfTrust() {
    AddressBook.Source[] sources = AddressBook.Source.values();
    for (int i = sources.length - 1; i >= 0; i--) {
      book.tell(new AddressBook.Learn(BOB, List.of(at(i + 2)), sources[i], Duration.ofHours(1)));
    }
    // What comes with the request is hearsay, unless the user names it.
    connect(BOB, at(10), at(11));
    for (int i = 0; i < host.attempts.size(); i++) {
      host.attempts.get(i).fail(HostFailure.Kind.REFUSED, "nobody listens");
      system.runUntilIdle();
    }
    assertEquals(
        List.of(at(2), at(3), at(4), at(5), at(10), at(11), at(6)),
        host.attempts.stream().map(each -> each.address).toList());
    host.attempts.clear();
    connections.tell(new Connections.ConnectTo(at(12).withPeer(BOB), replies.ref()));
    system.runUntilIdle();
    assertEquals(at(12), host.attempts.get(0).address);
  }

  @Test
  void allWhoAskForAPeerShareOneDial() {
    connect(BOB, at(1));
    connect(BOB, at(2));
    Probe<Connections.ConnectReply> third = system.probe("third");
    connections.tell(new Connections.ConnectTo(at(3).withPeer(BOB), third.ref()));
    system.runUntilIdle();
    assertEquals(1, host.attempts.size());
    host.attempts.get(0).succeed(BOB);
    system.runUntilIdle();
    Connections.Connected reply = new Connections.Connected(BOB, at(1));
    assertEquals(List.of(reply, reply), List.of(replies.next(), replies.next()));
    assertEquals(reply, third.next());
    connect(BOB, at(4));
    assertEquals(reply, replies.next());
    assertEquals(1, host.attempts.size());
  }

  @Test
  void whoeverAnswersAtABareAddressIsTaken() {
    connections.tell(new Connections.ConnectTo(at(1), replies.ref()));
    system.runUntilIdle();
    host.attempts.get(0).succeed(CAROL);
    system.runUntilIdle();
    assertEquals(new Connections.Connected(CAROL, at(1)), replies.next());
  }

  @Test
  void aPeerThatConnectsByItselfEndsItsDial() {
    connect(BOB, at(1));
    host.accept(BOB);
    system.runUntilIdle();
    assertEquals(BOB, replies.expect(Connections.Connected.class).peer());
    assertTrue(host.attempts.get(0).cancelled);
  }

  @Test
  void aSuccessThatComesTogetherWithTheEndOfItsConnectionConnectsNobody() {
    connect(BOB, at(1));
    ConnectionInfo brief = host.attempts.get(0).succeed(BOB);
    host.lose(brief);
    system.runUntilIdle();
    assertEquals(HostFailure.Kind.CONNECTION_LOST, failure().kind());
    assertEquals(List.of(), connected());
  }

  @Test
  void aSuccessAtABareAddressWhoseConnectionIsGoneNamesNoPeer() {
    connections.tell(new Connections.ConnectTo(at(1), replies.ref()));
    system.runUntilIdle();
    host.lose(host.attempts.get(0).succeed(CAROL));
    system.runUntilIdle();
    Connections.ConnectFailed failed = replies.expect(Connections.ConnectFailed.class);
    assertNull(failed.peer());
    assertEquals(HostFailure.Kind.CONNECTION_LOST, failed.failure().kind());
  }

  @Test
  void aSuccessWhoseConnectionIsGoneSaysNothingToWhoAskedForAnotherDial() {
    connect(BOB, at(1));
    host.lose(host.attempts.get(0).succeed(BOB));
    disconnectAndConnectAgain();
  }

  @Test
  void disconnectingCallsTheDialOff() {
    connect(BOB, at(1));
    Probe<Connections.DisconnectReply> done = system.probe();
    connections.tell(new Connections.Disconnect(BOB, done.ref()));
    assertEquals(new Connections.DisconnectReply(BOB, true), done.next());
    assertEquals(HostFailure.Kind.CANCELLED, failure().kind());
    assertTrue(host.attempts.get(0).cancelled);
    connections.tell(new Connections.Disconnect(BOB, done.ref()));
    assertEquals(new Connections.DisconnectReply(BOB, false), done.next());
  }

  private void disconnect(PeerId peer) {
    connections.tell(
        new Connections.Disconnect(peer, system.<Connections.DisconnectReply>probe().ref()));
  }

  /** The first dial is cancelled, and only the second one answers who asked for that. */
  private void disconnectAndConnectAgain() {
    disconnect(BOB);
    connections.tell(new Connections.Connect(BOB, List.of(at(2)), replies.ref()));
    system.runUntilIdle();
    assertEquals(HostFailure.Kind.CANCELLED, failure().kind());
    replies.expectNone();
    assertEquals(at(2), host.attempts.get(1).address);
    host.attempts.get(1).succeed(BOB);
    system.runUntilIdle();
    assertEquals(new Connections.Connected(BOB, at(2)), replies.next());
  }

  @Test
  void aConnectRightAfterADisconnectIsADialOfItsOwn() {
    connect(BOB, at(1));
    disconnectAndConnectAgain();
    assertTrue(host.attempts.get(0).cancelled);
  }

  @Test
  void theFailureOfADialThatWasCalledOffDoesNotAnswerTheNextOne() {
    connect(BOB, at(1));
    // The end of the first dial is on its way while it is called off and the second is asked for.
    host.attempts.get(0).fail(HostFailure.Kind.REFUSED, "nobody listens");
    disconnectAndConnectAgain();
  }

  @Test
  void twoDialsAskedForAroundADisconnectBeforeTheAddressesAreKnownAreOne() {
    connections.tell(new Connections.Connect(BOB, List.of(at(1)), replies.ref()));
    disconnect(BOB);
    connections.tell(new Connections.Connect(BOB, List.of(at(2)), replies.ref()));
    system.runUntilIdle();
    assertEquals(HostFailure.Kind.CANCELLED, failure().kind());
    assertEquals(List.of(at(2)), host.attempts.stream().map(each -> each.address).toList());
  }

  @Test
  void aDialEndsWhenTheLastWhoWaitedForItWithdraws() {
    Probe<Connections.ConnectReply> other = system.probe("other");
    connect(BOB, at(1));
    connections.tell(new Connections.Connect(BOB, List.of(), other.ref()));
    connections.tell(new Connections.Withdraw(BOB, replies.ref()));
    connections.tell(new Connections.Withdraw(BOB, replies.ref()));
    connections.tell(new Connections.Withdraw(CAROL, other.ref()));
    system.runUntilIdle();
    assertFalse(host.attempts.get(0).cancelled);
    connections.tell(new Connections.Withdraw(BOB, other.ref()));
    system.runUntilIdle();
    assertTrue(host.attempts.get(0).cancelled);
    replies.expectNone(Duration.ofMinutes(1));
    other.expectNone();
    connect(BOB, at(3));
    assertEquals(at(3), host.attempts.get(1).address);
  }

  @Test
  void whoeverWithdrawsWhileTheDialWaitsItsTurnMakesRoomForOthers() {
    connections = spawn(limits(1, 1, 2, 10, 10));
    connect(BOB, at(1));
    connect(CAROL, at(2));
    connections.tell(new Connections.Withdraw(CAROL, replies.ref()));
    connect(PEERS.get(8), at(3));
    connections.tell(new Connections.Withdraw(BOB, replies.ref()));
    system.runUntilIdle();
    assertEquals(List.of(at(1), at(3)), host.attempts.stream().map(each -> each.address).toList());
    replies.expectNone();
  }

  @Test
  void oneSubscriberTooManyIsRefusedUntilAnotherIsGone() {
    Probe<Connections.SubscribeReply> answers = system.probe("answers");
    // One, without an answer, is the test's own.
    Probe<ConnectionsEvent> first = system.probe();
    connections.tell(new Connections.Subscribe(first.ref(), answers.ref()));
    for (int i = 2; i < Connections.MAX_SUBSCRIBERS; i++) {
      connections.tell(
          new Connections.Subscribe(system.<ConnectionsEvent>probe().ref(), answers.ref()));
    }
    Probe<ConnectionsEvent> late = system.probe("late");
    connections.tell(new Connections.Subscribe(late.ref(), answers.ref()));
    for (int i = 1; i < Connections.MAX_SUBSCRIBERS; i++) {
      answers.expect(Connections.Subscribed.class);
    }
    answers.expect(Connections.SubscribeRefused.class);
    host.accept(BOB);
    system.runUntilIdle();
    late.expectNone();
    first.expect(ConnectionsEvent.PeerConnected.class);
    // Whoever is heard already is not one more, and the peer's own actors always have a place.
    connections.tell(new Connections.Subscribe(first.ref(), answers.ref()));
    answers.expect(Connections.Subscribed.class);
    Probe<ConnectionsEvent> own = system.probe("own");
    connections.tell(new Connections.Subscribe(own.ref(), Connections.From.CONNECTED));
    own.expect(ConnectionsEvent.PeerConnected.class);
    system.stop(own.ref());
    system.stop(first.ref());
    connections.tell(new Connections.Subscribe(late.ref(), answers.ref()));
    answers.expect(Connections.Subscribed.class);
    late.expect(ConnectionsEvent.PeerConnected.class);
  }

  // ---- limits

  private static ConnectionsSettings limits(
      int dials, int waitingDials, int waiters, int highWater, int lowWater) {
    ConnectionsSettings defaults = ConnectionsSettings.DEFAULT;
    return new ConnectionsSettings(
        defaults.dialBudget(),
        defaults.dialStagger(),
        2,
        dials,
        waitingDials,
        waiters,
        defaults.addressTimeToLive(),
        highWater,
        lowWater,
        0,
        defaults.trimInterval(),
        defaults.grace(),
        defaults.surplusCheck());
  }

  private static ConnectionsSettings halfForInbound(int highWater, int lowWater) {
    ConnectionsSettings defaults = ConnectionsSettings.DEFAULT;
    return new ConnectionsSettings(
        defaults.dialBudget(),
        defaults.dialStagger(),
        2,
        16,
        16,
        16,
        defaults.addressTimeToLive(),
        highWater,
        lowWater,
        0.5,
        defaults.trimInterval(),
        defaults.grace(),
        defaults.surplusCheck());
  }

  private List<PeerId> trimmed() {
    return host.disconnected.stream().map(ConnectionInfo::peer).toList();
  }

  @Test
  void dialsBeyondTheLimitWaitTheirTurnAndBeyondThatAreRefused() {
    connections = spawn(limits(1, 1, 2, 10, 10));
    connect(BOB, at(1));
    connect(CAROL, at(2));
    assertEquals(1, host.attempts.size());
    connect(PEERS.get(8), at(3));
    assertEquals(HostFailure.Kind.LIMIT_EXCEEDED, failure().kind());
    host.attempts.get(0).fail(HostFailure.Kind.REFUSED, "nobody listens");
    system.runUntilIdle();
    assertEquals(HostFailure.Kind.REFUSED, failure().kind());
    assertEquals(at(2), host.attempts.get(1).address);
  }

  @Test
  void aDialThatWaitsIsNotMadeForAPeerThatHasConnectedMeanwhile() {
    connections = spawn(limits(1, 1, 2, 10, 10));
    connect(BOB, at(1));
    connect(CAROL, at(2));
    host.accept(CAROL);
    system.runUntilIdle();
    replies.expect(Connections.Connected.class);
    host.attempts.get(0).fail(HostFailure.Kind.REFUSED, "nobody listens");
    system.runUntilIdle();
    assertEquals(1, host.attempts.size());
  }

  @Test
  void tooManyWaitersOfOneDialAreRefused() {
    connections = spawn(limits(1, 1, 2, 10, 10));
    connect(BOB, at(1));
    connect(BOB);
    connect(BOB);
    assertEquals(HostFailure.Kind.LIMIT_EXCEEDED, failure().kind());
  }

  @Test
  void ofManyAddressesTheFirstFewAreDialled() {
    connections = spawn(limits(1, 1, 2, 10, 10));
    connect(BOB, at(1), at(2), at(3));
    for (int i = 0; i < 2; i++) {
      host.attempts.get(i).fail(HostFailure.Kind.REFUSED, "nobody listens");
      system.runUntilIdle();
    }
    assertEquals(2, host.attempts.size());
    assertEquals(HostFailure.Kind.REFUSED, failure().kind());
  }

  @Test
  void tooManyPeersAreTrimmedTheLightestFirstExceptProtectedAndYoungOnes() {
    connections = spawn(limits(1, 1, 2, 3, 2));
    List<PeerId> old = PEERS.subList(6, 9);
    old.forEach(host::accept);
    system.runUntilIdle();
    connections.tell(new Connections.Protect(old.get(0), "bootstrap"));
    connections.tell(new Connections.Tag(old.get(1), "mesh", 5));
    system.advance(Duration.ofSeconds(20));
    assertEquals(List.of(), host.disconnected);
    host.accept(PEERS.get(9));
    system.runUntilIdle();
    // Four are connected, two may stay: the protected and the newest ones are not to choose from.
    assertEquals(
        List.of(old.get(2), old.get(1)),
        host.disconnected.stream().map(ConnectionInfo::peer).toList());
  }

  @Test
  void connectionsAreCountedNotPeers() {
    connections = spawn(limits(1, 1, 2, 3, 2));
    PeerId twice = PEERS.get(0);
    host.accept(twice);
    host.accept(twice);
    host.accept(CAROL);
    system.runUntilIdle();
    connections.tell(new Connections.Tag(CAROL, "mesh", 1));
    system.advance(Duration.ofSeconds(20));
    host.accept(PEERS.get(8));
    system.runUntilIdle();
    assertEquals(List.of(twice, twice), trimmed());
  }

  @Test
  void tooManyYoungConnectionsAreTrimmedWhenTheyHaveGrownOldThoughNobodyElseComes() {
    connections = spawn(limits(1, 1, 2, 3, 2));
    PEERS.subList(6, 10).forEach(host::reach);
    system.runUntilIdle();
    system.advance(Duration.ofSeconds(19));
    assertEquals(List.of(), trimmed());
    // The timer runs every ten seconds while there are too many.
    system.advance(Duration.ofSeconds(1));
    assertEquals(List.of(PEERS.get(9), PEERS.get(8)), trimmed());
    system.advance(Duration.ofMinutes(10));
    assertEquals(2, connected().size());
  }

  @Test
  void aProtectionTakenBackMakesRoomAtTheNextTrimming() {
    connections = spawn(limits(1, 1, 2, 1, 1));
    connections.tell(new Connections.Protect(BOB, "bootstrap"));
    connections.tell(new Connections.Protect(CAROL, "bootstrap"));
    system.runUntilIdle();
    host.accept(BOB);
    host.accept(CAROL);
    system.runUntilIdle();
    system.advance(Duration.ofMinutes(5));
    assertEquals(List.of(), trimmed());
    connections.tell(new Connections.Unprotect(BOB, "bootstrap"));
    system.runUntilIdle();
    system.advance(Duration.ofSeconds(10));
    assertEquals(List.of(BOB), trimmed());
  }

  @Test
  void whatHasBeenToldToCloseIsNotCountedAgain() {
    connections = spawn(limits(1, 1, 2, 3, 2));
    PEERS.subList(0, 3).forEach(host::accept);
    system.runUntilIdle();
    system.advance(Duration.ofSeconds(20));
    // The end of what is closed comes late.
    host.slowToDisconnect = true;
    host.accept(BOB);
    system.runUntilIdle();
    assertEquals(2, trimmed().size());
    host.accept(CAROL);
    system.runUntilIdle();
    assertEquals(2, trimmed().size());
  }

  @Test
  void remotesCannotFillThePlacesThatAreKeptForOurOwnDials() {
    connections = spawn(halfForInbound(6, 4));
    // Twice the upper mark of three may come while they are young.
    List<PeerId> early = PEERS.subList(0, 6);
    early.forEach(host::accept);
    system.runUntilIdle();
    assertEquals(List.of(), trimmed());
    // One more has to go; nobody hears of it.
    host.accept(BOB);
    system.runUntilIdle();
    assertEquals(List.of(BOB), trimmed());
    assertEquals(early, connected().stream().map(Connections.ConnectedPeer::peer).toList());
    // Whom we dial ourselves, and whom we have reason to want, is let in.
    connect(BOB, at(1));
    host.attempts.get(0).succeed(BOB);
    connections.tell(new Connections.Tag(CAROL, "mesh", 1));
    system.runUntilIdle();
    host.accept(CAROL);
    system.runUntilIdle();
    assertEquals(List.of(BOB), trimmed());
    assertEquals(8, connected().size());
    // Once they are old, what remotes opened is trimmed to its own low-water mark of two.
    system.advance(Duration.ofSeconds(30));
    List<PeerId> left = new ArrayList<>(early.subList(1, 6));
    Collections.reverse(left);
    left.add(0, BOB);
    assertEquals(left, trimmed());
  }

  @Test
  void aTagGivenExactlyIsTakenFromAllOthers() {
    connections = spawn(limits(1, 1, 2, 2, 1));
    host.accept(BOB);
    host.accept(CAROL);
    system.runUntilIdle();
    connections.tell(new Connections.TagExactly("mesh", 20, List.of(BOB)));
    connections.tell(new Connections.TagExactly("table", 5, List.of(CAROL)));
    connections.tell(new Connections.TagExactly("mesh", 20, List.of(CAROL)));
    connections.tell(new Connections.TagExactly("table", 5, List.of(BOB)));
    system.advance(Duration.ofSeconds(20));
    host.accept(PEERS.get(8));
    system.runUntilIdle();
    assertEquals(List.of(BOB, CAROL), trimmed());
  }

  @Test
  void aTagAndAProtectionTooManyCountForNothing() {
    connections = spawn(limits(1, 1, 2, 2, 1));
    host.accept(BOB);
    host.accept(CAROL);
    system.runUntilIdle();
    for (int i = 0; i < Connections.MAX_TAGS_PER_PEER; i++) {
      connections.tell(new Connections.Tag(BOB, "tag" + i, 0));
      connections.tell(new Connections.Protect(BOB, "tag" + i));
    }
    connections.tell(new Connections.Tag(BOB, "one more", 100));
    connections.tell(new Connections.Protect(BOB, "one more"));
    for (int i = 0; i < Connections.MAX_TAGS_PER_PEER; i++) {
      connections.tell(new Connections.Unprotect(BOB, "tag" + i));
    }
    connections.tell(new Connections.Tag(CAROL, "mesh", 1));
    system.advance(Duration.ofSeconds(20));
    host.accept(PEERS.get(8));
    system.runUntilIdle();
    assertEquals(
        List.of(BOB, CAROL), host.disconnected.stream().map(ConnectionInfo::peer).toList());
  }

  // ---- two connections to one peer

  @Test
  void simultaneousDialsDoNotFlap() {
    // Ours and theirs meet: both stay, and are one connected peer.
    connect(BOB, at(1));
    ConnectionInfo ours = host.attempts.get(0).succeed(BOB);
    ConnectionInfo theirs = host.accept(BOB);
    host.streams.put(ours.id(), 1);
    host.streams.put(theirs.id(), 1);
    system.advance(Duration.ofMinutes(9));
    assertEquals(List.of(), host.disconnected);
    assertEquals(2, connected().get(0).connections());
    // Once the surplus has been idle at two checks in a row, the smaller peer id closes it.
    host.streams.put(theirs.id(), 0);
    system.advance(Duration.ofSeconds(10));
    assertEquals(List.of(), host.disconnected);
    system.advance(Duration.ofSeconds(10));
    assertEquals(List.of(theirs), host.disconnected);
    events.expect(ConnectionsEvent.PeerConnected.class);
    events.expectNone();
  }

  @Test
  void aSurplusInUseStaysForAsLongAsItIsInUse() {
    ConnectionInfo first = host.accept(BOB);
    ConnectionInfo second = host.accept(BOB);
    host.streams.put(first.id(), 1);
    host.streams.put(second.id(), 1);
    system.runUntilIdle();
    system.advance(Duration.ofHours(2));
    assertEquals(List.of(), host.disconnected);
    host.streams.put(second.id(), 0);
    system.advance(Duration.ofSeconds(20));
    assertEquals(List.of(second), host.disconnected);
  }

  @Test
  void theLargerPeerIdLeavesTheSurplusToTheOther() {
    PeerId smaller = PEERS.get(0);
    host.accept(smaller);
    host.accept(smaller);
    system.runUntilIdle();
    system.advance(Duration.ofHours(2));
    assertEquals(List.of(), host.disconnected);
  }

  @Test
  void aPeerIsDisconnectedWithItsLastConnection() {
    ConnectionInfo first = host.accept(BOB);
    ConnectionInfo second = host.accept(BOB);
    system.runUntilIdle();
    events.expect(ConnectionsEvent.PeerConnected.class);
    host.lose(first);
    system.runUntilIdle();
    events.expectNone();
    host.lose(second);
    system.runUntilIdle();
    events.expect(ConnectionsEvent.PeerDisconnected.class);
  }

  // ---- the end

  @Test
  void whatWasAskedBeforeTheEndIsAnsweredAndWhoeverWaitsIsToldOfIt() {
    connect(BOB, at(1));
    host.accept(CAROL);
    Probe<Connections.ConnectedPeers> asked = system.probe("asked");
    connections.tell(new Connections.GetConnected(asked.ref()));
    connections.tell(new Connections.Connect(CAROL, List.of(), replies.ref()));
    connections.tell(new Connections.Stop());
    system.runUntilIdle();
    assertEquals(CAROL, asked.next().peers().get(0).peer());
    assertEquals(CAROL, replies.expect(Connections.Connected.class).peer());
    assertEquals(HostFailure.Kind.CLOSED, failure().kind());
    assertTrue(host.attempts.get(0).cancelled);
    assertTrue(system.hasStopped(connections));
  }

  // ---- a crash

  @Test
  void aCrashAnswersThoseWhoWaitAndKeepsSubscribersAndPicture() {
    ConnectionInfo lost = host.accept(CAROL);
    host.accept(PEERS.get(8));
    connect(BOB, at(1));
    system.runUntilIdle();
    events.expect(ConnectionsEvent.PeerConnected.class);
    events.expect(ConnectionsEvent.PeerConnected.class);
    // Carol's end is lost in the crash.
    host.silently(() -> host.lose(lost));
    connections.tell(new Connections.GetConnected(null));
    system.runUntilIdle();
    assertEquals(HostFailure.Kind.CANCELLED, failure().kind());
    assertTrue(host.attempts.get(0).cancelled);
    assertEquals(CAROL, events.expect(ConnectionsEvent.PeerDisconnected.class).peer());
    events.expectNone();
    assertEquals(PEERS.get(8), connected().get(0).peer());
    host.accept(BOB);
    system.runUntilIdle();
    assertEquals(BOB, events.expect(ConnectionsEvent.PeerConnected.class).peer());
  }

  @Test
  void whoListensFromIdentifyOnHearsOfNoConnectionBefore() {
    ConnectionInfo known = host.accept(BOB);
    host.hears.accept(new HostEvent.Identified(known, identification(false, at(3))));
    host.accept(CAROL);
    Probe<ConnectionsEvent> own = system.probe("own");
    connections.tell(new Connections.Subscribe(own.ref(), Connections.From.IDENTIFIED));
    ConnectionsEvent.PeerIdentified bob = own.expect(ConnectionsEvent.PeerIdentified.class);
    assertEquals(BOB, bob.peer());
    assertEquals(Direction.INBOUND, bob.direction());
    own.expectNone();
    ConnectionInfo made = host.accept(PEERS.get(8));
    own.expectNone();
    host.hears.accept(new HostEvent.Identified(made, identification(false, at(4))));
    assertEquals(PEERS.get(8), own.expect(ConnectionsEvent.PeerIdentified.class).peer());
    host.lose(made);
    own.expect(ConnectionsEvent.PeerDisconnected.class);
  }

  @Test
  void whoSubscribesHearsOfThoseWhoAreConnectedAndWhoStopsHearsNoMore() {
    host.accept(BOB);
    Probe<ConnectionsEvent> late = system.probe("late");
    connections.tell(new Connections.Subscribe(late.ref(), Connections.From.CONNECTED));
    assertEquals(BOB, late.expect(ConnectionsEvent.PeerConnected.class).peer());
    system.stop(late.ref());
    host.accept(CAROL);
    system.runUntilIdle();
    assertEquals(2, connected().size());
  }
}
