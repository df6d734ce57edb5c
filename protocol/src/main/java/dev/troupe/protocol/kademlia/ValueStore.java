package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.time.Duration;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The values that this peer keeps for others, in memory. Each is valid in its namespace, and none
 * is replaced by a worse one.
 *
 * <p>When there is no room, the value farthest from us gives way, and a newcomer that is farther
 * than all is refused: those near to us are the ones that others will ask us for.
 *
 * <p>Not thread-safe.
 */
public final class ValueStore {

  private final Namespaces namespaces;
  private final Key self;
  private final int maxRecords;
  private final long timeToLiveNanos;
  private final NavigableMap<Distance, Stored> records = new TreeMap<>();

  /**
   * An empty store.
   *
   * @param self where we live
   * @param maxRecords how many values are kept at most
   * @param timeToLive for how long each is kept, unless it is put again
   */
  public ValueStore(Namespaces namespaces, PeerId self, int maxRecords, Duration timeToLive) {
    if (maxRecords < 1) {
      throw new IllegalArgumentException("a value store must hold at least one value");
    }
    this.namespaces = namespaces;
    this.self = Key.of(self);
    this.maxRecords = maxRecords;
    this.timeToLiveNanos = timeToLive.toNanos();
  }

  /** What became of a value. */
  public enum Outcome {
    /** It is stored. */
    STORED,
    /** A better one is stored already. */
    OUTDATED,
    /** There is no room for it. */
    FULL
  }

  /**
   * Stores a value, if it is valid and no better one is there.
   *
   * @throws InvalidRecordException if it must not be under its key
   */
  public Outcome put(ValueRecord record, long now) throws InvalidRecordException {
    namespaces.validate(record.key(), record.value());
    Distance distance = self.distanceTo(Key.of(record.key()));
    Optional<ValueRecord> held = get(record.key(), now);
    if (held.isPresent()) {
      Bytes better = namespaces.select(record.key(), List.of(record.value(), held.get().value()));
      if (!better.equals(record.value())) {
        return Outcome.OUTDATED;
      }
    } else if (!records.containsKey(distance)
        && records.size() >= maxRecords
        && !makeRoomFor(distance)) {
      return Outcome.FULL;
    }
    records.put(distance, new Stored(record, now + timeToLiveNanos));
    return Outcome.STORED;
  }

  /** The value of a key, if there is one that has not expired. */
  public Optional<ValueRecord> get(Bytes key, long now) {
    Stored stored = records.get(self.distanceTo(Key.of(key)));
    return stored == null || stored.isExpired(now) ? Optional.empty() : Optional.of(stored.record);
  }

  /** Drops what has expired. */
  public void expire(long now) {
    records.values().removeIf(stored -> stored.isExpired(now));
  }

  /** How many values are kept, expired ones included. */
  public int size() {
    return records.size();
  }

  private boolean makeRoomFor(Distance newcomer) {
    Distance farthest = records.lastKey();
    return farthest.compareTo(newcomer) > 0 && records.remove(farthest) != null;
  }

  private record Stored(ValueRecord record, long expiresAt) {
    boolean isExpired(long now) {
      return now - expiresAt >= 0;
    }
  }
}
