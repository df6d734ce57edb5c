package dev.troupe.actors.dht;

import static java.util.Objects.requireNonNull;

import dev.troupe.actors.dht.Dht.Reason;
import dev.troupe.actors.dht.Query.Outcome;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.Distance;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.ProviderStore;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.kademlia.ValueStore;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Decides when a {@link Dht} announces again what it provides and the values that it put, and what
 * of it at one go (kad-dht specification, "Content provider advertisement and discovery"). Pure.
 *
 * <p>A record is due an interval after it was announced, less what is drawn at the start: peers
 * that started together must not all come back together. One that this peer provides at other
 * addresses than those it has announced is due before, yet not within the pause. With a key that is
 * due go the others of its region of the keyspace, unless they were announced in the last half of
 * the interval; so in the end each region is announced at one go. One lookup is under way at a
 * time, keys and values by turns where both are due; and beside it those of operations, whose keys
 * and values are nobody else's meanwhile.
 *
 * <p>What comes to nothing is tried again after a pause, and only that waits; a value longer each
 * time, since it may be others' that has overtaken it. Where nobody at all has answered, everything
 * waits. A crash loses the pauses, and what was under way is due again.
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
  private final long pause;

  /** What has come to nothing; of ours only. */
  private final Retries<Multihash> keyRetries;

  private final Retries<Bytes> valueRetries;

  /** What is under way, by lookup: for operations, and our own. */
  private final Map<Long, Errand> errands = new LinkedHashMap<>();

  /** Nobody at all has answered: nothing is tried until then. */
  private @Nullable Long pausedUntil;

  private @Nullable Long underWay;
  private @Nullable Errand chosen;
  private boolean keysWereLast;

  /** What is to be done now. */
  record Task(Query query, Duration budget) {}

  /** What others are being told. */
  private sealed interface Errand {

    /** That we provide these, at those addresses. */
    record OfKeys(List<Multihash> keys, List<Multiaddr> addresses) implements Errand {}

    /** A value. */
    record OfValue(ValueRecord record) implements Errand {}
  }

  /** Nothing is under way. */
  Republishing(
      DhtSettings settings, ValueStore values, ProviderStore providers, RandomGenerator random) {
    this.settings = settings;
    this.values = values;
    this.providers = providers;
    this.providerInterval = shortened(settings.records().providerRepublish(), random);
    this.valueInterval = shortened(settings.records().valueRepublish(), random);
    this.pause = settings.records().pause().toNanos();
    this.keyRetries = new Retries<>(pause, pause);
    this.valueRetries = new Retries<>(pause, Math.max(pause, valueInterval));
  }

  private static long shortened(Duration interval, RandomGenerator random) {
    return interval.toNanos() - random.nextLong(interval.toNanos() / JITTER_PART + 1);
  }

  /** What is due, if something is. What of our own is no longer valid is dropped meanwhile. */
  Optional<Task> next(PeerInfo self, long now, InstantSource clock) {
    chosen = null;
    if (pausedUntil != null && pausedUntil - now > 0) {
      return Optional.empty();
    }
    pausedUntil = null;
    return keysWereLast
        ? dueValue(now, clock).or(() -> dueKeys(self, now))
        : dueKeys(self, now).or(() -> dueValue(now, clock));
  }

  private Optional<Task> dueValue(long now, InstantSource clock) {
    List<ValueStore.Own> own = values.own();
    valueRetries.retain(own.stream().map(each -> each.record().key()).toList());
    Set<Bytes> busy = busyValues();
    for (ValueStore.Own each : own) {
      if (!busy.contains(each.record().key())
          && dueAt(each, now) - now <= 0
          && values.get(each.record().key(), now).isPresent()) {
        ValueRecord record = each.record().receivedAt(clock.instant());
        chosen = new Errand.OfValue(record);
        Query placement = new Query.Placement(KademliaMessage.putValue(record));
        return Optional.of(new Task(placement, settings.timing().put()));
      }
    }
    return Optional.empty();
  }

  /** The first that is due, and then those that may go with it, the nearest to it first. */
  private Optional<Task> dueKeys(PeerInfo self, long now) {
    List<ProviderStore.Provided> own = providers.own(self.addresses());
    keyRetries.retain(own.stream().map(ProviderStore.Provided::key).toList());
    Set<Multihash> busy = busyKeys();
    List<ProviderStore.Provided> free =
        own.stream()
            .filter(each -> !busy.contains(each.key()) && keyRetries.left(each.key(), now) == 0)
            .toList();
    Optional<Multihash> first =
        free.stream()
            .filter(each -> dueAt(each, self.addresses(), now) - now <= 0)
            .map(ProviderStore.Provided::key)
            .findFirst();
    if (first.isEmpty()) {
      return Optional.empty();
    }
    Key point = Key.of(first.get().encoded());
    long half = settings.records().providerRepublish().toNanos() / 2;
    Map<Distance, Multihash> nearest = new TreeMap<>();
    for (ProviderStore.Provided each : free) {
      if (now - each.announcedAt() >= half || dueAt(each, self.addresses(), now) - now <= 0) {
        nearest.put(point.distanceTo(Key.of(each.key().encoded())), each.key());
      }
    }
    List<Multihash> all = new ArrayList<>(nearest.values());
    List<Multihash> keys = List.copyOf(all.subList(0, Math.min(KEYS_A_SWEEP, all.size())));
    chosen = new Errand.OfKeys(keys, self.addresses());
    Query sweep = new Query.Sweep(keys, self, settings.replication());
    return Optional.of(new Task(sweep, settings.records().sweep()));
  }

  /** Where this peer listens nowhere, it has nothing better to announce. */
  private long dueAt(ProviderStore.Provided key, List<Multiaddr> today, long now) {
    boolean isElsewhere = key.isElsewhere() && !today.isEmpty();
    long interval = isElsewhere ? Math.min(pause, providerInterval) : providerInterval;
    return Math.max(key.announcedAt() + interval - now, keyRetries.left(key.key(), now)) + now;
  }

  private long dueAt(ValueStore.Own own, long now) {
    long left = valueRetries.left(own.record().key(), now);
    return Math.max(own.putAt() + valueInterval - now, left) + now;
  }

  private Set<Multihash> busyKeys() {
    Set<Multihash> busy = new LinkedHashSet<>();
    for (Errand errand : errands.values()) {
      if (errand instanceof Errand.OfKeys ofKeys) {
        busy.addAll(ofKeys.keys());
      }
    }
    return busy;
  }

  private Set<Bytes> busyValues() {
    Set<Bytes> busy = new LinkedHashSet<>();
    for (Errand errand : errands.values()) {
      if (errand instanceof Errand.OfValue ofValue) {
        busy.add(ofValue.record().key());
      }
    }
    return busy;
  }

  /** How long until something is due; empty where nothing is that is not under way. */
  Optional<Duration> untilNext(List<Multiaddr> today, long now) {
    Set<Multihash> busyKeys = busyKeys();
    Set<Bytes> busyValues = busyValues();
    LongStream ofKeys =
        providers.own(today).stream()
            .filter(each -> !busyKeys.contains(each.key()))
            .mapToLong(each -> dueAt(each, today, now) - now);
    LongStream ofValues =
        values.own().stream()
            .filter(each -> !busyValues.contains(each.record().key()))
            .mapToLong(each -> dueAt(each, now) - now);
    long paused = pausedUntil == null ? 1 : Math.max(1, pausedUntil - now);
    OptionalLong left = LongStream.concat(ofKeys, ofValues).min();
    return left.isEmpty()
        ? Optional.empty()
        : Optional.of(Duration.ofNanos(Math.max(paused, left.getAsLong())));
  }

  /** The lookup for what {@link #next} said last has been started. */
  void begin(long lookup) {
    underWay = lookup;
    Errand errand = requireNonNull(chosen, "nothing is due");
    errands.put(lookup, errand);
    keysWereLast = errand instanceof Errand.OfKeys;
  }

  /** An operation announces a key, at these addresses. */
  void begin(long lookup, Multihash key, List<Multiaddr> addresses) {
    errands.put(lookup, new Errand.OfKeys(List.of(key), addresses));
  }

  /** An operation puts a value. */
  void begin(long lookup, ValueRecord record) {
    errands.put(lookup, new Errand.OfValue(record));
  }

  /** Whether one is under way that is no operation's. */
  boolean isUnderWay() {
    return underWay != null;
  }

  boolean isUnderWay(long lookup) {
    return underWay != null && underWay == lookup;
  }

  /**
   * It has ended. What others know of now counts as announced; the rest is tried again after a
   * pause.
   *
   * @return whether something of this was under way; if not, nothing is done
   */
  boolean end(long lookup, Outcome outcome, long now) {
    Errand errand = errands.remove(lookup);
    if (errand == null) {
      return false;
    }
    if (isUnderWay(lookup)) {
      underWay = null;
      if (isNobodyThere(errand, outcome)) {
        pausedUntil = now + pause;
        return true;
      }
    }
    if (errand instanceof Errand.OfKeys ofKeys) {
      onEnded(ofKeys, outcome, now);
    } else {
      onEnded((Errand.OfValue) errand, outcome, now);
    }
    return true;
  }

  /** A sweep fails only where its walk found nobody. */
  private static boolean isNobodyThere(Errand errand, Outcome outcome) {
    return outcome instanceof Outcome.Failed failed
        && (failed.reason() == Reason.NO_PEERS
            || errand instanceof Errand.OfKeys && failed.reason() != Reason.CRASHED);
  }

  private void onEnded(Errand.OfKeys errand, Outcome outcome, long now) {
    List<Multihash> known = List.of();
    List<Multihash> missed = errand.keys();
    if (outcome instanceof Outcome.Announced announced) {
      known = announced.keys();
      missed = announced.missed();
    } else if (outcome instanceof Outcome.Placed) {
      known = errand.keys();
      missed = List.of();
    }
    for (Multihash key : known) {
      providers.announced(key, errand.addresses(), now);
      keyRetries.succeeded(key);
    }
    missed.forEach(key -> keyRetries.failed(key, now));
  }

  private void onEnded(Errand.OfValue errand, Outcome outcome, long now) {
    Bytes key = errand.record().key();
    if (outcome instanceof Outcome.Placed) {
      values.announced(errand.record(), now);
      valueRetries.succeeded(key);
    } else {
      valueRetries.failed(key, now);
    }
  }

  /** What has come to nothing, and when it may be tried again: later each time, up to a limit. */
  private static final class Retries<K> {

    private final long first;
    private final long longest;
    private final Map<K, Retry> retries = new LinkedHashMap<>();

    private record Retry(long at, long pause) {}

    Retries(long first, long longest) {
      this.first = first;
      this.longest = longest;
    }

    void failed(K what, long now) {
      Retry before = retries.get(what);
      long next = before == null ? first : Math.min(longest, 2 * before.pause);
      retries.put(what, new Retry(now + next, next));
    }

    void succeeded(K what) {
      retries.remove(what);
    }

    /** How long it has to wait still; 0 where it need not. */
    long left(K what, long now) {
      Retry retry = retries.get(what);
      return retry == null ? 0 : Math.max(0, retry.at - now);
    }

    void retain(List<K> ours) {
      if (!retries.isEmpty()) {
        retries.keySet().retainAll(new LinkedHashSet<>(ours));
      }
    }
  }
}
