package dev.troupe.simulation.scenario;

import dev.troupe.simulation.check.AnsweredOnce;
import dev.troupe.simulation.check.Checker;
import dev.troupe.simulation.check.Delivered;
import dev.troupe.simulation.check.Healthy;
import dev.troupe.simulation.check.HeardInOrder;
import dev.troupe.simulation.check.MeshDegrees;
import dev.troupe.simulation.check.NothingLivesOn;
import dev.troupe.simulation.check.TablesConverge;
import dev.troupe.simulation.check.WithinCaps;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.kernel.SimulationFailure;
import dev.troupe.simulation.world.SimulatedNetwork;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * One run of a scenario, under the eyes of all checkers. The first violation ends it. Not
 * thread-safe; runs on the thread that calls it, and a replay needs a thread of the same id (the
 * main thread of a JVM).
 */
public final class Run {

  private static final long LOOK_NANOS = 1_000_000_000L;

  /** Ends a run at its first violation. */
  private static final class Violated extends RuntimeException {
    private static final long serialVersionUID = 1;

    Violated() {
      super(null, null, false, false);
    }
  }

  private record Due(long at, long number, Runnable what) {}

  private final Parameters parameters;
  private final SimulatedSystem system;
  private final Cluster cluster;
  private final List<Checker> checkers;
  private final Consumer<Run> progress;
  private final List<Violation> violations = new ArrayList<>();
  private final PriorityQueue<Due> agenda =
      new PriorityQueue<>(Comparator.comparingLong(Due::at).thenComparingLong(Due::number));
  private long numbers;
  private long nextLook = LOOK_NANOS;
  private int faults;

  private Run(
      Parameters parameters,
      SimulatedSystem system,
      List<Checker> checkers,
      Consumer<Run> progress) {
    this.parameters = parameters;
    this.system = system;
    this.cluster = new Cluster(system, new SimulatedNetwork(system), parameters.fidelity());
    this.checkers = checkers;
    this.progress = progress;
  }

  /** The checkers of every run, new. */
  public static List<Checker> allCheckers() {
    return List.of(
        new AnsweredOnce(),
        new Delivered(),
        new HeardInOrder(),
        new MeshDegrees(),
        new WithinCaps(),
        new NothingLivesOn(),
        new TablesConverge(),
        new Healthy());
  }

  /** Plays a scenario under all checkers. */
  public static Result of(Scenario scenario, Parameters parameters) {
    return of(scenario, parameters, allCheckers(), run -> {}, run -> {});
  }

  /**
   * Plays a scenario.
   *
   * @param progress told once a virtual second
   * @param epilogue told when all is over and the result stands, while the peers still live: what
   *     it asks them is not in the trace any more
   */
  public static Result of(
      Scenario scenario,
      Parameters parameters,
      List<Checker> checkers,
      Consumer<Run> progress,
      Consumer<Run> epilogue) {
    SimulatedSystem system = SimulatedSystem.create(parameters.seed(), parameters.order());
    Run run = new Run(parameters, system, checkers, progress);
    try {
      scenario.play(run);
      run.settle();
      run.look(true);
    } catch (Violated ended) {
      // Said below.
    } catch (SimulationFailure failure) {
      run.violations.add(new Violation("engine", system.now(), String.valueOf(failure)));
    } catch (RuntimeException defect) {
      run.violations.add(
          new Violation(parameters.scenario(), system.now(), "the scenario threw " + defect));
    }
    Result result =
        new Result(
            parameters,
            system.traceHash(),
            run.cluster.nodes().size(),
            system.now(),
            system.eventCount(),
            run.violations);
    try {
      epilogue.accept(run);
      system.close();
      return result;
    } catch (SimulationFailure failure) {
      if (!result.isClean()) {
        return result;
      }
      return new Result(
          parameters,
          result.trace(),
          result.peers(),
          result.virtualNanos(),
          result.events(),
          List.of(new Violation("engine", result.virtualNanos(), String.valueOf(failure))));
    }
  }

  /** Lets time pass until nothing is owed any more, so that the last of it is looked at as well. */
  private void settle() {
    while (checkers.stream().anyMatch(each -> each.owedUntil(cluster) >= system.now())) {
      advance(Duration.ofNanos(LOOK_NANOS));
    }
  }

  /** What decides it. */
  public Parameters parameters() {
    return parameters;
  }

  /** The network under stress. */
  public Cluster cluster() {
    return cluster;
  }

  /** Lets virtual time pass; what is on the agenda happens on the way, and the checkers look. */
  public void advance(Duration duration) {
    long target = Math.addExact(system.now(), duration.toNanos());
    while (true) {
      long next = Math.min(target, nextLook);
      Due due = agenda.peek();
      if (due != null) {
        next = Math.min(next, due.at());
      }
      system.advance(Duration.ofNanos(Math.max(0, next - system.now())));
      while (agenda.peek() != null && agenda.element().at() <= system.now()) {
        agenda.remove().what().run();
      }
      if (system.now() >= nextLook) {
        nextLook += LOOK_NANOS;
        look(false);
        progress.accept(this);
      } else if (system.now() >= target) {
        system.runUntilIdle();
        return;
      }
    }
  }

  /** Puts something on the agenda. */
  public void after(Duration delay, Runnable what) {
    agenda.add(new Due(system.now() + delay.toNanos(), numbers++, what));
  }

  /**
   * A fault: happens now, unless the {@link Parameters} leave it out. Put its end on the agenda
   * from inside, with {@link #after}.
   */
  public void fault(Runnable what) {
    if (faults++ < parameters.faults()) {
      what.run();
    }
  }

  /**
   * The power of a peer's machine fails for a time; then it starts anew and subscribes to the same
   * topics.
   */
  public void bounce(Node node, Duration outage) {
    List<String> topics = List.copyOf(node.topics());
    cluster.crash(node);
    after(
        outage,
        () -> {
          cluster.restart(node);
          topics.forEach(topic -> cluster.subscribe(node, topic));
        });
  }

  /**
   * Replaces peers for a time, at random instants: half of those who go stop in order, and half
   * crash for good; each time a newcomer starts.
   *
   * @param perMinute how many, on average
   * @param leaver who goes next
   * @param newcomer starts somebody else, given a number
   */
  public void churn(
      double perMinute, Duration length, Supplier<Node> leaver, IntConsumer newcomer) {
    churn(perMinute, system.now() + length.toNanos(), leaver, newcomer, 1);
  }

  private void churn(
      double perMinute, long until, Supplier<Node> leaver, IntConsumer newcomer, int number) {
    double minutes = -Math.log(1 - cluster.chance().nextDouble()) / perMinute;
    after(
        Duration.ofNanos((long) (minutes * 60e9)),
        () -> {
          if (system.now() >= until) {
            return;
          }
          Node leaving = leaver.get();
          if (leaving.isUp() && cluster.chance().nextBoolean()) {
            cluster.stop(leaving);
          } else if (leaving.isUp()) {
            cluster.crash(leaving);
          }
          newcomer.accept(number);
          churn(perMinute, until, leaver, newcomer, number + 1);
        });
  }

  /** How many faults the scenario had, those left out included. */
  public int faults() {
    return faults;
  }

  /** Something that the scenario itself expects. */
  public void expect(boolean holds, String message) {
    if (!holds) {
      violations.add(new Violation(parameters.scenario(), system.now(), message));
      throw new Violated();
    }
  }

  private void look(boolean after) {
    for (Checker checker : checkers) {
      List<String> found = after ? checker.after(cluster) : checker.during(cluster);
      found.forEach(
          message -> violations.add(new Violation(checker.name(), system.now(), message)));
    }
    if (!violations.isEmpty()) {
      throw new Violated();
    }
  }
}
