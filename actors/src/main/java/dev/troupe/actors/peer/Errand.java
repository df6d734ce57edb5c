package dev.troupe.actors.peer;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.keys.PeerId;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * One ping or perf: connects to the peer, does it, answers once, and stops; all within one budget.
 * <b>Parent</b>: the {@link Peer}. Stopping it before calls it off and answers {@code CLOSED}; a
 * dial that only it waits for ends with it.
 *
 * @param <T> what success brings
 */
final class Errand<T> extends AbstractBehavior<Errand.Command> {

  sealed interface Command {}

  private record Connected(Connections.ConnectReply reply) implements Command {}

  private record Done(@Nullable Object result, @Nullable HostFailure failure) implements Command {}

  private record BudgetSpent() implements Command {}

  /**
   * An errand.
   *
   * @param work starts it on the connected peer
   * @param succeeded hears the result; of the two consumers one is called, once
   */
  static <T> Behavior<Command> create(
      PeerId peer,
      Duration budget,
      ActorRef<Connections.Command> connections,
      Function<Completion<T>, Cancellable> work,
      Consumer<T> succeeded,
      Consumer<HostFailure> failed) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startSingleTimer(new BudgetSpent(), budget);
                  return new Errand<>(context, peer, connections, work, succeeded, failed);
                }));
  }

  private final PeerId peer;
  private final ActorRef<Connections.Command> connections;
  private final ActorRef<Connections.ConnectReply> connectReplies;
  private final Function<Completion<T>, Cancellable> work;
  private final Consumer<T> succeeded;
  private final Consumer<HostFailure> failed;
  private @Nullable Cancellable running;
  private boolean answered;

  private Errand(
      ActorContext<Command> context,
      PeerId peer,
      ActorRef<Connections.Command> connections,
      Function<Completion<T>, Cancellable> work,
      Consumer<T> succeeded,
      Consumer<HostFailure> failed) {
    super(context);
    this.peer = peer;
    this.work = work;
    this.succeeded = succeeded;
    this.failed = failed;
    this.connections = connections;
    this.connectReplies = context.messageAdapter(Connections.ConnectReply.class, Connected::new);
    connections.tell(new Connections.Connect(peer, List.of(), connectReplies));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Connected.class, this::onConnected)
        .onMessage(Done.class, this::onDone)
        .onMessage(BudgetSpent.class, spent -> onBudgetSpent())
        .onSignal(PostStop.class, stop -> onStop())
        .build();
  }

  private Behavior<Command> onConnected(Connected connected) {
    if (connected.reply() instanceof Connections.ConnectFailed refused) {
      return fail(refused.failure());
    }
    ActorRef<Command> self = getContext().getSelf();
    running =
        work.apply(
            new Completion<>() {
              @Override
              public void succeeded(T value) {
                self.tell(new Done(value, null));
              }

              @Override
              public void failed(HostFailure failure) {
                self.tell(new Done(null, failure));
              }
            });
    return this;
  }

  @SuppressWarnings("unchecked") // A Done with a result is made above, of a T.
  private Behavior<Command> onDone(Done done) {
    if (done.failure() != null) {
      return fail(done.failure());
    }
    answered = true;
    succeeded.accept((T) done.result());
    return Behaviors.stopped();
  }

  private Behavior<Command> onBudgetSpent() {
    return fail(
        new HostFailure(HostFailure.Kind.TIMED_OUT, "peer " + peer + " did not answer in time"));
  }

  private Behavior<Command> fail(HostFailure failure) {
    answered = true;
    failed.accept(failure);
    return Behaviors.stopped();
  }

  private Behavior<Command> onStop() {
    if (running != null) {
      running.cancel();
    } else {
      connections.tell(new Connections.Withdraw(peer, connectReplies));
    }
    if (!answered) {
      failed.accept(new HostFailure(HostFailure.Kind.CLOSED, "the peer stops"));
    }
    return this;
  }
}
