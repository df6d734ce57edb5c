package dev.troupe.actors.store;

import dev.troupe.protocol.Bytes;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** The contents of a {@link Store}, in memory. Not thread-safe. */
public final class StoreImage {

  private final Map<StoreCollection, NavigableMap<Bytes, Bytes>> collections =
      new EnumMap<>(StoreCollection.class);
  private long bytes;

  /** Without an entry. */
  public StoreImage() {
    for (StoreCollection collection : StoreCollection.values()) {
      collections.put(collection, new TreeMap<>());
    }
  }

  /** A copy, which goes its own way. */
  public StoreImage copy() {
    StoreImage copy = new StoreImage();
    collections.forEach((collection, entries) -> copy.of(collection).putAll(entries));
    copy.bytes = bytes;
    return copy;
  }

  /** How much it holds, as {@link StoreSettings#maxBytes} counts. */
  public long bytes() {
    return bytes;
  }

  /**
   * Makes changes, all or none of them.
   *
   * @param maxBytes how much it may hold then; what makes it smaller is always done
   * @return whether there was room
   */
  public boolean apply(Batch batch, long maxBytes) {
    long after = bytes;
    Map<Change, Long> sizes = new TreeMap<>(Change.BY_PLACE);
    for (Change change : batch.changes()) {
      Long before = sizes.get(change);
      Bytes value = change.value();
      long now = value == null ? 0 : Change.sizeOf(change.key().size(), value.size());
      after += now - (before == null ? sizeAt(change) : before);
      sizes.put(change, now);
    }
    if (after > maxBytes && after > bytes) {
      return false;
    }
    for (Change change : batch.changes()) {
      Bytes value = change.value();
      if (value == null) {
        of(change.collection()).remove(change.key());
      } else {
        of(change.collection()).put(change.key(), value);
      }
    }
    bytes = after;
    return true;
  }

  private long sizeAt(Change change) {
    Bytes value = of(change.collection()).get(change.key());
    return value == null ? 0 : Change.sizeOf(change.key().size(), value.size());
  }

  /** As {@link Store#read}. */
  public Page page(StoreCollection from, Bytes after) {
    List<Page.Entry> entries = new ArrayList<>();
    int size = 0;
    for (Map.Entry<Bytes, Bytes> entry : of(from).tailMap(after, false).entrySet()) {
      if (entries.size() == Store.PAGE_ENTRIES || size >= Store.PAGE_BYTES) {
        return new Page(entries, false);
      }
      entries.add(new Page.Entry(entry.getKey(), entry.getValue()));
      size += entry.getKey().size() + entry.getValue().size();
    }
    return new Page(entries, true);
  }

  private NavigableMap<Bytes, Bytes> of(StoreCollection collection) {
    return collections.getOrDefault(collection, new TreeMap<>());
  }
}
