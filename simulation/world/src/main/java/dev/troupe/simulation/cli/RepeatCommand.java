package dev.troupe.simulation.cli;

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
      "or if a run was violated."
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
    return compare(
        System.out, model, times, others, Worker::new, Runtime.getRuntime().availableProcessors());
  }

  /** Plays and compares; answers the exit code. */
  static int compare(
      PrintStream out,
      Parameters model,
      int times,
      int others,
      Supplier<? extends Player> players,
      int cores)
      throws InterruptedException {
    List<Parameters> runs = new ArrayList<>(Collections.nCopies(times, model));
    for (int i = 1; i <= others; i++) {
      runs.add(model.withSeed(model.seed() + i));
    }
    List<WorkerReply> replies = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(cores);
    try {
      List<Callable<WorkerReply>> all =
          runs.stream().<Callable<WorkerReply>>map(run -> () -> play(players, run)).toList();
      for (Future<WorkerReply> each : threads.invokeAll(all)) {
        replies.add(each.get());
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a run could not be played", e);
    } finally {
      threads.shutdown();
    }
    boolean clean = true;
    for (int i = 0; i < replies.size(); i++) {
      if (!replies.get(i).isClean()) {
        clean = false;
        out.println("VIOLATED " + replies.get(i).violation());
        out.println(Report.replay(runs.get(i)));
      }
    }
    List<String> traces = replies.stream().map(WorkerReply::trace).toList();
    String first = traces.get(0);
    long same = traces.subList(0, times).stream().filter(first::equals).count();
    Set<String> different = new LinkedHashSet<>(traces.subList(times, traces.size()));
    different.remove(first);
    different.remove("");
    out.printf(
        "%s: %d of %d runs gave trace %s; %d other seeds gave %d other traces%n",
        model.token(), same, times, first, others, different.size());
    return clean && same == times && different.size() == others ? 0 : 1;
  }

  private static WorkerReply play(Supplier<? extends Player> players, Parameters parameters) {
    try (Player player = players.get()) {
      return player.play(parameters);
    }
  }
}
