package dev.troupe.actors.peer;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.names.Resolution;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Connects to the peer that a {@code /dnsaddr} names, or to the first that answers of those behind
 * it; answers once, and stops.
 *
 * <p><b>Parent</b>: the {@link Peer}. <b>Children</b>: a {@link Resolution}. <b>States</b>: one.
 * <b>Limits</b>: {@value #MAX_TRIED} peers, one after the other. <b>Timers</b>: {@link #BUDGET},
 * for all of it. Stopping it before, or a crash, answers {@code CLOSED}.
 */
final class NamedDial extends AbstractBehavior<NamedDial.Command> {

  sealed interface Command {}

  private record Resolved(Resolution.Outcome outcome) implements Command {}

  private record Ended(Connections.ConnectReply reply) implements Command {}

  private record BudgetSpent() implements Command {}

  /** How many peers are dialled before it fails. */
  static final int MAX_TRIED = 8;

  /** For the names and all dials. */
  static final Duration BUDGET = Duration.ofSeconds(30);

  /**
   * A dial.
   *
   * @param request with a {@code /dnsaddr}; answered where it succeeds
   * @param failed answers it where it does not; of the two, one happens, once
   */
  static Behavior<Command> create(
      World world,
      Connections.ConnectTo request,
      ActorRef<Connections.Command> connections,
      Consumer<HostFailure> failed) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startSingleTimer(new BudgetSpent(), BUDGET);
                  return new NamedDial(context, world, request, connections, failed);
                }));
  }

  private final Connections.ConnectTo request;
  private final ActorRef<Connections.Command> connections;
  private final ActorRef<Connections.ConnectReply> replies;
  private final Consumer<HostFailure> failed;
  private final Deque<Map.Entry<PeerId, List<Multiaddr>>> waiting = new ArrayDeque<>();
  private final List<String> failures = new ArrayList<>();
  private @Nullable PeerId dialled;
  private boolean answered;

  private NamedDial(
      ActorContext<Command> context,
      World world,
      Connections.ConnectTo request,
      ActorRef<Connections.Command> connections,
      Consumer<HostFailure> failed) {
    super(context);
    this.request = request;
    this.connections = connections;
    this.failed = failed;
    this.replies = context.messageAdapter(Connections.ConnectReply.class, Ended::new);
    ActorRef<Command> self = context.getSelf();
    context.spawn(
        Resolution.create(world, request.address(), outcome -> self.tell(new Resolved(outcome))),
        "resolution");
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Resolved.class, this::onResolved)
        .onMessage(Ended.class, this::onEnded)
        .onMessage(BudgetSpent.class, spent -> onBudgetSpent())
        .onSignal(PostStop.class, stop -> onStop())
        .build();
  }

  private Behavior<Command> onResolved(Resolved resolved) {
    HostFailure failure = resolved.outcome().failure();
    if (failure != null) {
      return fail(failure);
    }
    Map<PeerId, List<Multiaddr>> byPeer = new LinkedHashMap<>();
    for (Multiaddr address : resolved.outcome().addresses()) {
      PeerId peer = address.peerId();
      if (peer != null) {
        byPeer.computeIfAbsent(peer, unused -> new ArrayList<>()).add(address.withoutPeer());
      }
    }
    if (byPeer.isEmpty()) {
      return fail(
          new HostFailure(
              HostFailure.Kind.UNREACHABLE,
              request.address() + " stands for addresses that name no peer"));
    }
    byPeer.entrySet().stream().limit(MAX_TRIED).forEach(waiting::add);
    return next(HostFailure.Kind.UNREACHABLE);
  }

  private Behavior<Command> next(HostFailure.Kind last) {
    Map.Entry<PeerId, List<Multiaddr>> who = waiting.poll();
    if (who == null) {
      return fail(new HostFailure(last, request.address() + ": " + String.join("; ", failures)));
    }
    dialled = who.getKey();
    connections.tell(new Connections.Connect(who.getKey(), who.getValue(), replies));
    return this;
  }

  private Behavior<Command> onEnded(Ended ended) {
    if (ended.reply() instanceof Connections.ConnectFailed refused) {
      failures.add(refused.failure().message());
      return next(refused.failure().kind());
    }
    answered = true;
    request.replyTo().tell(ended.reply());
    return Behaviors.stopped();
  }

  private Behavior<Command> onBudgetSpent() {
    return fail(
        new HostFailure(
            HostFailure.Kind.TIMED_OUT,
            request.address() + ": nobody answered within " + BUDGET.toSeconds() + " s"));
  }

  private Behavior<Command> fail(HostFailure failure) {
    answered = true;
    failed.accept(failure);
    return Behaviors.stopped();
  }

  private Behavior<Command> onStop() {
    if (dialled != null) {
      connections.tell(new Connections.Withdraw(dialled, replies));
    }
    if (!answered) {
      failed.accept(new HostFailure(HostFailure.Kind.CLOSED, "the peer stops"));
    }
    return this;
  }
}
