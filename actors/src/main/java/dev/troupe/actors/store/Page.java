package dev.troupe.actors.store;

import dev.troupe.protocol.Bytes;
import java.util.List;

/**
 * A part of a collection.
 *
 * @param entries in the order of their keys, as unsigned bytes; at most {@link Store#PAGE_ENTRIES},
 *     and no more than one beyond {@link Store#PAGE_BYTES}
 * @param isLast whether there is nothing after them; if not, read on after the last one's key
 */
public record Page(List<Entry> entries, boolean isLast) {

  /** One entry. */
  public record Entry(Bytes key, Bytes value) {}

  /** Copies the list. */
  public Page {
    entries = List.copyOf(entries);
  }
}
