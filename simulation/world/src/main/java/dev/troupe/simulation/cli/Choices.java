package dev.troupe.simulation.cli;

import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Scenario;
import dev.troupe.simulation.scenarios.Scenarios;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** What {@code run} and {@code sweep} share. */
final class Choices {

  @CommandLine.Parameters(paramLabel = "SCENARIO", description = "See 'list'.")
  private String scenario = "";

  @Option(
      names = "--peers",
      paramLabel = "N",
      description = "How many peers (default: the scenario's own).")
  private @Nullable Integer peers;

  @Option(
      names = "--for",
      paramLabel = "DURATION",
      description = "How long the stress lasts, such as 90s or 2m (default: the scenario's own).")
  private @Nullable String length;

  @Option(
      names = "--fidelity",
      paramLabel = "host|wire",
      defaultValue = "host",
      description = "Simulated streams, or every byte of the wire (default host).")
  private String fidelity = "host";

  @Option(
      names = "--order",
      paramLabel = "fifo|random",
      defaultValue = "fifo",
      description = "In which order what is ready runs (default fifo).")
  private String order = "fifo";

  /**
   * The parameters of one seed.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  Parameters parameters(long seed) {
    Scenario chosen = Scenarios.named(scenario);
    return new Parameters(
        chosen.name(),
        peers == null ? chosen.peers() : peers,
        seed,
        length == null ? chosen.length() : Parameters.parseLength(length),
        Parameters.oneOf("--fidelity", Fidelity.class, fidelity),
        Parameters.oneOf("--order", Order.class, order),
        Parameters.ALL_FAULTS);
  }
}
