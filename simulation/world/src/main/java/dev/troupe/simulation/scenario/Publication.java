package dev.troupe.simulation.scenario;

import java.util.List;

/**
 * A message whose delivery is owed.
 *
 * @param text unlike that of any other message
 * @param receivers who must hear it once, as long as nothing happens to them
 * @param publishedAt in virtual nanoseconds
 * @param dueAt until when
 */
public record Publication(
    String text, Node publisher, List<Node> receivers, long publishedAt, long dueAt) {

  /** Copies the list. */
  public Publication {
    receivers = List.copyOf(receivers);
  }
}
