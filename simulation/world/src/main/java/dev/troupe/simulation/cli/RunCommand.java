package dev.troupe.simulation.cli;

import dev.troupe.simulation.report.RunReport;
import dev.troupe.simulation.scenario.Parameters;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code run}: one run of one scenario. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description = "Plays a scenario once; exit code 1 if anything was violated.")
final class RunCommand implements Callable<Integer> {

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

  @Mixin private Reporting reporting = new Reporting();

  @Override
  public Integer call() {
    Parameters parameters;
    @Nullable RunReport report;
    try {
      parameters = choices.parameters(seed);
      report = reporting.prepare();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    return Main.play(parameters, report);
  }
}
