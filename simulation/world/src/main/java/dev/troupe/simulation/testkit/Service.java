package dev.troupe.simulation.testkit;

import java.time.Duration;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.jspecify.annotations.Nullable;

/**
 * An actor on a {@link Machine}, which is made anew whenever the power of its machine returns.
 *
 * @param <T> what it is told
 */
public final class Service<T> {

  private final Machine machine;
  private final String name;
  private final Supplier<Behavior<T>> behavior;
  private @Nullable ActorRef<T> ref;

  Service(Machine machine, String name, Supplier<Behavior<T>> behavior) {
    this.machine = machine;
    this.name = name;
    this.behavior = behavior;
  }

  /** The machine it runs on. */
  public Machine machine() {
    return machine;
  }

  /**
   * The actor that runs now; another one after each restart of the machine.
   *
   * @throws IllegalStateException while the machine is down
   */
  public ActorRef<T> ref() {
    ActorRef<T> current = ref;
    if (current == null) {
      throw new IllegalStateException("machine " + machine + " has crashed");
    }
    return current;
  }

  /** Tells it something; it hears it when time passes. */
  public void tell(T message) {
    ref().tell(message);
  }

  /** Asks it something, as {@link Simulation#ask(ActorRef, Function)} does. */
  public <R> R ask(Function<ActorRef<R>, T> command) {
    return machine.simulation().ask(ref(), command);
  }

  /** Asks it something, as {@link Simulation#ask(ActorRef, Function, Duration)} does. */
  public <R> R ask(Function<ActorRef<R>, T> command, Duration limit) {
    return machine.simulation().ask(ref(), command, limit);
  }

  /** Asks it until the answer is as it should be, as {@link Simulation#askUntil} does. */
  public <R> R askUntil(
      Function<ActorRef<R>, T> command, Predicate<? super R> condition, Duration limit) {
    return machine.simulation().askUntil(ref(), command, condition, limit);
  }

  /** Crashes an actor below it, as {@link Simulation#crash(ActorRef, String)} does. */
  public void crash(String path) {
    machine.simulation().crash(ref(), path);
  }

  void start() {
    ref = machine.simulation().spawn(behavior.get(), name);
  }

  void stop() {
    ActorRef<T> stopping = ref();
    ref = null;
    machine.simulation().system().stop(stopping);
  }

  @Override
  public String toString() {
    return name;
  }
}
