package dev.troupe.simulation.cli;

import dev.troupe.simulation.report.RunReport;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import dev.troupe.simulation.scenarios.Scenarios;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The entry of {@code troupe-sim.jar}. Exit codes: 0 when nothing was violated, 1 when something
 * was or the report could not be written, 2 for a command line that cannot be understood.
 */
@Command(
    name = "troupe-sim",
    mixinStandardHelpOptions = true,
    version = "troupe-sim 0.1.0",
    description = "Whole networks of peers on virtual time, replayable from one seed.",
    subcommands = {
      Main.ListCommand.class,
      RunCommand.class,
      SweepCommand.class,
      RepeatCommand.class,
      BenchCommand.class,
      Main.ReplayCommand.class,
      Main.WorkerCommand.class,
      CommandLine.HelpCommand.class
    })
public final class Main {

  private Main() {}

  /** Runs the command line and exits. */
  public static void main(String[] args) {
    System.setOut(
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
    // What actors log has nowhere to go here, and nobody needs to be told so.
    System.setProperty("slf4j.internal.verbosity", "ERROR");
    System.exit(execute(args));
  }

  /** Runs the command line; answers the exit code. */
  static int execute(String... args) {
    return new CommandLine(new Main()).execute(args);
  }

  /**
   * Plays parameters that were checked before, and prints how it went.
   *
   * @param report what becomes a report as well, or null
   */
  static int play(Parameters parameters, @Nullable RunReport report) {
    Progress progress = new Progress(System.err, parameters);
    long begun = System.nanoTime();
    Result result =
        Run.of(
            Scenarios.named(parameters.scenario()),
            parameters,
            Run.allCheckers(),
            progress,
            report == null ? run -> {} : report::survey);
    long wallNanos = System.nanoTime() - begun;
    progress.close();
    boolean written = report == null || write(report, result, wallNanos);
    int code = Report.print(System.out, result, wallNanos);
    return written ? code : 1;
  }

  private static boolean write(RunReport report, Result result, long wallNanos) {
    try {
      System.err.println("report: " + report.write(result, wallNanos));
      return true;
    } catch (IOException e) {
      System.err.println("the report could not be written: " + e);
      return false;
    }
  }

  @Command(name = "list", mixinStandardHelpOptions = true, description = "Names the scenarios.")
  static final class ListCommand implements Callable<Integer> {
    @Override
    public Integer call() {
      for (Scenario scenario : Scenarios.all()) {
        System.out.printf(
            "%-22s %s (%d peers, %d s)%n",
            scenario.name(),
            scenario.description(),
            scenario.peers(),
            scenario.length().toSeconds());
      }
      return 0;
    }
  }

  @Command(
      name = "replay",
      mixinStandardHelpOptions = true,
      description = "Plays again what a failure printed.")
  static final class ReplayCommand implements Callable<Integer> {
    @SuppressWarnings("NullAway.Init") // picocli sets it.
    @Spec
    private CommandSpec spec;

    @CommandLine.Parameters(
        paramLabel = "RUN",
        description = "SCENARIO/PEERS/SEED/LENGTH/FIDELITY/ORDER/FAULTS")
    private String token = "";

    @CommandLine.Mixin private Reporting reporting = new Reporting();

    @Override
    public Integer call() {
      try {
        Parameters parameters = Parameters.parse(token);
        Scenarios.named(parameters.scenario());
        return play(parameters, reporting.prepare());
      } catch (IllegalArgumentException e) {
        throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
      }
    }
  }

  /** Plays the runs that come on standard input, one a line; a sweep starts it. */
  @Command(name = "worker", hidden = true)
  static final class WorkerCommand implements Callable<Integer> {
    @Override
    public Integer call() throws IOException {
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        Parameters parameters = Parameters.parse(line);
        Result result = Run.of(Scenarios.named(parameters.scenario()), parameters);
        System.out.println(WorkerReply.of(result).line());
      }
      return 0;
    }
  }
}
