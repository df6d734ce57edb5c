package dev.troupe.simulation.testkit;

import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** All that decides how a simulated test goes. */
record SimulatedRun(long seed, Order order, Fidelity fidelity, List<String> guard) {

  /** The property that replaces what annotations say. */
  static final String PROPERTY = "troupe.simulated";

  /** The most runs of one test. */
  static final int MAX_RUNS = 100_000;

  SimulatedRun {
    guard = List.copyOf(guard);
  }

  /**
   * The runs that an annotation asks for.
   *
   * @param replaced the value of {@link #PROPERTY}, if it is set
   * @throws IllegalArgumentException naming what cannot be understood
   */
  static List<SimulatedRun> of(Simulated annotation, @Nullable String replaced) {
    List<String> guard = List.of(annotation.guard());
    if (replaced != null) {
      return List.of(parse(replaced, guard));
    }
    List<SimulatedRun> runs = new ArrayList<>();
    for (long seed : seeds(annotation)) {
      runs.add(new SimulatedRun(seed, annotation.order(), annotation.fidelity(), guard));
    }
    return runs;
  }

  private static List<Long> seeds(Simulated annotation) {
    if (annotation.seeds().isBlank()) {
      return List.of(annotation.seed());
    }
    List<Long> seeds = new ArrayList<>();
    for (String part : annotation.seeds().split(",", -1)) {
      String[] ends = part.strip().split("\\.\\.", 2);
      OptionalLong from = number(ends[0]);
      OptionalLong to = number(ends[ends.length - 1]);
      if (from.isEmpty() || to.isEmpty()) {
        throw new IllegalArgumentException(
            "seeds: such as \"1..20\" or \"3,7,100..120\", not '" + annotation.seeds() + "'");
      }
      long first = from.getAsLong();
      long last = to.getAsLong();
      long further = last - first; // Negative as well where that is more than a long can be.
      if (last < first || further < 0 || further >= MAX_RUNS - seeds.size()) {
        throw new IllegalArgumentException(
            "seeds: from a smaller to a greater and "
                + MAX_RUNS
                + " at most, not '"
                + annotation.seeds()
                + "'");
      }
      for (long i = 0; i <= further; i++) {
        seeds.add(first + i);
      }
    }
    return seeds;
  }

  private static SimulatedRun parse(String token, List<String> guard) {
    String[] parts = token.strip().split("/", -1);
    OptionalLong seed = number(parts[0]);
    if (parts.length != 3 || seed.isEmpty()) {
      throw new IllegalArgumentException(
          PROPERTY + ": SEED/ORDER/FIDELITY, such as 7/random/host, not '" + token + "'");
    }
    return new SimulatedRun(
        seed.getAsLong(),
        Parameters.oneOf("order", Order.class, parts[1]),
        Parameters.oneOf("fidelity", Fidelity.class, parts[2]),
        guard);
  }

  private static OptionalLong number(String text) {
    try {
      return OptionalLong.of(Long.parseLong(text));
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  /** What {@link #PROPERTY} is set to for this run. */
  String token() {
    return seed
        + "/"
        + order.name().toLowerCase(Locale.ROOT)
        + "/"
        + fidelity.name().toLowerCase(Locale.ROOT);
  }

  String displayName() {
    return "seed " + token();
  }
}
