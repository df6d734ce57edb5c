package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Who told us that it provides what (specification, "Content provider advertisement"), in memory;
 * and what this peer provides itself.
 *
 * <p>A key that has all the providers it may have drops the one that has not told us for the
 * longest. When there is no room for another provider, the keys farthest from us give way with all
 * their providers, as in {@link ValueStore}. One provider has so many keys, and one more is
 * refused. What this peer provides itself has room of its own, gives way to nobody, and does not
 * expire: it is provided until it is {@linkplain #withdraw withdrawn}.
 *
 * <p>Not thread-safe.
 */
public final class ProviderStore {

  /** What a record counts for, in bytes, beside its addresses. */
  static final int RECORD_OVERHEAD = 128;

  private final PeerId self;
  private final Key here;
  private final Settings settings;

  /** What others provide; no key is without a provider. */
  private final NavigableMap<Distance, Map<PeerId, Provider>> keys = new TreeMap<>();

  private final Map<PeerId, Integer> keysOf = new LinkedHashMap<>();
  private final Map<Distance, Own> own = new TreeMap<>();
  private int size;
  private long bytes;
  private Journal journal = Journal.NONE;

  /**
   * What bounds the store.
   *
   * @param maxProviders how many providers are kept in all, one that provides two keys counting
   *     twice; of our own, as many beside them
   * @param maxProvidersPerKey how many providers of one key are kept
   * @param maxKeysPerProvider how many keys one provider may have here; one more is refused
   * @param maxBytes how many bytes the providers take in all, each counting as its addresses and
   *     128 bytes
   * @param maxAddresses how many addresses of a provider are kept, the first ones, and no more of
   *     them than {@link PeerInfo#MAX_ADDRESS_BYTES}
   * @param timeToLive for how long a provider is named, unless it tells us again (48 h)
   * @param addressTimeToLive for how long the addresses that it gave are named (24 h); after that,
   *     only its peer id
   */
  public record Settings(
      int maxProviders,
      int maxProvidersPerKey,
      int maxKeysPerProvider,
      long maxBytes,
      int maxAddresses,
      Duration timeToLive,
      Duration addressTimeToLive) {

    /** 65,536 providers, 256 a key, 16,384 keys each, 24 MiB, 8 addresses each, 48 h and 24 h. */
    public static final Settings DEFAULT =
        new Settings(65_536, 256, 16_384, 24L << 20, 8, Duration.ofHours(48), Duration.ofHours(24));

    /**
     * Checks the bounds.
     *
     * @throws IllegalArgumentException if one is not positive
     */
    public Settings {
      if (maxProviders < 1
          || maxProvidersPerKey < 1
          || maxKeysPerProvider < 1
          || maxBytes < 1
          || maxAddresses < 1
          || timeToLive.toNanos() <= 0
          || addressTimeToLive.toNanos() <= 0) {
        throw new IllegalArgumentException("all bounds of a provider store must be positive");
      }
    }

    /** These, with other times to live. */
    public Settings withTimesToLive(Duration ofProviders, Duration ofAddresses) {
      return new Settings(
          maxProviders,
          maxProvidersPerKey,
          maxKeysPerProvider,
          maxBytes,
          maxAddresses,
          ofProviders,
          ofAddresses);
    }

    /** These, with another limit to the providers in all. */
    public Settings withMaxProviders(int other) {
      return new Settings(
          other,
          maxProvidersPerKey,
          maxKeysPerProvider,
          maxBytes,
          maxAddresses,
          timeToLive,
          addressTimeToLive);
    }
  }

  /**
   * An empty store.
   *
   * @param self who we are, and so where we live
   */
  public ProviderStore(PeerId self, Settings settings) {
    this.self = self;
    this.here = Key.of(self);
    this.settings = settings;
  }

  /** Hears of every change, to keep what is here beyond the end of the peer. */
  public interface Journal {

    /** Nobody keeps it. */
    Journal NONE =
        new Journal() {
          @Override
          public void put(
              Bytes place,
              Multihash key,
              PeerId provider,
              List<Multiaddr> addresses,
              long toldAt) {}

          @Override
          public void dropped(Bytes place) {}
        };

    /**
     * A provider is stored, or lives on.
     *
     * @param place stands for the key and the provider, and for nothing else
     * @param toldAt monotonic, in nanoseconds
     */
    void put(Bytes place, Multihash key, PeerId provider, List<Multiaddr> addresses, long toldAt);

    /** The provider at this place is not here any more. */
    void dropped(Bytes place);
  }

  /** Tells of every change from now on. */
  public void tell(Journal other) {
    journal = other;
  }

  /** The place that stands for a key and a provider. */
  public Bytes placeOf(Multihash key, PeerId provider) {
    return StoredProvider.placeOf(distanceTo(key), provider);
  }

  /**
   * A provider told us that it provides a key; or we do.
   *
   * @return whether there was room for it
   */
  public boolean add(Multihash key, PeerId provider, List<Multiaddr> addresses, long now) {
    Distance distance = distanceTo(key);
    return tell(key, distance, provider, addresses, now);
  }

  /**
   * This peer is to provide a key, of which nobody has been told yet: it counts as announced so
   * long ago that it is over. Where it provides the key already, that remains as long ago as it
   * was.
   *
   * @param isKept whether the journal is to hear of it, be it for the first time or again; if it
   *     has heard of this key before, it does anyway
   * @return whether there was room for it
   */
  public boolean intend(Multihash key, List<Multiaddr> addresses, boolean isKept, long now) {
    Distance distance = distanceTo(key);
    Own before = own.get(distance);
    Provider record =
        before == null
            ? new Provider(
                PeerInfo.firstOf(addresses, settings.maxAddresses()),
                now - settings.timeToLive().toNanos())
            : before.record;
    return putOwn(key, distance, record, isKept || (before != null && before.isKept));
  }

  private boolean tell(
      Multihash key, Distance distance, PeerId provider, List<Multiaddr> addresses, long toldAt) {
    Provider record = new Provider(PeerInfo.firstOf(addresses, settings.maxAddresses()), toldAt);
    boolean added = add(key, distance, provider, record);
    if (added && journal != Journal.NONE) {
      journal.put(
          StoredProvider.placeOf(distance, provider), key, provider, record.addresses, toldAt);
    }
    return added;
  }

  /** Others have been told that this peer provides the key, if it does still. */
  public void announced(Multihash key, List<Multiaddr> addresses, long now) {
    Distance distance = distanceTo(key);
    Own before = own.get(distance);
    if (before != null) {
      List<Multiaddr> first = PeerInfo.firstOf(addresses, settings.maxAddresses());
      putOwn(key, distance, new Provider(first, now), before.isKept);
    }
  }

  private boolean putOwn(Multihash key, Distance distance, Provider record, boolean isKept) {
    boolean added = addOwn(key, distance, record, isKept);
    if (added && isKept && journal != Journal.NONE) {
      journal.put(
          StoredProvider.placeOf(distance, self), key, self, record.addresses, record.toldAt);
    }
    return added;
  }

  /**
   * This peer provides the key no more. The journal hears of it even where it did not: what was
   * written before may be there still, because the change that was to delete it failed.
   */
  public void withdraw(Multihash key) {
    own.remove(distanceTo(key));
    drop(distanceTo(key), self);
  }

  /**
   * What this peer provides itself, nearest to it first: those near one another are together.
   *
   * @param today where this peer listens now
   */
  public List<Provided> own(List<Multiaddr> today) {
    List<Multiaddr> first = PeerInfo.firstOf(today, settings.maxAddresses());
    Set<Multiaddr> inAnyOrder = new LinkedHashSet<>(first);
    return own.values().stream()
        .map(
            each -> {
              boolean isElsewhere =
                  !each.record.addresses.equals(first)
                      && !new LinkedHashSet<>(each.record.addresses).equals(inAnyOrder);
              return new Provided(each.key, each.record.toldAt, isElsewhere);
            })
        .toList();
  }

  /**
   * A key that this peer provides itself.
   *
   * @param announcedAt when others were told last; monotonic, in nanoseconds
   * @param isElsewhere whether they were told other addresses than today's
   */
  public record Provided(Multihash key, long announcedAt, boolean isElsewhere) {}

  /**
   * Takes back a provider that was stored before the peer ended. One that is here already is newer,
   * and stays. The journal is not told, unless others give way.
   *
   * @param toldAt when it told us, on today's clock; not later than now
   * @return whether it is here now
   */
  public boolean restore(
      Multihash key, PeerId provider, List<Multiaddr> addresses, long toldAt, long now) {
    Distance distance = distanceTo(key);
    boolean isHere =
        provider.equals(self)
            ? own.containsKey(distance)
            : keys.getOrDefault(distance, Map.of()).containsKey(provider);
    if (isHere) {
      return true;
    }
    return (provider.equals(self) || !isOver(toldAt, settings.timeToLive(), now))
        && add(
            key,
            distance,
            provider,
            new Provider(PeerInfo.firstOf(addresses, settings.maxAddresses()), toldAt));
  }

  private boolean add(Multihash key, Distance distance, PeerId provider, Provider record) {
    return provider.equals(self)
        ? addOwn(key, distance, record, true)
        : addAnothers(distance, provider, record);
  }

  private boolean addOwn(Multihash key, Distance distance, Provider record, boolean isKept) {
    if (own.size() >= settings.maxProviders() && !own.containsKey(distance)) {
      return false;
    }
    own.put(distance, new Own(key, record, isKept));
    return true;
  }

  private boolean addAnothers(Distance key, PeerId provider, Provider record) {
    Map<PeerId, Provider> providers = keys.computeIfAbsent(key, unused -> new LinkedHashMap<>());
    PeerId leaving = null;
    if (providers.containsKey(provider)) {
      leaving = provider;
    } else if (providers.size() >= settings.maxProvidersPerKey()) {
      leaving = providers.keySet().iterator().next();
    }
    boolean isNewKey = !providers.containsKey(provider);
    boolean mayHaveIt =
        !isNewKey || keysOf.getOrDefault(provider, 0) < settings.maxKeysPerProvider();
    if (!mayHaveIt || !makeRoom(key, record, leaving == null ? null : providers.get(leaving))) {
      if (providers.isEmpty()) {
        keys.remove(key);
      }
      return false;
    }
    if (leaving != null) {
      forget(leaving, providers.remove(leaving));
      if (!leaving.equals(provider)) {
        drop(key, leaving);
      }
    }
    providers.put(provider, record);
    keysOf.merge(provider, 1, Integer::sum);
    size++;
    bytes += record.bytes();
    return true;
  }

  /**
   * Who provides a key: this peer first, if it does, and then those that told us last.
   *
   * <p>Where more are known than wanted, the others are a random choice: a few that tell us again
   * and again cannot make us forget to name the rest.
   *
   * @param limit how many at most
   */
  public List<PeerInfo> providers(Multihash key, int limit, RandomGenerator random, long now) {
    Distance distance = distanceTo(key);
    List<PeerInfo> others = new ArrayList<>();
    keys.getOrDefault(distance, Map.of())
        .forEach((peer, provider) -> name(peer, provider, now, others));
    Collections.reverse(others);
    List<PeerInfo> named = new ArrayList<>();
    Own ours = own.get(distance);
    if (ours != null) {
      named.add(new PeerInfo(self, ours.record.addresses));
    }
    int wanted = Math.max(0, limit - named.size());
    if (others.size() > wanted) {
      for (int i = 0; i < wanted; i++) {
        Collections.swap(others, i, i + random.nextInt(others.size() - i));
      }
    }
    named.addAll(others.subList(0, Math.min(wanted, others.size())));
    return List.copyOf(named);
  }

  private void name(PeerId peer, Provider provider, long now, List<PeerInfo> named) {
    if (!isOver(provider.toldAt, settings.timeToLive(), now)) {
      boolean stale = isOver(provider.toldAt, settings.addressTimeToLive(), now);
      named.add(new PeerInfo(peer, stale ? List.of() : provider.addresses));
    }
  }

  /** Drops what others provided and has expired. */
  public void expire(long now) {
    for (Map.Entry<Distance, Map<PeerId, Provider>> key : keys.entrySet()) {
      Iterator<Map.Entry<PeerId, Provider>> entries = key.getValue().entrySet().iterator();
      while (entries.hasNext()) {
        Map.Entry<PeerId, Provider> entry = entries.next();
        if (isOver(entry.getValue().toldAt, settings.timeToLive(), now)) {
          entries.remove();
          forget(entry.getKey(), entry.getValue());
          drop(key.getKey(), entry.getKey());
        }
      }
    }
    keys.values().removeIf(Map::isEmpty);
  }

  /**
   * How many providers are kept, expired ones included and this peer not; one that provides two
   * keys counts twice.
   */
  public int size() {
    return size;
  }

  /** How many bytes they take, as {@link Settings} counts them. */
  public long bytes() {
    return bytes;
  }

  /** Lets the farthest keys go, if that makes enough room; otherwise does nothing. */
  private boolean makeRoom(Distance key, Provider newcomer, @Nullable Provider leaving) {
    long surplus = size + (leaving == null ? 1 : 0) - settings.maxProviders();
    long surplusBytes =
        bytes + newcomer.bytes() - (leaving == null ? 0 : leaving.bytes()) - settings.maxBytes();
    List<Distance> going = new ArrayList<>();
    for (Map.Entry<Distance, Map<PeerId, Provider>> farthest :
        keys.tailMap(key, false).descendingMap().entrySet()) {
      if (surplus <= 0 && surplusBytes <= 0) {
        break;
      }
      going.add(farthest.getKey());
      surplus -= farthest.getValue().size();
      surplusBytes -= farthest.getValue().values().stream().mapToLong(Provider::bytes).sum();
    }
    if (surplus > 0 || surplusBytes > 0) {
      return false;
    }
    for (Distance gone : going) {
      Map<PeerId, Provider> providers = keys.remove(gone);
      if (providers != null) {
        providers.forEach(this::forget);
        providers.keySet().forEach(provider -> drop(gone, provider));
      }
    }
    return true;
  }

  private void drop(Distance key, PeerId provider) {
    if (journal != Journal.NONE) {
      journal.dropped(StoredProvider.placeOf(key, provider));
    }
  }

  private void forget(PeerId peer, Provider provider) {
    size--;
    bytes -= provider.bytes();
    keysOf.computeIfPresent(peer, (unused, count) -> count == 1 ? null : count - 1);
  }

  private Distance distanceTo(Multihash key) {
    return here.distanceTo(Key.of(key.encoded()));
  }

  private static boolean isOver(long since, Duration duration, long now) {
    return now - since >= duration.toNanos();
  }

  /** What we provide; the journal hears of it only where it is to be kept. */
  private record Own(Multihash key, Provider record, boolean isKept) {}

  private record Provider(List<Multiaddr> addresses, long toldAt) {

    long bytes() {
      return RECORD_OVERHEAD
          + addresses.stream().mapToLong(address -> address.encoded().size()).sum();
    }
  }
}
