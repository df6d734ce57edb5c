package dev.troupe.actors.dht;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht.Reason;
import dev.troupe.actors.dht.Query.Outcome;
import dev.troupe.actors.host.Stream;
import dev.troupe.protocol.kademlia.DisjointPaths;
import dev.troupe.protocol.kademlia.Distance;
import dev.troupe.protocol.kademlia.IterativeLookup;
import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Step;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.PeerMemory;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.kademlia.Walk;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * One query: walks towards a key, asking the nearest peers it hears of, and then places a record
 * with the nearest, if the {@link Query} has one.
 *
 * <p>Owns: the walk ({@link Walk}), the query's findings, and one {@link Exchange} for each peer
 * being asked.
 *
 * <p>Parent: the {@link Dht}, which hears of each peer that failed ({@link Unresponsive}) or could
 * not be reached in time ({@link Delayed}), and of the end ({@link Finished}, exactly once), with
 * those who answered and the streams that remotes have yet to close. No children.
 *
 * <p>States: <i>Walking</i> (on which some may be sent the record already), <i>Placing</i>; each
 * may be skipped, and the deadline ends both with what has been found by then.
 *
 * <p>Talks to: Connections (to be connected to whom it asks), the Host (streams), the AddressBook
 * (what it learns of addresses).
 *
 * <p>Limits: {@code parallelism} exchanges at a time, beside those that are late and those, at most
 * {@code replication}, that place something on the way; {@code requestsPerLookup} peers in all; the
 * nearest {@code replication} of those that an answer names.
 *
 * <p>Timers: one deadline for all; one for each exchange, {@code connect} until its stream is open
 * and {@code request} from then on, and {@link #TIME_A_RECORD} more for each record of a parcel but
 * one; that begins anew whenever the remote takes more of it. Whoever could not be asked within the
 * first is passed over, and not blamed. Its dial goes on for as long as we do: it belongs to
 * Connections, has its own budget, and may be shared. At the end of the walk and of the lookup,
 * what is dialled for them is withdrawn.
 *
 * <p>On the way, an exchange is <i>late</i> sooner than that, once it has taken longer than what
 * was measured before lets expect ({@link PeerMemory}; {@code floor} at least): the walk goes on
 * without it, and waits for it only where nobody else is left. So a dead peer costs a few round
 * trips, and a slow one is heard all the same. Who was asked, and is late when the walk ends, has
 * failed to answer. Placing a record knows no such haste: how long a disk takes was not measured.
 *
 * <p>A crash loses its findings. It is not restarted: the Dht notices, and answers the operation
 * with {@code CRASHED}.
 */
final class Lookup {

  /** What a lookup is told, all of it by what it started itself. */
  sealed interface Command permits Exchange.Signal, Connected, Overdue, DeadlinePassed {}

  /** What a lookup tells its {@link Dht}. */
  sealed interface Event {}

  /**
   * A peer that should have answered did not, or not what it should.
   *
   * @param unreachableAt where it was dialled in vain, beside what the address book knows; null if
   *     it was reached
   */
  record Unresponsive(PeerId peer, String message, @Nullable List<Multiaddr> unreachableAt)
      implements Event {}

  /**
   * A connection to a peer, or a stream, takes longer than the lookup waits; or the connection went
   * away.
   *
   * @param dialledAt where it is dialled, beside what the address book knows; null if it was
   *     connected
   */
  record Delayed(PeerId peer, @Nullable List<Multiaddr> dialledAt) implements Event {}

  /**
   * A peer answered a question on the way.
   *
   * @param dialled how long it took to be connected and to open a stream; null if it was connected
   * @param took how long it took to answer
   */
  record Answer(PeerId peer, @Nullable Duration dialled, Duration took) {}

  /**
   * It is over; nothing follows.
   *
   * @param answered who answered what was asked on the way, in that order
   * @param target where it led
   * @param walked how the walk went, if there was one
   * @param unclosed streams on which peers have responded, which we have closed and they have not;
   *     at most one for each peer asked and one for each parcel of records
   */
  record Finished(
      long lookup,
      Outcome outcome,
      List<Answer> answered,
      Key target,
      Optional<Step.Finished> walked,
      List<Stream> unclosed)
      implements Event {
    Finished {
      answered = List.copyOf(answered);
      unclosed = List.copyOf(unclosed);
    }
  }

  /** Connections replied. */
  private record Connected(Connections.ConnectReply reply) implements Command {}

  /** A peer has been waited for, or asked, for longer than usual, or as long as may be. */
  private record Overdue(long exchange) implements Command {}

  /** The lookup has taken as long as it may. */
  private record DeadlinePassed() implements Command {}

  /** How long an address that another peer named is worth trying. */
  static final Duration DISCOVERED_TIME_TO_LIVE = Duration.ofMinutes(30);

  /** What a remote may need to keep one record of a parcel; a slow disk syncs in less. */
  static final Duration TIME_A_RECORD = Duration.ofMillis(50);

  private static final String DEADLINE = "deadline";

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final DhtEnvironment environment;
  private final long id;
  private final Query query;
  private final ActorRef<Event> parent;
  private final PeerMemory.Snapshot memory;
  private final Walk walk;
  private final long begunAt;
  private final long deadline;
  private final ActorRef<Connections.ConnectReply> connectReplies;
  private final Behavior<Command> walking;
  private final Behavior<Command> placing;

  /** Where those that were named listen. */
  private final Map<PeerId, List<Multiaddr>> addresses = new LinkedHashMap<>();

  private final Map<Long, Exchange> exchanges = new LinkedHashMap<>();

  /** Those of them that place something while the walk goes on. */
  private final Set<Long> early = new LinkedHashSet<>();

  /** Those that are over, but whose stream the remote had yet to close. */
  private final List<Exchange> parting = new ArrayList<>();

  private final List<Answer> answered = new ArrayList<>();

  /** Those that were asked and had to be dialled. */
  private final Set<PeerId> dialled = new LinkedHashSet<>();

  /** Who could not be reached in time, while the dial goes on. */
  private final Set<PeerId> late = new LinkedHashSet<>();

  private final Deque<Query.Parcel> unplaced = new ArrayDeque<>();
  private long lastExchange;
  private Optional<Step.Finished> walked = Optional.empty();
  private boolean isPlacing;
  private int placed;

  /** Whether somebody was handed the record on the way there. */
  private boolean triedToPlace;

  /**
   * A lookup that begins at once.
   *
   * @param id what {@link Finished} will bear
   * @param seeds whom to ask first
   * @param budget how long it may take in all
   * @param memory how peers have answered before
   */
  static Behavior<Command> create(
      DhtEnvironment environment,
      long id,
      Query query,
      List<PeerInfo> seeds,
      Duration budget,
      PeerMemory.Snapshot memory,
      ActorRef<Event> parent) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new Lookup(
                            context, timers, environment, id, query, seeds, budget, memory, parent)
                        .begin(budget, seeds)));
  }

  private Lookup(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      DhtEnvironment environment,
      long id,
      Query query,
      List<PeerInfo> seeds,
      Duration budget,
      PeerMemory.Snapshot memory,
      ActorRef<Event> parent) {
    this.context = context;
    this.timers = timers;
    this.environment = environment;
    this.id = id;
    this.query = query;
    this.memory = memory;
    this.parent = parent;
    this.connectReplies = context.messageAdapter(Connections.ConnectReply.class, Connected::new);
    this.begunAt = environment.now();
    this.deadline = begunAt + budget.toNanos();
    seeds.forEach(seed -> addresses.put(seed.peer(), seed.addresses()));
    this.walking = walking();
    this.placing = placing();
    this.walk =
        walk(
            seeds.stream().map(PeerInfo::peer).toList(),
            environment.now() + walkingTime(budget).toNanos());
  }

  private Walk walk(List<PeerId> seeds, long until) {
    DhtSettings settings = environment.settings();
    IterativeLookup.Settings bounds =
        new IterativeLookup.Settings(
            settings.parallelism(), settings.replication(), settings.limits().requestsPerLookup());
    Key target = Key.of(query.question().key());
    int paths = settings.lookup().disjointPaths();
    return paths == 1
        ? new IterativeLookup(bounds, target, seeds, until, new Remembered())
        : new DisjointPaths(paths, bounds, target, seeds, until, new Remembered());
  }

  /** What is expected of peers is what is remembered of them. */
  private final class Remembered implements IterativeLookup.Expectations {

    @Override
    public boolean isHeldBack(PeerId peer) {
      return memory.isHeldBack(
          peer,
          addresses.getOrDefault(peer, List.of()),
          () -> !environment.host().connections(peer).isEmpty(),
          environment.now());
    }

    @Override
    public long nanos(PeerId peer) {
      return memory.usualNanos(peer);
    }
  }

  // States

  private Behavior<Command> begin(Duration budget, List<PeerInfo> seeds) {
    if (query.isDirect()) {
      List<PeerId> all = seeds.stream().map(PeerInfo::peer).toList();
      return place(query.parcels(new Step.Finished(Ending.CONVERGED, all, 0, 0)));
    }
    timers.startSingleTimer(DEADLINE, new DeadlinePassed(), walkingTime(budget));
    return proceed();
  }

  /** Getting nearer. */
  private Behavior<Command> walking() {
    return Behaviors.receive(Command.class)
        .onMessage(Connected.class, connected -> onConnected(connected, this::onAskingFailed))
        .onMessage(
            Exchange.Signal.class, signal -> onSignal(signal, this::onAnswer, this::onAskingFailed))
        .onMessage(Overdue.class, this::onOverdueOnTheWay)
        .onMessage(DeadlinePassed.class, unused -> onWalked(walk.expire()))
        .onSignal(PostStop.class, unused -> onStopped())
        .build();
  }

  /** Handing the record to the nearest. */
  private Behavior<Command> placing() {
    return Behaviors.receive(Command.class)
        .onMessage(Connected.class, connected -> onConnected(connected, this::onPlacingFailed))
        .onMessage(
            Exchange.Signal.class,
            signal -> onSignal(signal, this::onPlaced, this::onPlacingFailed))
        .onMessage(Overdue.class, overdue -> onOverdue(overdue, this::onPlacingFailed))
        .onMessage(DeadlinePassed.class, unused -> onPlacementEnded(Reason.TIMED_OUT))
        .onSignal(PostStop.class, unused -> onStopped())
        .build();
  }

  // The way there

  /** Asks whoever is to be asked next, until there is nothing to do but wait, or nothing at all. */
  private Behavior<Command> proceed() {
    if (query.isSatisfied()) {
      return onWalked(walk.finish());
    }
    return walk.next(environment.now())
        .match(
            ask -> {
              ask(ask.peer());
              return proceed();
            },
            wait -> walking,
            this::onWalked);
  }

  private Behavior<Command> onAnswer(Exchange exchange, KademliaMessage answer) {
    if (early.remove(exchange.number())) {
      countPlaced(exchange, answer);
      return proceed();
    }
    PeerId peer = exchange.peer();
    List<PeerInfo> closer = worthWalkingTo(answer.closerPeers());
    query.onAnswer(peer, answer);
    answered.add(
        new Answer(
            peer,
            dialled.contains(peer) ? exchange.openedAfter() : null,
            exchange.waited(environment.now())));
    closer.forEach(info -> addresses.putIfAbsent(info.peer(), info.addresses()));
    walk.onSuccess(peer, closer.stream().map(PeerInfo::peer).toList());
    query.onTheWay(peer).ifPresent(this::placeOnTheWay);
    return proceed();
  }

  private void placeOnTheWay(Query.Parcel parcel) {
    Exchange exchange = send(parcel);
    early.add(exchange.number());
    triedToPlace = true;
    startTimer(exchange, longest(exchange));
  }

  private Behavior<Command> onAskingFailed(Exchange exchange, Exchange.End.Failed failed) {
    if (early.remove(exchange.number())) {
      logRefusal(exchange, failed);
      return proceed();
    }
    PeerId peer = exchange.peer();
    switch (failed.verdict()) {
      case BLAMED -> {
        List<Multiaddr> unreachableAt = exchange.hasBegun() ? null : addressesOf(peer);
        parent.tell(new Unresponsive(peer, failed.message(), unreachableAt));
      }
      case CONNECTION_LOST -> parent.tell(new Delayed(peer, null));
      case BLAMELESS -> {}
    }
    walk.onFailure(peer);
    return proceed();
  }

  /**
   * Whoever takes longer than usual is passed over, and waited for all the same, as long as one may
   * be: it may be needed in the end.
   */
  private Behavior<Command> onOverdueOnTheWay(Overdue overdue) {
    Exchange exchange = exchanges.get(overdue.exchange());
    if (exchange == null) {
      return Behaviors.same();
    }
    Duration left = longest(exchange).minus(exchange.waited(environment.now()));
    if (left.isZero() || left.isNegative() || early.contains(overdue.exchange())) {
      return onOverdue(overdue, this::onAskingFailed);
    }
    timers.startSingleTimer(overdue.exchange(), overdue, left);
    if (!exchange.hasAsked() && !exchange.isLate()) {
      tellDelayed(exchange);
    }
    exchange.becomeLate();
    walk.onLate(exchange.peer());
    return proceed();
  }

  private Behavior<Command> onWalked(Step.Finished end) {
    walked = Optional.of(end);
    // Who took longer than usual, and had as much time as was left, is not let off.
    exchanges.values().stream()
        .filter(exchange -> exchange.hasAsked() && exchange.isLate() && !isEarly(exchange))
        .forEach(
            exchange -> parent.tell(new Unresponsive(exchange.peer(), "no answer in time", null)));
    cancelExchanges("the walk is over", exchange -> !isEarly(exchange));
    if (query.isWalk()) {
      environment
          .world()
          .onWalked(end.asked(), walk.hops(), Duration.ofNanos(environment.now() - begunAt));
    }
    List<Query.Parcel> parcels = query.parcels(end);
    return parcels.isEmpty() && !triedToPlace ? finish(query.conclude(end)) : place(parcels);
  }

  private boolean isEarly(Exchange exchange) {
    return early.contains(exchange.number());
  }

  // What is left there

  private Behavior<Command> place(List<Query.Parcel> parcels) {
    timers.startSingleTimer(
        DEADLINE, new DeadlinePassed(), Duration.ofNanos(deadline - environment.now()));
    unplaced.addAll(parcels);
    isPlacing = true;
    return place();
  }

  private Behavior<Command> place() {
    while (exchanges.size() < environment.settings().parallelism() && !unplaced.isEmpty()) {
      Exchange exchange = send(unplaced.remove());
      startTimer(exchange, longest(exchange));
    }
    return exchanges.isEmpty() ? onPlacementEnded(Reason.REJECTED) : placing;
  }

  private Behavior<Command> onPlaced(Exchange exchange, KademliaMessage response) {
    countPlaced(exchange, response);
    return place();
  }

  private void countPlaced(Exchange exchange, KademliaMessage response) {
    if (isAcknowledgement(exchange.requests().get(0), response)) {
      placed++;
      query.onPlaced(new Query.Parcel(exchange.peer(), exchange.requests()));
    }
  }

  /** Who refuses a record is not unresponsive: it answered a moment ago. */
  private Behavior<Command> onPlacingFailed(Exchange exchange, Exchange.End.Failed failed) {
    logRefusal(exchange, failed);
    return place();
  }

  private void logRefusal(Exchange exchange, Exchange.End.Failed failed) {
    context
        .getLog()
        .atDebug()
        .addKeyValue("lookup", id)
        .addKeyValue("peer", exchange.peer())
        .addKeyValue("reason", failed.message())
        .log("A peer did not take the record");
  }

  private Behavior<Command> onPlacementEnded(Reason unlessPlaced) {
    return finish(query.placed(placed, unlessPlaced));
  }

  private static boolean isAcknowledgement(KademliaMessage request, KademliaMessage response) {
    ValueRecord sent = request.record();
    return sent == null
        || (response.record() != null && response.record().value().equals(sent.value()));
  }

  // Exchanges

  private void ask(PeerId peer) {
    Exchange exchange = send(new Query.Parcel(peer, List.of(query.question())));
    startTimer(exchange, usual(exchange));
  }

  private Exchange send(Query.Parcel parcel) {
    PeerId peer = parcel.peer();
    long number = ++lastExchange;
    Exchange exchange =
        new Exchange(number, peer, parcel.requests(), context.getSelf(), environment.now());
    exchanges.put(number, exchange);
    if (!environment.host().connections(peer).isEmpty()) {
      begin(exchange);
    } else {
      environment
          .connections()
          .tell(new Connections.Connect(peer, addressesOf(peer), connectReplies));
    }
    return exchange;
  }

  private List<Multiaddr> addressesOf(PeerId peer) {
    return addresses.getOrDefault(peer, List.of());
  }

  private void begin(Exchange exchange) {
    exchange.begin(environment.host(), environment.settings().protocol());
  }

  private Behavior<Command> onConnected(
      Connected connected, BiFunction<Exchange, Exchange.End.Failed, Behavior<Command>> onFailure) {
    late.remove(peerOf(connected.reply()));
    if (connected.reply() instanceof Connections.Connected success) {
      waitingToConnect(success.peer()).ifPresent(this::onDialled);
      return Behaviors.same();
    }
    Connections.ConnectFailed failed = (Connections.ConnectFailed) connected.reply();
    Optional<Exchange> waiting = waitingToConnect(failed.peer());
    if (waiting.isEmpty()) {
      return Behaviors.same(); // It was overdue before.
    }
    forget(waiting.get().number());
    return onFailure.apply(
        waiting.get(),
        new Exchange.End.Failed(failed.failure().message(), Exchange.verdictOn(failed.failure())));
  }

  private void onDialled(Exchange exchange) {
    dialled.add(exchange.peer());
    begin(exchange);
  }

  private Behavior<Command> onSignal(
      Exchange.Signal signal,
      BiFunction<Exchange, KademliaMessage, Behavior<Command>> onSuccess,
      BiFunction<Exchange, Exchange.End.Failed, Behavior<Command>> onFailure) {
    Exchange exchange = exchanges.get(signal.number());
    if (exchange == null) {
      return Behaviors.same(); // It was cancelled before.
    }
    Optional<Exchange.End> end = exchange.on(signal.event(), environment.now());
    if (end.isEmpty()) {
      if (signal.event() instanceof Exchange.Event.Opened
          || signal.event() instanceof Exchange.Event.Writable) {
        startTimer(exchange, isPlacing || isEarly(exchange) ? longest(exchange) : usual(exchange));
      }
      return Behaviors.same();
    }
    forget(signal.number());
    if (exchange.unclosed().isPresent()) {
      parting.add(exchange);
    }
    return end.get() instanceof Exchange.End.Responded responded
        ? onSuccess.apply(exchange, responded.response())
        : onFailure.apply(exchange, (Exchange.End.Failed) end.get());
  }

  private Behavior<Command> onOverdue(
      Overdue overdue, BiFunction<Exchange, Exchange.End.Failed, Behavior<Command>> onFailure) {
    Exchange exchange = exchanges.get(overdue.exchange());
    if (exchange == null) {
      return Behaviors.same();
    }
    if (!exchange.hasAsked() && !exchange.isLate()) {
      tellDelayed(exchange);
    }
    if (!exchange.hasBegun()) {
      late.add(exchange.peer());
    }
    String message = exchange.hasAsked() ? "no answer in time" : "no stream in time";
    exchange.cancel(message);
    forget(overdue.exchange());
    Exchange.Verdict verdict =
        exchange.hasAsked() ? Exchange.Verdict.BLAMED : Exchange.Verdict.BLAMELESS;
    return onFailure.apply(exchange, new Exchange.End.Failed(message, verdict));
  }

  private void tellDelayed(Exchange exchange) {
    PeerId peer = exchange.peer();
    parent.tell(new Delayed(peer, exchange.hasBegun() ? null : addressesOf(peer)));
  }

  private void startTimer(Exchange exchange, Duration patience) {
    timers.startSingleTimer(exchange.number(), new Overdue(exchange.number()), patience);
  }

  /** After so long the walk goes on without this one: what it waits for has usually happened. */
  private Duration usual(Exchange exchange) {
    Duration floor = environment.settings().timing().floor();
    return exchange.hasBegun()
        ? memory.timeToAnswer(exchange.peer(), floor, longest(exchange))
        : memory.timeToDial(floor, longest(exchange));
  }

  /** So long this one may wait for its stream, or then for the peer. */
  private Duration longest(Exchange exchange) {
    DhtSettings.Timing timing = environment.settings().timing();
    return exchange.hasAsked()
        ? timing.request().plus(TIME_A_RECORD.multipliedBy(exchange.requests().size() - 1))
        : timing.connect();
  }

  private static @Nullable PeerId peerOf(Connections.ConnectReply reply) {
    return reply instanceof Connections.Connected connected
        ? connected.peer()
        : ((Connections.ConnectFailed) reply).peer();
  }

  private Optional<Exchange> waitingToConnect(@Nullable PeerId peer) {
    return exchanges.values().stream()
        .filter(exchange -> exchange.peer().equals(peer) && !exchange.hasBegun())
        .findFirst();
  }

  private void forget(long number) {
    exchanges.remove(number);
    timers.cancel(number);
  }

  /** Dials that are under way for us go on only where somebody else wants them. */
  private void cancelExchanges(String reason, Predicate<Exchange> which) {
    List<Exchange> cancelled = exchanges.values().stream().filter(which).toList();
    for (Exchange exchange : cancelled) {
      exchange.cancel(reason);
      forget(exchange.number());
      if (!exchange.hasBegun()) {
        late.add(exchange.peer());
      }
    }
    late.forEach(
        peer -> environment.connections().tell(new Connections.Withdraw(peer, connectReplies)));
    late.clear();
  }

  private List<Stream> unclosed() {
    return parting.stream().flatMap(exchange -> exchange.unclosed().stream()).toList();
  }

  // Addresses

  /**
   * The nearest of those named, ourselves not among them: of a foreign bootstrap node's 200, too.
   */
  private List<PeerInfo> worthWalkingTo(List<PeerInfo> named) {
    PeerId self = environment.host().peerId();
    return named.stream()
        .filter(info -> !info.peer().equals(self))
        .map(info -> new Ranked(Key.of(info.peer()).distanceTo(walk.target()), info))
        .sorted(Comparator.comparing(Ranked::distance))
        .limit(environment.settings().replication())
        .map(Ranked::info)
        .toList();
  }

  private record Ranked(Distance distance, PeerInfo info) {}

  /**
   * Only what was looked for goes into the address book. Who was merely met on the way is dialled
   * at the addresses that this lookup keeps; if it answers, it says itself where it listens.
   */
  private void learn(Outcome outcome) {
    if (outcome instanceof Outcome.FoundPeer found) {
      learn(List.of(new PeerInfo(found.peer(), found.addresses())));
    } else if (outcome instanceof Outcome.FoundProviders found) {
      learn(found.providers());
    }
  }

  private void learn(List<PeerInfo> named) {
    PeerId self = environment.host().peerId();
    for (PeerInfo info : named) {
      if (!info.addresses().isEmpty() && !info.peer().equals(self)) {
        environment
            .addressBook()
            .tell(
                new AddressBook.Learn(
                    info.peer(),
                    info.addresses(),
                    AddressBook.Source.DISCOVERED,
                    DISCOVERED_TIME_TO_LIVE,
                    query.tellerOf(info.peer())));
      }
    }
  }

  // The end

  private Behavior<Command> finish(Outcome outcome) {
    cancelExchanges("the lookup is over", exchange -> true);
    learn(outcome);
    parent.tell(new Finished(id, outcome, answered, walk.target(), walked, unclosed()));
    parting.clear();
    return Behaviors.stopped();
  }

  private Behavior<Command> onStopped() {
    cancelExchanges("the DHT stops", exchange -> true);
    unclosed().forEach(stream -> stream.reset(0, "the DHT stops"));
    return Behaviors.same();
  }

  private Duration walkingTime(Duration budget) {
    Duration walk = query.walkingTime(environment.settings().timing().query());
    return budget.compareTo(walk) < 0 ? budget : walk;
  }
}
