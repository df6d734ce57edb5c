package dev.troupe.simulation.scenario;

import dev.troupe.simulation.kernel.Order;
import java.time.Duration;
import java.util.Locale;

/**
 * All that decides a run: the same parameters give the same trace.
 *
 * @param scenario its name
 * @param peers how many, at least 2
 * @param seed of every choice
 * @param length of virtual time under stress; settling comes on top
 * @param faults how many of the scenario's faults happen; the rest are left out. A sweep lowers it
 *     to find the few that matter
 */
public record Parameters(
    String scenario,
    int peers,
    long seed,
    Duration length,
    Fidelity fidelity,
    Order order,
    int faults) {

  /** The most peers of a run. */
  public static final int MAX_PEERS = 100_000;

  /** The longest run. */
  public static final Duration MAX_LENGTH = Duration.ofDays(7);

  /** All faults happen. */
  public static final int ALL_FAULTS = Integer.MAX_VALUE;

  /**
   * Checks them.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  public Parameters {
    if (peers < 2 || peers > MAX_PEERS) {
      throw new IllegalArgumentException("peers: 2 to " + MAX_PEERS + ", not " + peers);
    }
    if (length.isNegative() || length.isZero() || length.compareTo(MAX_LENGTH) > 0) {
      throw new IllegalArgumentException(
          "the length of a run: more than 0 and up to 7 days, not " + show(length));
    }
    if (faults < 0) {
      throw new IllegalArgumentException("faults: 0 or more, not " + faults);
    }
  }

  /** The same with other peers. */
  public Parameters withPeers(int other) {
    return new Parameters(scenario, other, seed, length, fidelity, order, faults);
  }

  /** The same with another seed. */
  public Parameters withSeed(long other) {
    return new Parameters(scenario, peers, other, length, fidelity, order, faults);
  }

  /** The same at another fidelity and in another order. */
  public Parameters withWay(Fidelity otherFidelity, Order otherOrder) {
    return new Parameters(scenario, peers, seed, length, otherFidelity, otherOrder, faults);
  }

  /** The same with another length. */
  public Parameters withLength(Duration other) {
    return new Parameters(scenario, peers, seed, other, fidelity, order, faults);
  }

  /** The same with so many faults. */
  public Parameters withFaults(int other) {
    return new Parameters(scenario, peers, seed, length, fidelity, order, other);
  }

  /** One word that {@link #parse} reads. */
  public String token() {
    return String.join(
        "/",
        scenario,
        Integer.toString(peers),
        Long.toString(seed),
        show(length),
        fidelity.name().toLowerCase(Locale.ROOT),
        order.name().toLowerCase(Locale.ROOT),
        faults == ALL_FAULTS ? "all" : Integer.toString(faults));
  }

  /**
   * Reads a {@link #token}.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  public static Parameters parse(String token) {
    String[] parts = token.strip().split("/", -1);
    if (parts.length != 7) {
      throw new IllegalArgumentException(
          "not the parameters of a run, SCENARIO/PEERS/SEED/LENGTH/FIDELITY/ORDER/FAULTS: "
              + token);
    }
    return new Parameters(
        parts[0],
        (int) number("peers", parts[1]),
        number("seed", parts[2]),
        parseLength(parts[3]),
        oneOf("fidelity", Fidelity.class, parts[4]),
        oneOf("order", Order.class, parts[5]),
        parts[6].equals("all") ? ALL_FAULTS : (int) number("faults", parts[6]));
  }

  private static long number(String what, String text) {
    try {
      long value = Long.parseLong(text);
      if (what.equals("seed") || value == (int) value) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(what + ": a whole number, not '" + text + "'");
  }

  /** One of an enumeration by its name in lower case. */
  public static <E extends Enum<E>> E oneOf(String what, Class<E> type, String text) {
    for (E each : type.getEnumConstants()) {
      if (each.name().toLowerCase(Locale.ROOT).equals(text)) {
        return each;
      }
    }
    StringBuilder names = new StringBuilder();
    for (E each : type.getEnumConstants()) {
      names.append(names.isEmpty() ? "" : " or ").append(each.name().toLowerCase(Locale.ROOT));
    }
    throw new IllegalArgumentException(what + ": " + names + ", not '" + text + "'");
  }

  /**
   * Reads a length such as {@code 500ms}, {@code 90s}, {@code 2m} or {@code 1h}.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static Duration parseLength(String text) {
    java.util.regex.Matcher matcher =
        java.util.regex.Pattern.compile("([0-9]{1,9})(ms|s|m|h)").matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "a length of time such as 500ms, 90s, 2m or 1h, not '" + text + "'");
    }
    long value = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(value);
      case "s" -> Duration.ofSeconds(value);
      case "m" -> Duration.ofMinutes(value);
      default -> Duration.ofHours(value);
    };
  }

  private static String show(Duration length) {
    long millis = length.toMillis();
    return millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
  }
}
