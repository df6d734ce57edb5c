package dev.troupe.simulation.testkit;

import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** All that decides how a simulated test goes. */
record SimulatedRun(long seed, Order order, Fidelity fidelity, List<String> guard) {

  /** The property that replaces what annotations say. */
  static final String PROPERTY = "troupe.simulated";

  /** The most runs of one test. */
  static final int MAX_RUNS = 100_000;

  private static final Pattern SEEDS = Pattern.compile("(-?[0-9]{1,18})(?:\\.\\.(-?[0-9]{1,18}))?");

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
      Matcher matcher = SEEDS.matcher(part.strip());
      if (!matcher.matches()) {
        throw new IllegalArgumentException(
            "seeds: such as \"1..20\" or \"3,7,100..120\", not '" + annotation.seeds() + "'");
      }
      long first = Long.parseLong(matcher.group(1));
      long last = matcher.group(2) == null ? first : Long.parseLong(matcher.group(2));
      if (last < first || last - first >= MAX_RUNS - seeds.size()) {
        throw new IllegalArgumentException(
            "seeds: from a smaller to a greater and "
                + MAX_RUNS
                + " at most, not '"
                + annotation.seeds()
                + "'");
      }
      for (long seed = first; seed <= last; seed++) {
        seeds.add(seed);
      }
    }
    return seeds;
  }

  private static SimulatedRun parse(String token, List<String> guard) {
    String[] parts = token.strip().split("/", -1);
    if (parts.length != 3 || !parts[0].matches("-?[0-9]{1,18}")) {
      throw new IllegalArgumentException(
          PROPERTY + ": SEED/ORDER/FIDELITY, such as 7/random/host, not '" + token + "'");
    }
    return new SimulatedRun(
        Long.parseLong(parts[0]),
        Parameters.oneOf("order", Order.class, parts[1]),
        Parameters.oneOf("fidelity", Fidelity.class, parts[2]),
        guard);
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
