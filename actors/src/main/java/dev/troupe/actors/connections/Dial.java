package dev.troupe.actors.connections;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
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
 * One dial of one peer: its addresses one after the other, a stagger apart or as soon as the one
 * before has failed, all under one budget. The first connection wins, and the others are called
 * off.
 *
 * <p><b>Parent</b>: {@link Connections}, which hears {@link Ended} exactly once unless it stops
 * this actor; stopping it cancels every attempt for real. <b>Timers</b>: stagger, budget. <b>A
 * crash</b> cancels the attempts; the parent watches and answers.
 */
final class Dial extends AbstractBehavior<Dial.Command> {

  sealed interface Command {}

  private record NextAddress() implements Command {}

  private record BudgetSpent() implements Command {}

  private record AttemptSucceeded(ConnectionInfo connection) implements Command {}

  private record AttemptFailed(Multiaddr address, HostFailure failure) implements Command {}

  /** How the dial ended; of the two, one is null. */
  record Ended(@Nullable ConnectionInfo connection, @Nullable HostFailure failure) {}

  static Behavior<Command> create(
      ConnectionsSettings settings,
      Host host,
      @Nullable PeerId peer,
      List<Multiaddr> addresses,
      Consumer<Ended> parent) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new Dial(context, timers, settings, host, peer, addresses, parent)
                        .onNextAddress()));
  }

  private final TimerScheduler<Command> timers;
  private final ConnectionsSettings settings;
  private final Host host;
  private final @Nullable PeerId peer;
  private final Consumer<Ended> parent;
  private final Deque<Multiaddr> waiting;
  private final Map<Multiaddr, Cancellable> attempts = new LinkedHashMap<>();
  private final Map<Multiaddr, HostFailure> failures = new LinkedHashMap<>();

  private Dial(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ConnectionsSettings settings,
      Host host,
      @Nullable PeerId peer,
      List<Multiaddr> addresses,
      Consumer<Ended> parent) {
    super(context);
    this.timers = timers;
    this.settings = settings;
    this.host = host;
    this.peer = peer;
    this.parent = parent;
    this.waiting = new ArrayDeque<>(addresses);
    timers.startSingleTimer(new BudgetSpent(), settings.dialBudget());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(NextAddress.class, next -> onNextAddress())
        .onMessage(AttemptSucceeded.class, this::onSucceeded)
        .onMessage(AttemptFailed.class, this::onFailed)
        .onMessage(BudgetSpent.class, spent -> onBudgetSpent())
        .onSignal(PostStop.class, stop -> onStop())
        .build();
  }

  private Behavior<Command> onNextAddress() {
    Multiaddr address = waiting.poll();
    if (address == null) {
      return attempts.isEmpty() ? endFailed() : this;
    }
    if (!waiting.isEmpty()) {
      timers.startSingleTimer(new NextAddress(), settings.dialStagger());
    }
    ActorRef<Command> self = getContext().getSelf();
    attempts.put(
        address,
        host.dial(
            address,
            peer,
            new Completion<>() {
              @Override
              public void succeeded(ConnectionInfo connection) {
                self.tell(new AttemptSucceeded(connection));
              }

              @Override
              public void failed(HostFailure failure) {
                self.tell(new AttemptFailed(address, failure));
              }
            }));
    return this;
  }

  private Behavior<Command> onSucceeded(AttemptSucceeded succeeded) {
    parent.accept(new Ended(succeeded.connection(), null));
    return Behaviors.stopped();
  }

  private Behavior<Command> onFailed(AttemptFailed failed) {
    attempts.remove(failed.address());
    failures.put(failed.address(), failed.failure());
    if (!waiting.isEmpty()) {
      timers.cancel(new NextAddress());
      return onNextAddress();
    }
    return attempts.isEmpty() ? endFailed() : this;
  }

  private Behavior<Command> onBudgetSpent() {
    HostFailure late =
        new HostFailure(
            HostFailure.Kind.TIMED_OUT,
            "no answer within " + settings.dialBudget().toMillis() + " ms");
    attempts.keySet().forEach(address -> failures.put(address, late));
    waiting.forEach(address -> failures.put(address, late));
    return endFailed();
  }

  private Behavior<Command> endFailed() {
    parent.accept(new Ended(null, summary()));
    return Behaviors.stopped();
  }

  private Behavior<Command> onStop() {
    attempts.values().forEach(Cancellable::cancel);
    attempts.clear();
    return this;
  }

  /**
   * The last failure decides the kind, except that somebody wrong at an address says more than
   * nobody at another.
   */
  private HostFailure summary() {
    HostFailure.Kind kind = HostFailure.Kind.UNREACHABLE;
    for (HostFailure failure : failures.values()) {
      kind = failure.kind();
      if (kind == HostFailure.Kind.WRONG_PEER) {
        break;
      }
    }
    String whom = peer == null ? "" : "peer " + peer + ": ";
    String detail =
        failures.isEmpty()
            ? "no address is known"
            : failures.entrySet().stream()
                .map(entry -> entry.getKey() + ": " + entry.getValue().message())
                .collect(Collectors.joining("; "));
    return new HostFailure(kind, whom + detail);
  }
}
