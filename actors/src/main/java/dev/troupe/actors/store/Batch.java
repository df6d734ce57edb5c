package dev.troupe.actors.store;

import java.util.List;

/**
 * Changes that take effect together or not at all, in this order.
 *
 * @param changes at least one
 */
public record Batch(List<Change> changes) {

  /**
   * Copies the list.
   *
   * @throws IllegalArgumentException if it is empty
   */
  public Batch {
    changes = List.copyOf(changes);
    if (changes.isEmpty()) {
      throw new IllegalArgumentException("a batch without changes");
    }
  }

  /** These changes. */
  public static Batch of(Change... changes) {
    return new Batch(List.of(changes));
  }

  /** What they count for where what waits is bounded. */
  public long bytes() {
    long bytes = 0;
    for (Change change : changes) {
      bytes += change.bytes();
    }
    return bytes;
  }
}
