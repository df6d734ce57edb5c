package dev.troupe.simulation.kernel;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * An actor that records what it is told, for tests. Expectations consume what was recorded, in
 * order of arrival, and first let the simulation run until nothing is ready; only those that take a
 * {@link Duration} move virtual time. All throw an {@link AssertionError} that says what had come
 * instead.
 *
 * @param <T> the messages it accepts
 */
public final class Probe<T> {

  private record Watch(ActorRef<?> ref) {}

  private final SimulatedSystem system;
  private final String name;
  private final ActorRef<Object> self;
  private final List<T> received = new ArrayList<>();
  private final List<ActorRef<?>> terminated = new ArrayList<>();
  private int consumed;

  Probe(SimulatedSystem system, String name) {
    this.system = system;
    this.name = name;
    this.self = system.spawn(recording(), name);
  }

  private Behavior<Object> recording() {
    return Behaviors.setup(
        context ->
            Behaviors.receive(Object.class)
                .onMessage(
                    Watch.class,
                    watch -> {
                      context.watch(watch.ref());
                      return Behaviors.same();
                    })
                .onAnyMessage(
                    message -> {
                      record(message);
                      return Behaviors.same();
                    })
                .onSignal(
                    Terminated.class,
                    signal -> {
                      terminated.add(signal.getRef());
                      return Behaviors.same();
                    })
                .build());
  }

  @SuppressWarnings("unchecked") // ref() only accepts T
  private void record(Object message) {
    received.add((T) message);
  }

  /** Where to send what this probe shall record. */
  public ActorRef<T> ref() {
    return self.narrow();
  }

  /**
   * Everything received so far, consumed by an expectation or not; a snapshot, oldest first. Does
   * not run the simulation.
   */
  public List<T> received() {
    return List.copyOf(received);
  }

  /**
   * What was received and not yet consumed by an expectation; a snapshot, oldest first. Does not
   * run the simulation.
   */
  public List<T> pending() {
    return List.copyOf(received.subList(consumed, received.size()));
  }

  /** Consumes the next message, which must be there without time moving on. */
  public T next() {
    system.runUntilIdle();
    if (consumed == received.size()) {
      throw new AssertionError(name + " received nothing" + where());
    }
    return received.get(consumed++);
  }

  /** Consumes the next message, which must be there without time moving on and be of the type. */
  public <M extends T> M expect(Class<M> type) {
    return checked(type, next());
  }

  /**
   * Consumes the next message, which must come within the limit of virtual time and be of the type.
   */
  public <M extends T> M expect(Class<M> type, Duration limit) {
    if (!system.tryRunUntil(() -> consumed < received.size(), limit)) {
      throw new AssertionError(
          name + " received no " + type.getSimpleName() + " within " + limit + where());
    }
    return checked(type, received.get(consumed++));
  }

  /**
   * Consumes the next message, which must be there without time moving on and equal the given one.
   */
  public T expect(T message) {
    T next = next();
    if (!next.equals(message)) {
      throw new AssertionError(name + " received " + next + ", not " + message + where());
    }
    return next;
  }

  /**
   * Consumes messages up to and including the first of the type, which must come within the limit
   * of virtual time.
   */
  public <M extends T> M fishFor(Class<M> type, Duration limit) {
    int[] found = {consumed};
    boolean came =
        system.tryRunUntil(
            () -> {
              while (found[0] < received.size() && !type.isInstance(received.get(found[0]))) {
                found[0]++;
              }
              return found[0] < received.size();
            },
            limit);
    if (!came) {
      throw new AssertionError(
          name
              + " received no "
              + type.getSimpleName()
              + " within "
              + limit
              + " but "
              + pending()
              + where());
    }
    consumed = found[0] + 1;
    return type.cast(received.get(found[0]));
  }

  /** Nothing more may be there, without time moving on. */
  public void expectNone() {
    system.runUntilIdle();
    if (consumed < received.size()) {
      throw new AssertionError(name + " received unexpectedly " + pending() + where());
    }
  }

  /** Nothing more may come while virtual time moves on by the duration. */
  public void expectNone(Duration during) {
    system.advance(during);
    expectNone();
  }

  /** Watches an actor, for {@link #expectTerminated}. */
  public void watch(ActorRef<?> ref) {
    self.tell(new Watch(ref));
    system.runUntilIdle();
  }

  /** The watched actor must be stopped, without time moving on. */
  public void expectTerminated(ActorRef<?> ref) {
    system.runUntilIdle();
    if (!terminated.contains(ref)) {
      throw new AssertionError(ref + " has not terminated" + where());
    }
  }

  /** Whether a watched actor has stopped so far. Does not run the simulation. */
  public boolean hasTerminated(ActorRef<?> ref) {
    return terminated.contains(ref);
  }

  private <M extends T> M checked(Class<M> type, T message) {
    if (!type.isInstance(message)) {
      throw new AssertionError(
          name + " received " + message + ", not a " + type.getSimpleName() + where());
    }
    return type.cast(message);
  }

  private String where() {
    return " (" + system.replay() + ")";
  }
}
