package dev.troupe.actors.names;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multiaddr.Protocol;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
 * Resolves one address: tells its parent once what it stands for, and stops.
 *
 * <p><b>Owns</b> a {@link Walk}. <b>Parent</b>: whoever wants to dial; stopping this actor calls
 * off what is asked. <b>States</b>: one. <b>Limits</b>: the walk's. <b>Timers</b>: {@link
 * #TIME_LIMIT}; what is there by then counts. <b>A crash</b> loses the answer: the parent has a
 * limit of its own.
 */
public final class Resolution extends AbstractBehavior<Resolution.Command> {

  /** What it is told; nothing from outside. */
  public sealed interface Command {}

  private record Records(Walk.Question question, List<String> records) implements Command {}

  private record NoRecords(Walk.Question question, HostFailure failure) implements Command {}

  private record TimedOut() implements Command {}

  /**
   * What came of it.
   *
   * @param addresses at least one, none of them a {@code /dnsaddr}; empty where it failed
   * @param failure which name failed, and why; null where there are addresses
   */
  public record Outcome(List<Multiaddr> addresses, @Nullable HostFailure failure) {
    public Outcome {
      addresses = List.copyOf(addresses);
    }
  }

  /** For all names that are to be asked for. */
  public static final Duration TIME_LIMIT = Duration.ofSeconds(5);

  /** Whether an address stands for others. */
  public static boolean isNeeded(Multiaddr address) {
    return address.components().get(0).protocol() == Protocol.DNSADDR;
  }

  /**
   * A resolution.
   *
   * @param told hears the outcome, once
   */
  public static Behavior<Command> create(World world, Multiaddr address, Consumer<Outcome> told) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startSingleTimer(new TimedOut(), TIME_LIMIT);
                  return new Resolution(context, world, new Walk(address), told).next();
                }));
  }

  private final World world;
  private final Walk walk;
  private final Consumer<Outcome> told;
  private final List<Cancellable> asked = new ArrayList<>();

  private Resolution(
      ActorContext<Command> context, World world, Walk walk, Consumer<Outcome> told) {
    super(context);
    this.world = world;
    this.walk = walk;
    this.told = told;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Records.class, this::onRecords)
        .onMessage(NoRecords.class, this::onNoRecords)
        .onMessage(TimedOut.class, late -> onTimedOut())
        .onSignal(PostStop.class, stop -> onStop())
        .build();
  }

  private Behavior<Command> next() {
    ActorRef<Command> self = getContext().getSelf();
    for (Walk.Question question : walk.takeQuestions()) {
      asked.add(
          world.findText(
              question.name(),
              new Completion<>() {
                @Override
                public void succeeded(List<String> records) {
                  self.tell(new Records(question, records));
                }

                @Override
                public void failed(HostFailure failure) {
                  self.tell(new NoRecords(question, failure));
                }
              }));
    }
    if (!walk.isOver()) {
      return this;
    }
    List<Multiaddr> found = walk.found();
    told.accept(new Outcome(found, found.isEmpty() ? walk.failure() : null));
    return Behaviors.stopped();
  }

  private Behavior<Command> onRecords(Records answer) {
    walk.onRecords(answer.question(), answer.records());
    return next();
  }

  private Behavior<Command> onNoRecords(NoRecords answer) {
    walk.onFailed(answer.question(), answer.failure());
    return next();
  }

  private Behavior<Command> onTimedOut() {
    walk.onTimeOut(
        new HostFailure(
            HostFailure.Kind.TIMED_OUT, "no answer within " + TIME_LIMIT.toMillis() + " ms"));
    return next();
  }

  private Behavior<Command> onStop() {
    asked.forEach(Cancellable::cancel);
    return this;
  }
}
