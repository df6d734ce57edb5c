package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sweep}: one scenario over many seeds, on all cores, until one fails. */
@Command(
    name = "sweep",
    mixinStandardHelpOptions = true,
    description = {
      "Plays a scenario over many seeds, on all cores.",
      "Stops at the first seed that fails, and makes its run smaller."
    })
final class SweepCommand implements Callable<Integer> {

  private static final Pattern SEEDS = Pattern.compile("([0-9]{1,18})\\.\\.([0-9]{1,18})");
  private static final int MAX_SHRINKS = 40;

  @SuppressWarnings("NullAway.Init") // picocli sets it.
  @Spec
  private CommandSpec spec;

  @Mixin private Choices choices = new Choices();

  @Option(
      names = "--seeds",
      paramLabel = "A..B",
      required = true,
      description = "The first and the last seed.")
  private String seeds = "";

  private record Failed(Parameters parameters, WorkerReply reply) {}

  @Override
  public Integer call() throws InterruptedException {
    Matcher range = SEEDS.matcher(seeds);
    if (!range.matches() || Long.parseLong(range.group(1)) > Long.parseLong(range.group(2))) {
      throw new ParameterException(
          spec.commandLine(), "--seeds: from A to B as A..B, such as 1..200, not '" + seeds + "'");
    }
    long first = Long.parseLong(range.group(1));
    long last = Long.parseLong(range.group(2));
    Parameters model;
    try {
      model = choices.parameters(first);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    long begun = System.nanoTime();
    AtomicLong events = new AtomicLong();
    Failed failed = sweep(model, first, last, events);
    if (failed == null) {
      System.out.printf(
          java.util.Locale.ROOT,
          "clean: %s, seeds %d..%d, %d events, %.1f s%n",
          model.scenario(),
          first,
          last,
          events.get(),
          (System.nanoTime() - begun) / 1e9);
      return 0;
    }
    System.out.println("seed " + failed.parameters().seed() + ": " + failed.reply().violation());
    System.out.println(Report.replay(failed.parameters()) + " trace " + failed.reply().trace());
    Failed small = shrink(failed);
    if (small != failed) {
      System.out.println("smaller: " + small.reply().violation());
      System.out.println(Report.replay(small.parameters()) + " trace " + small.reply().trace());
    }
    return 1;
  }

  private static @Nullable Failed sweep(Parameters model, long first, long last, AtomicLong events)
      throws InterruptedException {
    AtomicLong next = new AtomicLong(first);
    AtomicBoolean stop = new AtomicBoolean();
    List<Failed> failures = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    long cores = Math.min(Runtime.getRuntime().availableProcessors(), last - first + 1);
    for (int i = 0; i < cores; i++) {
      Thread thread =
          new Thread(
              () -> {
                try (Worker worker = new Worker()) {
                  long seed = next.getAndIncrement();
                  while (seed <= last && !stop.get()) {
                    Parameters parameters = model.withSeed(seed);
                    WorkerReply reply = worker.play(parameters);
                    events.addAndGet(reply.events());
                    if (!reply.isClean()) {
                      stop.set(true);
                      synchronized (failures) {
                        failures.add(new Failed(parameters, reply));
                      }
                    }
                    seed = next.getAndIncrement();
                  }
                }
              },
              "sweep-" + i);
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return failures.stream()
        .min(java.util.Comparator.comparingLong(each -> each.parameters().seed()))
        .orElse(null);
  }

  /** Tries fewer peers, fewer faults and less time, and keeps what still fails by one checker. */
  private static Failed shrink(Failed failed) {
    Failed best = failed;
    String checker = checkerOf(failed.reply());
    int left = MAX_SHRINKS;
    try (Worker worker = new Worker()) {
      boolean smaller = true;
      while (smaller && left > 0) {
        smaller = false;
        for (Parameters candidate : candidates(best.parameters())) {
          if (left-- <= 0) {
            break;
          }
          WorkerReply reply = worker.play(candidate);
          if (!reply.isClean() && checkerOf(reply).equals(checker)) {
            best = new Failed(candidate, reply);
            smaller = true;
            break;
          }
        }
      }
    }
    return best;
  }

  private static String checkerOf(WorkerReply reply) {
    return reply.violation().split("[ :]", 2)[0];
  }

  private static List<Parameters> candidates(Parameters from) {
    List<Parameters> smaller = new ArrayList<>();
    if (from.peers() > 3) {
      smaller.add(from.withPeers(Math.max(3, from.peers() / 2)));
      smaller.add(from.withPeers(from.peers() - 1));
    }
    int faults = from.faults() == Parameters.ALL_FAULTS ? 64 : from.faults();
    if (faults > 0) {
      smaller.add(from.withFaults(faults / 2));
      smaller.add(from.withFaults(faults - 1));
    }
    if (from.length().compareTo(Duration.ofSeconds(10)) > 0) {
      smaller.add(from.withLength(Duration.ofSeconds(from.length().toSeconds() / 2)));
    }
    return smaller;
  }
}
