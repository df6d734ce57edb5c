package dev.troupe.simulation.cli;

import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code repeat}: whether one seed gives one trace, and other seeds give others. */
@Command(
    name = "repeat",
    mixinStandardHelpOptions = true,
    description = {
      "Plays one run again and again, each time in a JVM of its own, and compares the traces;",
      "then the seeds that follow, whose traces must all differ. Exit code 1 if that does not hold,",
      "or if a run was violated. Every trace is printed as its run ends."
    })
final class RepeatCommand implements Callable<Integer> {

  private static final int MAX_RUNS = 10_000;

  @SuppressWarnings("NullAway.Init") // picocli sets it.
  @Spec
  private CommandSpec spec;

  @Mixin private Choices choices = new Choices();

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Decides every choice (default 1).")
  private long seed = 1;

  @Option(
      names = "--times",
      paramLabel = "N",
      defaultValue = "20",
      description = "How often (default 20).")
  private int times = 20;

  @Option(
      names = "--others",
      paramLabel = "M",
      defaultValue = "0",
      description = "How many of the seeds that follow are played once each (default 0).")
  private int others;

  @Option(
      names = "--every-way",
      description = {
        "At both fidelities and in both orders, whatever --fidelity and --order say:",
        "each JVM plays all four, and begins with another one than the JVM before it."
      })
  private boolean everyWay;

  @Override
  public Integer call() throws InterruptedException {
    Parameters model;
    try {
      model = choices.parameters(seed);
      if (times < 1 || times > MAX_RUNS) {
        throw new IllegalArgumentException("--times: 1 to " + MAX_RUNS + ", not " + times);
      }
      if (others < 0 || others > MAX_RUNS) {
        throw new IllegalArgumentException("--others: 0 to " + MAX_RUNS + ", not " + others);
      }
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    return compare(
        System.out,
        everyWay ? ways(model) : List.of(model),
        times,
        others,
        Worker::new,
        Runtime.getRuntime().availableProcessors());
  }

  private static List<Parameters> ways(Parameters model) {
    List<Parameters> ways = new ArrayList<>();
    for (Fidelity fidelity : Fidelity.values()) {
      for (Order order : Order.values()) {
        ways.add(model.withWay(fidelity, order));
      }
    }
    return ways;
  }

  private record Played(Parameters run, WorkerReply reply) {}

  /** Plays and compares; answers the exit code. */
  static int compare(
      PrintStream out,
      List<Parameters> models,
      int times,
      int others,
      Supplier<? extends Player> players,
      int cores)
      throws InterruptedException {
    List<Played> played = play(out, players, cores, byJvm(models, times, others, cores));
    boolean clean = true;
    for (Played each : played) {
      if (!each.reply().isClean()) {
        clean = false;
        out.println("VIOLATED " + each.reply().violation());
        out.println(Report.replay(each.run()));
      }
    }
    for (Parameters model : models) {
      clean &= isOneTrace(out, model, times, others, played);
    }
    return clean ? 0 : 1;
  }

  /** What each JVM plays: all models, {@code times} times; then a share of the other seeds. */
  private static List<List<Parameters>> byJvm(
      List<Parameters> models, int times, int others, int cores) {
    List<List<Parameters>> all = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      List<Parameters> rotated = new ArrayList<>(models);
      Collections.rotate(rotated, i);
      all.add(rotated);
    }
    for (int share = 1; share <= Math.min(cores, others); share++) {
      List<Parameters> runs = new ArrayList<>();
      for (int i = share; i <= others; i += cores) {
        for (Parameters model : models) {
          runs.add(model.withSeed(model.seed() + i));
        }
      }
      all.add(runs);
    }
    return all;
  }

  private static List<Played> play(
      PrintStream out, Supplier<? extends Player> players, int cores, List<List<Parameters>> byJvm)
      throws InterruptedException {
    List<Callable<List<Played>>> jvms = new ArrayList<>();
    for (List<Parameters> runs : byJvm) {
      jvms.add(
          () -> {
            List<Played> played = new ArrayList<>();
            try (Player player = players.get()) {
              for (Parameters run : runs) {
                WorkerReply reply = player.play(run);
                out.println("trace " + reply.trace() + " " + run.token());
                played.add(new Played(run, reply));
              }
            }
            return played;
          });
    }
    List<Played> played = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(cores);
    try {
      for (Future<List<Played>> each : threads.invokeAll(jvms)) {
        played.addAll(each.get());
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a run could not be played", e);
    } finally {
      threads.shutdown();
    }
    return played;
  }

  private static boolean isOneTrace(
      PrintStream out, Parameters model, int times, int others, List<Played> played) {
    List<String> repeated = new ArrayList<>();
    Set<String> different = new LinkedHashSet<>();
    for (Played each : played) {
      if (each.run().equals(model)) {
        repeated.add(each.reply().trace());
      } else if (each.run().withSeed(model.seed()).equals(model)) {
        different.add(each.reply().trace());
      }
    }
    String first = repeated.get(0);
    int same = Collections.frequency(repeated, first);
    different.remove(first);
    different.remove("");
    out.printf(
        "%s: %d of %d runs gave trace %s; %d other seeds gave %d other traces%n",
        model.token(), same, times, first, others, different.size());
    return same == times && different.size() == others;
  }
}
