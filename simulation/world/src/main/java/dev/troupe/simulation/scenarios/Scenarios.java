package dev.troupe.simulation.scenarios;

import dev.troupe.simulation.scenario.Scenario;
import java.util.List;
import java.util.stream.Collectors;

/** All of them, by name. */
public final class Scenarios {

  private static final List<Scenario> ALL =
      List.of(
          new BootstrapStorm(),
          new BootstrapBlocked(),
          new BootstrapFailover(),
          new BootstrapKilled(),
          new CrowdConnects(),
          new HandMadeNetwork(),
          new OpenPond(),
          new FilesProvided(),
          new SybilNeighbours(),
          new ChurnedLookups(),
          new HalfReplaced(),
          new TopicAtScale(),
          new PartitionHeals(),
          new SlowAndSilentPeers(),
          new StashOverload(),
          new Conversations(),
          new SteadyNetwork(),
          new EverythingFails());

  private Scenarios() {}

  /** In the order in which one would read them. */
  public static List<Scenario> all() {
    return ALL;
  }

  /**
   * The scenario of a name.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  public static Scenario named(String name) {
    return ALL.stream()
        .filter(scenario -> scenario.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no scenario '"
                        + name
                        + "'; there are "
                        + ALL.stream().map(Scenario::name).collect(Collectors.joining(", "))));
  }
}
