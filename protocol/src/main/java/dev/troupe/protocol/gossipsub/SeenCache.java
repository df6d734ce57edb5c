package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The ids of messages seen of late, by the time of the first sight. Bounded: the oldest are
 * forgotten first.
 */
final class SeenCache {
  private final long ttlNanos;
  private final int capacity;
  private final LinkedHashMap<Bytes, Long> firstSeen = new LinkedHashMap<>();

  SeenCache(long ttlNanos, int capacity) {
    this.ttlNanos = ttlNanos;
    this.capacity = capacity;
  }

  boolean contains(Bytes id, long now) {
    Long at = firstSeen.get(id);
    return at != null && now - at < ttlNanos;
  }

  /** Remembers an id; does nothing when it is remembered already. */
  void add(Bytes id, long now) {
    expire(now);
    if (firstSeen.putIfAbsent(id, now) == null && firstSeen.size() > capacity) {
      Iterator<Bytes> oldest = firstSeen.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /** Entries stand in the order of their age, so the expired ones come first. */
  void expire(long now) {
    Iterator<Map.Entry<Bytes, Long>> oldest = firstSeen.entrySet().iterator();
    while (oldest.hasNext() && now - oldest.next().getValue() >= ttlNanos) {
      oldest.remove();
    }
  }

  int size() {
    return firstSeen.size();
  }
}
