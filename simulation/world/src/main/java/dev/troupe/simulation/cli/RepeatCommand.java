package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
      "then the seeds that follow, whose traces must all differ. Exit code 1 if that does not hold."
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
    List<Callable<WorkerReply>> runs = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      runs.add(() -> play(model));
    }
    for (int i = 1; i <= others; i++) {
      Parameters other = model.withSeed(seed + i);
      runs.add(() -> play(other));
    }
    List<String> traces = new ArrayList<>();
    ExecutorService cores =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    try {
      for (Future<WorkerReply> run : cores.invokeAll(runs)) {
        traces.add(run.get().trace());
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a run could not be played", e);
    } finally {
      cores.shutdown();
    }
    String first = traces.get(0);
    long same = traces.subList(0, times).stream().filter(first::equals).count();
    Set<String> different = new LinkedHashSet<>(traces.subList(times, traces.size()));
    different.remove(first);
    System.out.printf(
        "%s: %d of %d runs gave trace %s; %d other seeds gave %d other traces%n",
        model.token(), same, times, first, others, different.size());
    return same == times && different.size() == others && !first.isEmpty() ? 0 : 1;
  }

  private static WorkerReply play(Parameters parameters) {
    try (Worker worker = new Worker()) {
      return worker.play(parameters);
    }
  }
}
