package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Who told us that it provides what (specification, "Content provider advertisement"), in memory.
 *
 * <p>A key that has all the providers it may have drops the one that has not told us for the
 * longest. When there is no room for another provider, the key farthest from us gives way with all
 * its providers, as in {@link ValueStore}.
 *
 * <p>Not thread-safe.
 */
public final class ProviderStore {

  private final Key self;
  private final Settings settings;
  private final NavigableMap<Distance, Map<PeerId, Provider>> keys = new TreeMap<>();
  private int size;

  /**
   * What bounds the store.
   *
   * @param maxProviders how many providers are kept in all, one that provides two keys counting
   *     twice
   * @param maxProvidersPerKey how many providers of one key are kept
   * @param maxAddresses how many addresses of a provider are kept, the first ones
   * @param timeToLive for how long a provider is named, unless it tells us again (48 h)
   * @param addressTimeToLive for how long the addresses that it gave are named (24 h); after that,
   *     only its peer id
   */
  public record Settings(
      int maxProviders,
      int maxProvidersPerKey,
      int maxAddresses,
      Duration timeToLive,
      Duration addressTimeToLive) {

    /** 65,536 providers, 128 a key, 8 addresses each, 48 h and 24 h. */
    public static final Settings DEFAULT =
        new Settings(65_536, 128, 8, Duration.ofHours(48), Duration.ofHours(24));

    /**
     * Checks the bounds.
     *
     * @throws IllegalArgumentException if one is not positive
     */
    public Settings {
      if (maxProviders < 1
          || maxProvidersPerKey < 1
          || maxAddresses < 1
          || timeToLive.toNanos() <= 0
          || addressTimeToLive.toNanos() <= 0) {
        throw new IllegalArgumentException("all bounds of a provider store must be positive");
      }
    }

    /** These, with another limit to the providers in all. */
    public Settings withMaxProviders(int other) {
      return new Settings(other, maxProvidersPerKey, maxAddresses, timeToLive, addressTimeToLive);
    }
  }

  /**
   * An empty store.
   *
   * @param self where we live
   */
  public ProviderStore(PeerId self, Settings settings) {
    this.self = Key.of(self);
    this.settings = settings;
  }

  /**
   * A provider told us that it provides a key.
   *
   * @return whether there was room for it
   */
  public boolean add(Multihash key, PeerId provider, List<Multiaddr> addresses, long now) {
    Distance distance = self.distanceTo(Key.of(key.encoded()));
    Map<PeerId, Provider> providers = keys.getOrDefault(distance, Map.of());
    if (!providers.containsKey(provider)) {
      if (providers.size() >= settings.maxProvidersPerKey()) {
        remove(providers, providers.keySet().iterator().next());
      } else if (size >= settings.maxProviders() && !makeRoomFor(distance)) {
        return false;
      }
    }
    providers = keys.computeIfAbsent(distance, unused -> new LinkedHashMap<>());
    remove(providers, provider);
    providers.put(
        provider, new Provider(addresses.stream().limit(settings.maxAddresses()).toList(), now));
    size++;
    return true;
  }

  /**
   * Who provides a key, those first that told us last.
   *
   * @param limit how many at most
   */
  public List<PeerInfo> providers(Multihash key, int limit, long now) {
    Map<PeerId, Provider> providers = keys.get(self.distanceTo(Key.of(key.encoded())));
    if (providers == null) {
      return List.of();
    }
    List<PeerInfo> found = new ArrayList<>();
    providers.forEach(
        (peer, provider) -> {
          if (!isOver(provider.toldAt, settings.timeToLive(), now)) {
            boolean stale = isOver(provider.toldAt, settings.addressTimeToLive(), now);
            found.add(0, new PeerInfo(peer, stale ? List.of() : provider.addresses));
          }
        });
    return found.size() <= limit ? found : List.copyOf(found.subList(0, limit));
  }

  /** Drops what has expired. */
  public void expire(long now) {
    for (Map<PeerId, Provider> providers : keys.values()) {
      providers.values().removeIf(provider -> isOver(provider.toldAt, settings.timeToLive(), now));
    }
    keys.values().removeIf(Map::isEmpty);
    size = keys.values().stream().mapToInt(Map::size).sum();
  }

  /**
   * How many providers are kept, expired ones included; one that provides two keys counts twice.
   */
  public int size() {
    return size;
  }

  private void remove(Map<PeerId, Provider> providers, PeerId provider) {
    if (providers.remove(provider) != null) {
      size--;
    }
  }

  private boolean makeRoomFor(Distance newcomer) {
    Distance farthest = keys.lastKey();
    if (farthest.compareTo(newcomer) <= 0) {
      return false;
    }
    size -= keys.remove(farthest).size();
    return true;
  }

  private static boolean isOver(long since, Duration duration, long now) {
    return now - since >= duration.toNanos();
  }

  private record Provider(List<Multiaddr> addresses, long toldAt) {}
}
