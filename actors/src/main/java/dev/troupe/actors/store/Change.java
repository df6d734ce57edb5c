package dev.troupe.actors.store;

import dev.troupe.protocol.Bytes;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a {@link Store}, put or deleted.
 *
 * @param key 1 to {@link Store#MAX_KEY} bytes
 * @param value at most {@link Store#MAX_VALUE} bytes; null deletes
 */
public record Change(StoreCollection collection, Bytes key, @Nullable Bytes value) {

  /** What an entry counts for, in bytes, beside its key and its value. */
  static final int OVERHEAD = 32;

  /** Orders by what is changed; two changes of one entry are equal in it. */
  public static final Comparator<Change> BY_PLACE =
      Comparator.comparing(Change::collection).thenComparing(Change::key);

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public Change {
    if (key.isEmpty() || key.size() > Store.MAX_KEY) {
      throw new IllegalArgumentException("a key of " + key.size() + " bytes");
    }
    if (value != null && value.size() > Store.MAX_VALUE) {
      throw new IllegalArgumentException("a value of " + value.size() + " bytes");
    }
  }

  /** An entry is to be there, and to replace one with the same key. */
  public static Change put(StoreCollection collection, Bytes key, Bytes value) {
    return new Change(collection, key, value);
  }

  /** There is to be no entry with this key. */
  public static Change delete(StoreCollection collection, Bytes key) {
    return new Change(collection, key, null);
  }

  /** What it counts for where what waits is bounded. */
  public long bytes() {
    return sizeOf(key.size(), value == null ? 0 : value.size());
  }

  /** What an entry counts for where the store is bounded. */
  public static long sizeOf(int key, int value) {
    return OVERHEAD + key + (long) value;
  }
}
