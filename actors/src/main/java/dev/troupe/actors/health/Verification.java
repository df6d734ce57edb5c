package dev.troupe.actors.health;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.Readiness;
import dev.troupe.actors.health.Health.Step;
import dev.troupe.actors.health.Health.Verdict;
import dev.troupe.actors.health.Health.Verified;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.ping.Ping;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Finds out in six steps whether this peer and another can find each other: the routing table is
 * populated; a test key is published; the other finds it, by its own view of the network; other
 * peers are known; the other answers; and the other finds this peer as the provider of a key. Each
 * step has a result of its own, whatever became of those before it. Answers once, and stops.
 *
 * <p><b>Parent</b>: {@link Health}; stopping it before answers as well. <b>Limits</b>: {@value
 * #CANDIDATES} peers are asked whether they would be the other, where nobody is named.
 * <b>Timers</b>: the whole budget, after which the steps that are left have failed; the time to
 * answer of one candidate.
 */
final class Verification extends AbstractBehavior<Verification.Command> {

  /** For all of it; each operation of the DHT has a budget of its own below that. */
  static final Duration BUDGET = Duration.ofSeconds(60);

  /** For one candidate to connect and to answer a ping; and for the named partner. */
  static final Duration ANSWER = Duration.ofSeconds(10);

  /** How many are asked at most where nobody is named. */
  static final int CANDIDATES = 3;

  /** How many providers of the test key are looked for: nobody else should be one. */
  private static final int PROVIDERS = 3;

  sealed interface Command {}

  private record TableHeard(Dht.Table table) implements Command {}

  private record ConnectedHeard(Connections.ConnectedPeers connected) implements Command {}

  private record ConnectEnded(Connections.ConnectReply reply) implements Command {}

  private record PingEnded(PeerId peer, @Nullable Duration roundTrip, String failure)
      implements Command {}

  private record NoAnswer(PeerId peer) implements Command {}

  private record PutEnded(Dht.PutValueReply reply) implements Command {}

  private record GetEnded(Dht.GetValueReply reply) implements Command {}

  private record ProvideEnded(Dht.ProvideReply reply) implements Command {}

  private record FindEnded(Dht.FindProvidersReply reply) implements Command {}

  private record BudgetSpent() implements Command {}

  /**
   * A verification.
   *
   * @param wanted the partner; null for any that answers
   * @param bootstraps are taken as partners only where there is nobody else
   */
  static Behavior<Command> create(
      @Nullable PeerId wanted,
      World world,
      Host host,
      ActorRef<Connections.Command> connections,
      ActorRef<Dht.Command> dht,
      List<PeerId> bootstraps,
      ActorRef<Health.VerifyReply> replyTo) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new Verification(
                        context,
                        timers,
                        wanted,
                        world,
                        host,
                        connections,
                        dht,
                        bootstraps,
                        replyTo)));
  }

  private final TimerScheduler<Command> timers;
  private final @Nullable PeerId wanted;
  private final World world;
  private final Host host;
  private final ActorRef<Connections.Command> connections;
  private final ActorRef<Dht.Command> dht;
  private final List<PeerId> bootstraps;
  private final ActorRef<Health.VerifyReply> replyTo;
  private final ActorRef<Connections.ConnectReply> connectReplies;
  private final Bytes key;
  private final Multihash content;
  private final List<Step> steps = new ArrayList<>();
  private final Deque<PeerId> candidates = new ArrayDeque<>();
  private List<PeerId> table = List.of();
  private Set<PeerId> known = new LinkedHashSet<>();
  private @Nullable Cancellable ping;
  private @Nullable PeerId partner;

  /** What came of the ping that chose the partner: the step that reports it comes later. */
  private boolean reached;

  private Duration reaching = Duration.ZERO;
  private String reachDetail = "";
  private long stepBegunAt;
  private boolean provided;
  private boolean answered;

  private Verification(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      @Nullable PeerId wanted,
      World world,
      Host host,
      ActorRef<Connections.Command> connections,
      ActorRef<Dht.Command> dht,
      List<PeerId> bootstraps,
      ActorRef<Health.VerifyReply> replyTo) {
    super(context);
    this.timers = timers;
    this.wanted = wanted;
    this.world = world;
    this.host = host;
    this.connections = connections;
    this.dht = dht;
    this.bootstraps = bootstraps;
    this.replyTo = replyTo;
    this.connectReplies = context.messageAdapter(Connections.ConnectReply.class, ConnectEnded::new);
    this.key = ReadinessProbe.key(host.peerId());
    this.content = Multihash.sha256(world.crypto(), key);
    this.stepBegunAt = now();
    timers.startSingleTimer(new BudgetSpent(), BUDGET);
    dht.tell(new Dht.GetTable(context.messageAdapter(Dht.Table.class, TableHeard::new)));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(TableHeard.class, this::onTable)
        .onMessage(ConnectedHeard.class, this::onConnected)
        .onMessage(ConnectEnded.class, this::onConnectEnded)
        .onMessage(PingEnded.class, this::onPingEnded)
        .onMessage(NoAnswer.class, this::onNoAnswer)
        .onMessage(PutEnded.class, this::onPutEnded)
        .onMessage(GetEnded.class, this::onGetEnded)
        .onMessage(ProvideEnded.class, this::onProvideEnded)
        .onMessage(FindEnded.class, this::onFindEnded)
        .onMessage(BudgetSpent.class, spent -> conclude("time ran out"))
        .onSignal(PostStop.class, stop -> onPostStop())
        .build();
  }

  private long now() {
    return world.ticker().nanos();
  }

  // The routing table, and somebody to verify with

  private Behavior<Command> onTable(TableHeard heard) {
    table = heard.table().peers();
    known.addAll(table);
    end(!table.isEmpty(), peers(table.size()) + " in the routing table");
    connections.tell(
        new Connections.GetConnected(
            getContext().messageAdapter(Connections.ConnectedPeers.class, ConnectedHeard::new)));
    return this;
  }

  private Behavior<Command> onConnected(ConnectedHeard heard) {
    List<PeerId> connected =
        heard.connected().peers().stream().map(Connections.ConnectedPeer::peer).toList();
    known.addAll(connected);
    if (wanted != null) {
      candidates.add(wanted);
    } else {
      Set<PeerId> preferred = new LinkedHashSet<>(connected);
      preferred.retainAll(table);
      preferred.addAll(table);
      preferred.removeAll(bootstraps);
      preferred.addAll(table);
      preferred.stream().limit(CANDIDATES).forEach(candidates::add);
    }
    return nextCandidate();
  }

  private Behavior<Command> nextCandidate() {
    PeerId next = candidates.poll();
    if (next == null) {
      if (wanted == null) {
        return conclude("there are no other peers to verify with yet");
      }
      partner = wanted;
      return publish();
    }
    stepBegunAt = now();
    timers.startSingleTimer(next, new NoAnswer(next), ANSWER);
    connections.tell(new Connections.Connect(next, List.of(), connectReplies));
    return this;
  }

  private Behavior<Command> onConnectEnded(ConnectEnded ended) {
    if (ended.reply() instanceof Connections.ConnectFailed failed) {
      PeerId peer = failed.peer();
      return peer == null ? this : lose(peer, failed.failure().message());
    }
    PeerId peer = ((Connections.Connected) ended.reply()).peer();
    if (!timers.isTimerActive(peer)) {
      return this;
    }
    ActorRef<Command> self = getContext().getSelf();
    ping =
        Ping.run(
            host,
            world.ticker(),
            world.keyMaterial(),
            peer,
            1,
            new Completion<>() {
              @Override
              public void succeeded(List<Long> roundTrips) {
                self.tell(new PingEnded(peer, Duration.ofNanos(roundTrips.get(0)), ""));
              }

              @Override
              public void failed(HostFailure failure) {
                self.tell(new PingEnded(peer, null, failure.message()));
              }
            });
    return this;
  }

  private Behavior<Command> onPingEnded(PingEnded ended) {
    if (!timers.isTimerActive(ended.peer())) {
      return this;
    }
    Duration roundTrip = ended.roundTrip();
    if (roundTrip == null) {
      return lose(ended.peer(), ended.failure());
    }
    timers.cancel(ended.peer());
    partner = ended.peer();
    reached = true;
    reaching = Duration.ofNanos(now() - stepBegunAt);
    reachDetail = "it answers a ping of ours, in " + roundTrip.toNanos() / 1000 + " µs";
    return publish();
  }

  private Behavior<Command> onNoAnswer(NoAnswer late) {
    connections.tell(new Connections.Withdraw(late.peer(), connectReplies));
    return lose(late.peer(), "no answer within " + ANSWER.toSeconds() + " s");
  }

  private Behavior<Command> lose(PeerId peer, String why) {
    if (ping != null) {
      ping.cancel();
    }
    timers.cancel(peer);
    reaching = Duration.ofNanos(now() - stepBegunAt);
    reachDetail = why;
    return nextCandidate();
  }

  // The steps with others

  private Behavior<Command> publish() {
    stepBegunAt = now();
    dht.tell(
        new Dht.PutValue(
            key,
            key,
            Readiness.FAIL_FAST,
            getContext().messageAdapter(Dht.PutValueReply.class, PutEnded::new)));
    return this;
  }

  private Behavior<Command> onPutEnded(PutEnded ended) {
    if (ended.reply() instanceof Dht.ValuePut put) {
      end(true, "a test key was stored with " + peers(put.peers()));
    } else {
      end(false, messageOf(ended.reply()));
    }
    dht.tell(
        new Dht.GetValue(
            key,
            partner,
            Readiness.FAIL_FAST,
            getContext().messageAdapter(Dht.GetValueReply.class, GetEnded::new)));
    return this;
  }

  private Behavior<Command> onGetEnded(GetEnded ended) {
    if (ended.reply() instanceof Dht.ValueGot) {
      end(true, partner + " finds the test key");
    } else {
      end(false, messageOf(ended.reply()));
    }
    end(
        !known.isEmpty(),
        known.isEmpty() ? "nobody is known" : peers(known.size()) + " known: " + first(known));
    steps.add(new Step(Health.STEPS.get(4), reached, reaching, partner + ": " + reachDetail));
    stepBegunAt = now();
    provided = true;
    dht.tell(
        new Dht.Provide(
            content,
            false,
            Readiness.FAIL_FAST,
            getContext().messageAdapter(Dht.ProvideReply.class, ProvideEnded::new)));
    return this;
  }

  private Behavior<Command> onProvideEnded(ProvideEnded ended) {
    if (ended.reply() instanceof Dht.OperationFailed failed) {
      end(false, failed.message());
      return conclude("");
    }
    dht.tell(
        new Dht.FindProviders(
            content,
            PROVIDERS,
            partner,
            Readiness.FAIL_FAST,
            getContext().messageAdapter(Dht.FindProvidersReply.class, FindEnded::new)));
    return this;
  }

  private Behavior<Command> onFindEnded(FindEnded ended) {
    if (ended.reply() instanceof Dht.ProvidersFound found) {
      boolean named =
          found.providers().stream().anyMatch(each -> each.peer().equals(host.peerId()));
      end(
          named,
          partner + (named ? " finds this peer" : " does not find this peer") + " as a provider");
    } else {
      end(false, messageOf(ended.reply()));
    }
    return conclude("");
  }

  // The end

  /** The step that is under way has ended, and the next one begins. */
  private void end(boolean ok, String detail) {
    Duration took = Duration.ofNanos(now() - stepBegunAt);
    steps.add(new Step(Health.STEPS.get(steps.size()), ok, took, detail));
    stepBegunAt = now();
  }

  private Behavior<Command> conclude(String whyNoMore) {
    answer(whyNoMore);
    return Behaviors.stopped();
  }

  private Behavior<Command> onPostStop() {
    if (provided) {
      dht.tell(new Dht.StopProviding(content, getContext().getSystem().ignoreRef()));
    }
    if (ping != null) {
      ping.cancel();
    }
    answer("it ended before");
    return this;
  }

  private void answer(String whyNoMore) {
    if (answered) {
      return;
    }
    answered = true;
    for (int i = steps.size(); i < Health.STEPS.size(); i++) {
      steps.add(new Step(Health.STEPS.get(i), false, Duration.ZERO, whyNoMore));
    }
    replyTo.tell(new Verified(partner, verdict(), steps));
  }

  private Verdict verdict() {
    if (partner == null) {
      return Verdict.UNKNOWN;
    } else if (steps.stream().allMatch(Step::ok)) {
      return Verdict.VERIFIED;
    }
    // That somebody is in the table, or was heard of, needs nobody who answers now.
    boolean anyOther =
        steps.stream()
            .filter(step -> !step.name().equals("routing-table"))
            .filter(step -> !step.name().equals("discovered-peers"))
            .anyMatch(Step::ok);
    return anyOther ? Verdict.PARTIAL : Verdict.FAILED;
  }

  private static String messageOf(Object reply) {
    return reply instanceof Dht.OperationFailed failed ? failed.message() : String.valueOf(reply);
  }

  private static String peers(int count) {
    return count == 1 ? "1 peer" : count + " peers";
  }

  private static String first(Set<PeerId> peers) {
    List<String> names = peers.stream().limit(SHOWN).map(PeerId::toString).toList();
    return String.join(", ", names) + (peers.size() > SHOWN ? ", …" : "");
  }

  private static final int SHOWN = 5;
}
