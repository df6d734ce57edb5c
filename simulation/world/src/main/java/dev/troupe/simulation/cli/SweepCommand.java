package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    Sweep sweep = new Sweep(Worker::new, Runtime.getRuntime().availableProcessors());
    Sweep.Outcome outcome = sweep.play(model, first, last);
    Sweep.Failed failed = outcome.failed();
    if (failed == null) {
      System.out.printf(
          Locale.ROOT,
          "clean: %s, seeds %d..%d, %d events, %.1f s%n",
          model.scenario(),
          first,
          last,
          outcome.events(),
          (System.nanoTime() - begun) / 1e9);
      return 0;
    }
    print(System.out, "seed " + failed.parameters().seed(), failed);
    Sweep.Failed small = sweep.shrink(failed);
    if (small != failed) {
      print(System.out, "smaller", small);
    }
    return 1;
  }

  /** What failed, the line that plays it again, and the trace that it should give. */
  static void print(PrintStream out, String title, Sweep.Failed failed) {
    out.println(title + ": " + failed.reply().violation());
    out.println(Report.replay(failed.parameters()));
    out.println("trace " + failed.reply().trace());
  }
}
