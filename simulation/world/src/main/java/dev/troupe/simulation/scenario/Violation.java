package dev.troupe.simulation.scenario;

/**
 * Something that must hold did not.
 *
 * @param checker who says so
 * @param atNanos when, in virtual time
 */
public record Violation(String checker, long atNanos, String message) {

  @Override
  public String toString() {
    return String.format(
        java.util.Locale.ROOT, "%s at %.3f s: %s", checker, atNanos / 1e9, message);
  }
}
