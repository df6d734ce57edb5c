package dev.troupe.actors.dht;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.ProviderStore;
import dev.troupe.protocol.kademlia.StoredPeer;
import dev.troupe.protocol.kademlia.StoredProvider;
import dev.troupe.protocol.kademlia.StoredValue;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.kademlia.ValueStore;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Dht} keeps beyond its own end: translates between what it has in memory and what is
 * in the {@link Store}. It gathers changes; when they are committed is the Dht's decision.
 *
 * <p>Times are on the wall clock in the store, and on the ticker in memory. What is dated later
 * than now, since one of two clocks was wrong, counts as if it had come now: it is kept for no
 * longer than anything else.
 *
 * <p>What cannot be decoded, or is not valid in its namespace now, is not served, and stays in the
 * store until its time is over: a peer that is started without one of its namespaces must not lose
 * what it has acknowledged.
 *
 * <p>A change that fails to be written is not tried again. What should have been deleted comes back
 * with the next start, within the bounds of what is in memory.
 */
final class Keeping {

  /** How many members of an earlier routing table are tried. */
  static final int MAX_CANDIDATES = 256;

  private static final Duration LONGEST_AGE = Duration.ofDays(36_500);

  private final DhtEnvironment environment;
  private final ValueStore values;
  private final ProviderStore providers;
  private final Map<Change, Change> changes = new TreeMap<>(Change.BY_PLACE);
  private final List<StoredPeer> candidates = new ArrayList<>();

  /** The routing table, as it is in the store. */
  private final Map<PeerId, List<Multiaddr>> tableThere = new LinkedHashMap<>();

  private @Nullable StoreCollection loading = StoreCollection.VALUES;

  private int restored;
  private int dropped;
  private int unreadable;
  private int futureDated;

  Keeping(DhtEnvironment environment, ValueStore values, ProviderStore providers) {
    this.environment = environment;
    this.values = values;
    this.providers = providers;
    if (environment.store().keeps()) {
      values.tell(new ValueJournal());
      providers.tell(new ProviderJournal());
    } else {
      loading = null;
    }
  }

  // Loading

  /** The collection that is to be read now; empty when all of them have been. */
  Optional<StoreCollection> loading() {
    return Optional.ofNullable(loading);
  }

  /** Begins anew, after a crash: what is in memory stays. */
  void restart() {
    if (loading != null) {
      loading = StoreCollection.VALUES;
      candidates.clear();
    }
  }

  /** A page of {@link #loading} is there; answers where the next one begins. */
  Bytes onPage(Page page) {
    page.entries().forEach(this::restore);
    if (!page.isLast() && !page.entries().isEmpty()) {
      return page.entries().get(page.entries().size() - 1).key();
    }
    next();
    return Bytes.EMPTY;
  }

  /** The rest of {@link #loading} cannot be read. */
  void onUnreadable() {
    next();
  }

  private void next() {
    loading =
        loading == StoreCollection.VALUES
            ? StoreCollection.PROVIDERS
            : loading == StoreCollection.PROVIDERS ? StoreCollection.TABLE : null;
  }

  private void restore(Page.Entry entry) {
    try {
      if (loading == StoreCollection.VALUES) {
        restoreValue(entry);
      } else if (loading == StoreCollection.PROVIDERS) {
        restoreProvider(entry);
      } else {
        StoredPeer peer = StoredPeer.decode(entry.key(), entry.value());
        candidates.add(peer);
        tableThere.put(peer.peer(), peer.addresses());
      }
    } catch (MalformedException e) {
      unreadable++;
    }
  }

  private void restoreValue(Page.Entry entry) throws MalformedException {
    StoredValue value = StoredValue.decode(entry.key(), entry.value());
    long now = environment.now();
    long putAt = onTicker(value.putAt(), now);
    try {
      if (values.restore(value.record(), value.sender(), putAt, now)) {
        restored++;
      } else {
        drop(StoreCollection.VALUES, entry.key());
      }
    } catch (InvalidRecordException e) {
      if (values.isOver(putAt, now)) {
        drop(StoreCollection.VALUES, entry.key());
      } else {
        unreadable++;
      }
    }
  }

  private void restoreProvider(Page.Entry entry) throws MalformedException {
    StoredProvider stored = StoredProvider.decode(entry.value());
    if (!providers.placeOf(stored.key(), stored.provider()).equals(entry.key())) {
      throw new MalformedException("a provider that is not at its place");
    }
    long now = environment.now();
    if (providers.restore(
        stored.key(), stored.provider(), stored.addresses(), onTicker(stored.toldAt(), now), now)) {
      restored++;
    } else {
      drop(StoreCollection.PROVIDERS, entry.key());
    }
  }

  private void drop(StoreCollection from, Bytes key) {
    dropped++;
    change(Change.delete(from, key));
  }

  /** How many records were taken back; expired, or without room; not readable or not valid. */
  record Tally(int restored, int dropped, int unreadable, int futureDated, int candidates) {}

  Tally tally() {
    return new Tally(restored, dropped, unreadable, futureDated, candidates.size());
  }

  /**
   * Who was in the routing table, those that had been there for the longest first: they are the
   * likeliest to be there still.
   */
  Deque<StoredPeer> takeCandidates() {
    candidates.sort(Comparator.comparing(StoredPeer::heardAt));
    Deque<StoredPeer> first =
        new ArrayDeque<>(candidates.subList(0, Math.min(MAX_CANDIDATES, candidates.size())));
    candidates.clear();
    return first;
  }

  private long onTicker(Instant then, long now) {
    Duration age = Duration.between(then, environment.world().clock().instant());
    if (age.isNegative()) {
      futureDated++;
      return now;
    }
    return now - (age.compareTo(LONGEST_AGE) > 0 ? LONGEST_AGE : age).toNanos();
  }

  private Instant onWallClock(long nanos) {
    return environment.world().clock().instant().minusNanos(environment.now() - nanos);
  }

  // Changes

  /** Whether nothing has changed since {@link #take}. */
  boolean isIdle() {
    return changes.isEmpty();
  }

  /** What has changed; from now on it counts as unchanged. */
  Batch take() {
    Batch batch = new Batch(List.copyOf(changes.values()));
    changes.clear();
    return batch;
  }

  private void change(Change change) {
    changes.put(change, change);
  }

  /**
   * Notes how the routing table differs from the one in the store. An empty one is not noted: those
   * that were in it last are the ones to try.
   */
  void noteTable(List<PeerId> members, Function<PeerId, List<Multiaddr>> addressesOf) {
    if (members.isEmpty()) {
      return;
    }
    Map<PeerId, List<Multiaddr>> now = new LinkedHashMap<>();
    members.forEach(member -> now.put(member, addressesOf.apply(member)));
    Instant instant = environment.world().clock().instant();
    now.forEach(
        (member, addresses) -> {
          if (!addresses.equals(tableThere.get(member))) {
            StoredPeer stored = new StoredPeer(member, addresses, instant);
            change(Change.put(StoreCollection.TABLE, member.bytes(), stored.encode()));
          }
        });
    tableThere.forEach(
        (member, addresses) -> {
          if (!now.containsKey(member)) {
            change(Change.delete(StoreCollection.TABLE, member.bytes()));
          }
        });
    tableThere.clear();
    tableThere.putAll(now);
  }

  /** Nothing is known of the routing table in the store: a change failed to be written. */
  void forgetTable() {
    tableThere.clear();
  }

  private final class ValueJournal implements ValueStore.Journal {

    @Override
    public void put(ValueRecord record, PeerId sender, long putAt) {
      StoredValue stored = new StoredValue(record, sender, onWallClock(putAt));
      change(Change.put(StoreCollection.VALUES, record.key(), stored.encode()));
    }

    @Override
    public void dropped(Bytes key) {
      change(Change.delete(StoreCollection.VALUES, key));
    }
  }

  private final class ProviderJournal implements ProviderStore.Journal {

    @Override
    public void put(
        Bytes place, Multihash key, PeerId provider, List<Multiaddr> addresses, long toldAt) {
      StoredProvider stored = new StoredProvider(key, provider, addresses, onWallClock(toldAt));
      change(Change.put(StoreCollection.PROVIDERS, place, stored.encode()));
    }

    @Override
    public void dropped(Bytes place) {
      change(Change.delete(StoreCollection.PROVIDERS, place));
    }
  }
}
