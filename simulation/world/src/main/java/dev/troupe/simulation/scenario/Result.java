package dev.troupe.simulation.scenario;

import java.util.List;

/**
 * How a run went.
 *
 * @param trace the digest of all that happened, up to the first violation
 * @param peers that were ever started
 * @param virtualNanos how long it lasted in virtual time
 * @param events turns, tasks and timers
 * @param violations empty when all was well
 */
public record Result(
    Parameters parameters,
    long trace,
    int peers,
    long virtualNanos,
    long events,
    List<Violation> violations) {

  /** Copies the list. */
  public Result {
    violations = List.copyOf(violations);
  }

  /** Whether all was well. */
  public boolean isClean() {
    return violations.isEmpty();
  }

  /** The digest as 16 hexadecimal digits. */
  public String traceText() {
    return String.format(java.util.Locale.ROOT, "%016x", trace);
  }
}
