package dev.troupe.actors.dht;

import dev.troupe.actors.dht.Query.Outcome;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.Distance;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.ProviderStore;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.kademlia.ValueStore;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Decides when a {@link Dht} announces again what it provides and the values that it put, and what
 * of it at one go (kad-dht specification, "Content provider advertisement and discovery"). Pure.
 *
 * <p>A record is due an interval after it was announced, less what is drawn at the start: peers
 * that started together must not all come back together. With a key that is due go the others of
 * its region of the keyspace, unless they were announced in the last half of the interval; so in
 * the end each region is announced at one go. One lookup is under way at a time.
 */
final class Republishing {

  /** So many keys are announced in one lookup at most; what there is beyond comes with the next. */
  static final int KEYS_A_SWEEP = 4096;

  /** The interval is shortened by one part in so many at most. */
  static final int JITTER_PART = 10;

  private final DhtSettings settings;
  private final ValueStore values;
  private final ProviderStore providers;
  private final long providerInterval;
  private final long valueInterval;

  /** When values that nobody took may be tried again. */
  private final Map<Bytes, Long> pausedValues = new LinkedHashMap<>();

  private @Nullable Long pausedUntil;
  private @Nullable Long underWay;
  private @Nullable ValueRecord chosen;

  /** What is to be done now. */
  record Task(Query query, Duration budget) {}

  /** Nothing is under way. */
  Republishing(
      DhtSettings settings, ValueStore values, ProviderStore providers, RandomGenerator random) {
    this.settings = settings;
    this.values = values;
    this.providers = providers;
    this.providerInterval = shortened(settings.records().providerRepublish(), random);
    this.valueInterval = shortened(settings.records().valueRepublish(), random);
  }

  private static long shortened(Duration interval, RandomGenerator random) {
    return interval.toNanos() - random.nextLong(interval.toNanos() / JITTER_PART + 1);
  }

  /** What is due, if something is. */
  Optional<Task> next(PeerInfo self, long now, InstantSource clock) {
    chosen = null;
    List<Multihash> keys = dueKeys(now);
    if (!keys.isEmpty()) {
      Query sweep = new Query.Sweep(keys, self, settings.replication());
      return Optional.of(new Task(sweep, settings.records().sweep()));
    }
    pausedValues.values().removeIf(until -> until - now <= 0);
    for (ValueStore.Own own : values.own(now)) {
      boolean isDue =
          now - own.putAt() >= valueInterval && !pausedValues.containsKey(own.record().key());
      // One whose time is over is dropped by the look.
      if (isDue && values.get(own.record().key(), now).isPresent()) {
        ValueRecord record = own.record().receivedAt(clock.instant());
        chosen = record;
        Query placement = new Query.Placement(KademliaMessage.putValue(record));
        return Optional.of(new Task(placement, settings.timing().put()));
      }
    }
    return Optional.empty();
  }

  /** The first that is due, and then those that may go with it, the nearest to it first. */
  private List<Multihash> dueKeys(long now) {
    if (pausedUntil != null && pausedUntil - now > 0) {
      return List.of();
    }
    pausedUntil = null;
    List<ProviderStore.Provided> own = providers.own();
    Optional<Multihash> first =
        own.stream()
            .filter(each -> now - each.announcedAt() >= providerInterval)
            .map(ProviderStore.Provided::key)
            .findFirst();
    if (first.isEmpty()) {
      return List.of();
    }
    Key point = Key.of(first.get().encoded());
    Map<Distance, Multihash> nearest = new TreeMap<>();
    for (ProviderStore.Provided each : own) {
      if (now - each.announcedAt() >= settings.records().providerRepublish().toNanos() / 2) {
        nearest.put(point.distanceTo(Key.of(each.key().encoded())), each.key());
      }
    }
    nearest.put(point.distanceTo(point), first.get());
    List<Multihash> all = new ArrayList<>(nearest.values());
    return List.copyOf(all.subList(0, Math.min(KEYS_A_SWEEP, all.size())));
  }

  /** How long until something is due; empty where nothing ever is. */
  Optional<Duration> untilNext(long now) {
    OptionalLong keys =
        providers.own().stream()
            .mapToLong(each -> each.announcedAt() + providerInterval - now)
            .min();
    long pause = pausedUntil == null ? 0 : pausedUntil - now;
    LongStream ofValues =
        values.own(now).stream()
            .mapToLong(
                own ->
                    Math.max(
                        own.putAt() + valueInterval - now,
                        pausedValues.getOrDefault(own.record().key(), now) - now));
    LongStream ofKeys =
        keys.isEmpty() ? LongStream.empty() : LongStream.of(Math.max(keys.getAsLong(), pause));
    OptionalLong left = LongStream.concat(ofKeys, ofValues).min();
    return left.isEmpty()
        ? Optional.empty()
        : Optional.of(Duration.ofNanos(Math.max(1, left.getAsLong())));
  }

  /** The lookup for what {@link #next} said last has been started. */
  void begin(long lookup) {
    underWay = lookup;
  }

  boolean isUnderWay() {
    return underWay != null;
  }

  boolean isUnderWay(long lookup) {
    return underWay != null && underWay == lookup;
  }

  /**
   * It has ended. What others know of now counts as announced; when nobody took anything, it is
   * tried again after a pause.
   */
  void end(Outcome outcome, List<Multiaddr> addresses, PeerId self, long now) {
    underWay = null;
    if (outcome instanceof Outcome.Announced announced) {
      announced.keys().forEach(key -> providers.announced(key, addresses, now));
    } else if (chosen != null && outcome instanceof Outcome.Placed) {
      putAgain(chosen, self, now);
    } else if (chosen != null) {
      pausedValues.put(chosen.key(), now + settings.records().pause().toNanos());
    } else {
      pausedUntil = now + settings.records().pause().toNanos();
    }
  }

  private void putAgain(ValueRecord record, PeerId self, long now) {
    try {
      boolean isCurrent =
          values
              .get(record.key(), now)
              .filter(held -> held.value().equals(record.value()))
              .isPresent();
      if (isCurrent) {
        values.put(self, record, now);
      }
    } catch (InvalidRecordException e) {
      values.expire(now); // Its time is over, and it is not found any more.
    }
  }
}
