package dev.troupe.simulation.cli;

import dev.troupe.simulation.check.AnsweredOnce;
import dev.troupe.simulation.check.Delivered;
import dev.troupe.simulation.check.Healthy;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenarios.SteadyNetwork;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code bench}: how fast a network of complete peers runs here. Peers, virtual seconds a second of
 * wall clock, events a second, and bytes of heap a peer after a collection.
 */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Measures how fast a network of complete peers, with one topic each, runs here.")
final class BenchCommand implements Callable<Integer> {

  @SuppressWarnings("NullAway.Init") // picocli sets it.
  @Spec
  private CommandSpec spec;

  @Option(
      names = "--peers",
      paramLabel = "N",
      defaultValue = "1000",
      description = "How many peers (default 1000).")
  private int peers = 1000;

  @Option(
      names = "--for",
      paramLabel = "DURATION",
      defaultValue = "2m",
      description = "How long the network is watched once it has formed (default 2m).")
  private String length = "2m";

  @Option(
      names = "--every",
      paramLabel = "DURATION",
      defaultValue = "10s",
      description = "The pause between two messages to all (default 10s).")
  private String pause = "10s";

  @Option(
      names = "--join",
      paramLabel = "DURATION",
      defaultValue = "20ms",
      description = "The pause between the starts of two peers (default 20ms).")
  private String join = "20ms";

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "60",
      description = "How many connections a peer keeps at most (default 60).")
  private int connections = 60;

  @Option(
      names = "--refresh",
      paramLabel = "DURATION",
      defaultValue = "10m",
      description = "How often each peer looks after its routing table (default 10m).")
  private String refresh = "10m";

  @Option(
      names = "--fidelity",
      paramLabel = "host|wire",
      defaultValue = "host",
      description = "Simulated streams, or every byte of the wire (default host).")
  private String fidelity = "host";

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Decides every choice (default 1).")
  private long seed = 1;

  @Override
  public Integer call() {
    Parameters parameters;
    Stopwatch stopwatch = new Stopwatch(System.out);
    SteadyNetwork network;
    try {
      network =
          new SteadyNetwork(
              new SteadyNetwork.Model(
                  connections,
                  Parameters.parseLength(pause),
                  Parameters.parseLength(join),
                  Parameters.parseLength(refresh)),
              stopwatch);
      parameters =
          new Parameters(
              network.name(),
              peers,
              seed,
              Parameters.parseLength(length),
              Parameters.oneOf("--fidelity", Fidelity.class, fidelity),
              Order.FIFO,
              Parameters.ALL_FAULTS);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    Progress progress = new Progress(System.err, parameters);
    stopwatch.begin();
    Result result =
        Run.of(
            network,
            parameters,
            List.of(new AnsweredOnce(), new Delivered(), new Healthy()),
            progress,
            run -> {});
    progress.close();
    return Report.print(System.out, result, stopwatch.elapsed());
  }

  /** Prints a line at the end of each stage. */
  private static final class Stopwatch implements SteadyNetwork.Stages {
    private final PrintStream out;
    private long begun;
    private long stageBegun;
    private long virtual;
    private long events;

    Stopwatch(PrintStream out) {
      this.out = out;
    }

    void begin() {
      begun = System.nanoTime();
      stageBegun = begun;
    }

    long elapsed() {
      return System.nanoTime() - begun;
    }

    @Override
    public void formed(Run run) {
      stage("forming", run);
      System.gc();
      Runtime runtime = Runtime.getRuntime();
      long heap = runtime.totalMemory() - runtime.freeMemory();
      int peers = run.cluster().nodes().size();
      out.printf(
          Locale.ROOT,
          "heap     %d MB after a collection, %d bytes a peer%n",
          heap / 1_000_000,
          heap / peers);
      stageBegun = System.nanoTime();
    }

    @Override
    public void observed(Run run) {
      stage("steady", run);
    }

    private void stage(String name, Run run) {
      double wall = (System.nanoTime() - stageBegun) / 1e9;
      double seconds = (run.cluster().system().now() - virtual) / 1e9;
      long happened = run.cluster().system().eventCount() - events;
      out.printf(
          Locale.ROOT,
          "%-8s peers %d virtual %.3f wall %.3f: %.1f virtual seconds a second, %.0f events a second%n",
          name,
          run.cluster().nodes().size(),
          seconds,
          wall,
          seconds / wall,
          happened / wall);
      virtual = run.cluster().system().now();
      events = run.cluster().system().eventCount();
      stageBegun = System.nanoTime();
    }
  }
}
