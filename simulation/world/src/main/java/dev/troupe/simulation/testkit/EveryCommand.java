package dev.troupe.simulation.testkit;

import dev.troupe.simulation.kernel.Probe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The commands of a behaviour that want an answer, to assert that each gets one, exactly one, in
 * whatever state the behaviour is.
 *
 * <pre>{@code
 * EveryCommand<Door.Command> every =
 *     EveryCommand.<Door.Command>of()
 *         .with("visit", Door.Visit::new)
 *         .with("total", (ActorRef<Integer> to) -> new Door.GetTotal(to));
 * every
 *     .in("at the start", () -> newDoor())
 *     .in("after an hour", () -> doorAfter(Duration.ofHours(1)))
 *     .assertAnswered(sim, Duration.ofMinutes(1));
 * }</pre>
 *
 * @param <C> the commands
 */
public final class EveryCommand<C> {

  private final Map<String, Function<ActorRef<Object>, C>> commands = new LinkedHashMap<>();

  private EveryCommand() {}

  /** No commands yet. */
  public static <C> EveryCommand<C> of() {
    return new EveryCommand<>();
  }

  /**
   * Adds a command.
   *
   * @param name for messages
   * @param command made of where its answer goes
   */
  public <R> EveryCommand<C> with(String name, Function<ActorRef<R>, C> command) {
    if (commands.putIfAbsent(name, to -> command.apply(to.unsafeUpcast())) != null) {
      throw new IllegalArgumentException("there is a command " + name + " already");
    }
    return this;
  }

  /** Tells an actor all commands, in order; the answers come as time passes. */
  public Asked ask(Simulation simulation, ActorRef<C> actor) {
    Map<String, Probe<Object>> probes = new LinkedHashMap<>();
    commands.forEach(
        (name, command) -> {
          Probe<Object> probe = simulation.probe();
          probes.put(name, probe);
          actor.tell(command.apply(probe.ref()));
        });
    return new Asked(simulation, probes);
  }

  /** Collects the states that {@link States#assertAnswered} drives an actor into. */
  public States in(String state, Supplier<ActorRef<C>> actor) {
    return new States().in(state, actor);
  }

  /** States in each of which all commands must be answered. */
  public final class States {
    private final Map<String, Supplier<ActorRef<C>>> states = new LinkedHashMap<>();

    private States() {}

    /**
     * Adds a state.
     *
     * @param state for messages
     * @param actor gives an actor that is in this state: makes it, and drives it there
     */
    public States in(String state, Supplier<ActorRef<C>> actor) {
      if (states.putIfAbsent(state, actor) != null) {
        throw new IllegalArgumentException("there is a state " + state + " already");
      }
      return this;
    }

    /**
     * In each state: asks all commands, lets the virtual time pass, and asserts that each was
     * answered exactly once.
     *
     * @throws AssertionError naming each state and command with what came instead
     */
    public void assertAnswered(Simulation simulation, Duration within) {
      List<String> wrong = new ArrayList<>();
      states.forEach(
          (state, actor) -> {
            Asked asked = ask(simulation, actor.get());
            simulation.advance(within);
            asked.wrong().forEach(each -> wrong.add(state + ": " + each));
          });
      fail(simulation, within, wrong);
    }
  }

  /** Commands that an actor was told, and what it answers. */
  public static final class Asked {
    private final Simulation simulation;
    private final Map<String, Probe<Object>> probes;

    private Asked(Simulation simulation, Map<String, Probe<Object>> probes) {
      this.simulation = simulation;
      this.probes = probes;
    }

    /**
     * Lets the virtual time pass, and asserts that each command was answered exactly once.
     *
     * @throws AssertionError naming each command with what came instead
     */
    public void assertAnswered(Duration within) {
      simulation.advance(within);
      fail(simulation, within, wrong());
    }

    /** All that came for a command so far. */
    public List<Object> answers(String command) {
      Probe<Object> probe = probes.get(command);
      if (probe == null) {
        throw new IllegalArgumentException("no " + command + " among " + probes.keySet());
      }
      return probe.received();
    }

    private List<String> wrong() {
      List<String> wrong = new ArrayList<>();
      probes.forEach(
          (name, probe) -> {
            List<Object> answers = probe.received();
            if (answers.isEmpty()) {
              wrong.add(name + " was not answered");
            } else if (answers.size() > 1) {
              wrong.add(name + " was answered " + answers.size() + " times: " + answers);
            }
          });
      return wrong;
    }
  }

  private static void fail(Simulation simulation, Duration within, List<String> wrong) {
    if (!wrong.isEmpty()) {
      throw new AssertionError(
          "within "
              + within
              + " not every command was answered once ("
              + simulation.replay()
              + "):\n  "
              + String.join("\n  ", wrong));
    }
  }
}
