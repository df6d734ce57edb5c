package dev.troupe.actors.addressbook;

import dev.troupe.actors.addressbook.AddressBook.Source;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the address book knows; bounded, with time as an argument.
 *
 * <p>Peers are kept in ranks, by the most trusted source of what is known of them: where there are
 * too many, one of the lowest rank goes, so that hearsay never drives out a peer that was met.
 */
final class KnownAddresses {

  private static final Comparator<Known> BEST_FIRST =
      Comparator.comparing(Known::source)
          .thenComparing(Comparator.comparingLong(Known::expiresAtNanos).reversed());

  private final AddressBookSettings settings;

  /** By rank, the least trusted last; within one in the order of use, used longest ago first. */
  private final Map<Source, LinkedHashMap<PeerId, Entry>> ranks = new EnumMap<>(Source.class);

  /** Of whom each teller, and nothing better, has told; in the same order. */
  private final Map<PeerId, Set<PeerId>> told = new LinkedHashMap<>();

  KnownAddresses(AddressBookSettings settings) {
    this.settings = settings;
    for (Source source : Source.values()) {
      ranks.put(source, new LinkedHashMap<>());
    }
  }

  void learn(
      PeerId peer,
      List<Multiaddr> addresses,
      Source source,
      @Nullable PeerId toldBy,
      long timeToLiveNanos,
      long now) {
    long longest =
        source == Source.DISCOVERED
            ? settings.discoveredTimeToLive().toNanos()
            : Long.MAX_VALUE / 2;
    long timeToLive = Math.min(timeToLiveNanos, longest);
    if (addresses.isEmpty() || timeToLive <= 0) {
      return;
    }
    Entry entry = take(peer, now);
    if (entry == null) {
      entry = new Entry(toldBy);
    }
    for (Multiaddr address : addresses) {
      entry.known(address.withoutPeer()).vouch(source, now + timeToLive);
    }
    while (entry.addresses.size() > settings.maxAddressesPerPeer()) {
      entry.addresses.remove(Collections.max(entry.addresses, BEST_FIRST));
    }
    put(peer, entry);
    while (size() > settings.maxPeers()) {
      evict(now);
    }
  }

  /**
   * What is known of a peer, the most trusted first.
   *
   * @param trusted how many of the addresses, from the first, are more than hearsay
   */
  record Addresses(List<Multiaddr> addresses, int trusted) {}

  Addresses find(PeerId peer, long now) {
    List<Known> sorted = sorted(peer, now);
    long trusted = sorted.stream().filter(known -> known.source() != Source.DISCOVERED).count();
    return new Addresses(sorted.stream().map(known -> known.address).toList(), (int) trusted);
  }

  private List<Known> sorted(PeerId peer, long now) {
    Entry entry = take(peer, now);
    if (entry == null) {
      return List.of();
    }
    put(peer, entry);
    List<Known> sorted = new ArrayList<>(entry.addresses);
    sorted.sort(BEST_FIRST);
    return sorted;
  }

  void forget(PeerId peer, Multiaddr address, long now) {
    Entry entry = take(peer, now);
    if (entry != null) {
      Multiaddr forgotten = address.withoutPeer();
      entry.addresses.removeIf(known -> known.address.equals(forgotten));
      if (!entry.addresses.isEmpty()) {
        put(peer, entry);
      }
    }
  }

  /** Where peers were reached and what they have signed, as far as that has not expired. */
  Map<PeerId, List<Multiaddr>> lasting(long now) {
    Map<PeerId, List<Multiaddr>> lasting = new LinkedHashMap<>();
    ranks.forEach(
        (rank, peers) ->
            peers.forEach(
                (peer, entry) -> {
                  List<Multiaddr> addresses =
                      entry.addresses.stream()
                          .filter(each -> each.isLasting(now))
                          .map(each -> each.address)
                          .toList();
                  if (!addresses.isEmpty()) {
                    lasting.put(peer, addresses);
                  }
                }));
    return lasting;
  }

  int size() {
    return ranks.values().stream().mapToInt(Map::size).sum();
  }

  /** Takes a peer out, without what has expired; null when nothing is left. */
  private @Nullable Entry take(PeerId peer, long now) {
    for (LinkedHashMap<PeerId, Entry> rank : ranks.values()) {
      Entry entry = rank.remove(peer);
      if (entry != null) {
        untell(peer, entry);
        return entry.isExpired(now) ? null : entry;
      }
    }
    return null;
  }

  /** Puts a peer where it belongs now, as the one used last. */
  private void put(PeerId peer, Entry entry) {
    Source best = entry.best();
    rank(best).put(peer, entry);
    PeerId teller = entry.toldBy;
    if (best != Source.DISCOVERED || teller == null) {
      return;
    }
    Set<PeerId> all = told.computeIfAbsent(teller, t -> new LinkedHashSet<>());
    all.add(peer);
    if (all.size() > settings.maxPeersPerTeller()) {
      drop(Source.DISCOVERED, all.iterator().next());
    }
  }

  private void evict(long now) {
    Source worst = null;
    for (Source source : Source.values()) {
      if (rank(source).isEmpty()) {
        continue;
      }
      worst = source;
      Map.Entry<PeerId, Entry> eldest = rank(source).entrySet().iterator().next();
      if (eldest.getValue().isExpired(now)) {
        drop(source, eldest.getKey());
        return;
      }
    }
    if (worst != null) {
      drop(worst, rank(worst).keySet().iterator().next());
    }
  }

  private void drop(Source source, PeerId peer) {
    Entry entry = rank(source).remove(peer);
    if (entry != null) {
      untell(peer, entry);
    }
  }

  private LinkedHashMap<PeerId, Entry> rank(Source source) {
    return ranks.getOrDefault(source, new LinkedHashMap<>());
  }

  private void untell(PeerId peer, Entry entry) {
    if (entry.toldBy == null) {
      return;
    }
    Set<PeerId> all = told.get(entry.toldBy);
    if (all != null && all.remove(peer) && all.isEmpty()) {
      told.remove(entry.toldBy);
    }
  }

  /** One peer. */
  private static final class Entry {
    /** Few, each once. */
    final List<Known> addresses = new ArrayList<>(1);

    /** Who told of it first. */
    final @Nullable PeerId toldBy;

    Entry(@Nullable PeerId toldBy) {
      this.toldBy = toldBy;
    }

    Known known(Multiaddr address) {
      for (Known known : addresses) {
        if (known.address.equals(address)) {
          return known;
        }
      }
      Known known = new Known(address);
      addresses.add(known);
      return known;
    }

    Source best() {
      return Collections.min(addresses, BEST_FIRST).source();
    }

    /** Whether nothing is left but what has expired; that is dropped. */
    boolean isExpired(long now) {
      addresses.removeIf(known -> known.isExpired(now));
      return addresses.isEmpty();
    }
  }

  /** One address: until when each source vouches for it. No source lends its time to another. */
  private static final class Known {

    private static final Source[] SOURCES = Source.values();

    final Multiaddr address;

    /** Those who vouch, a bit for the ordinal of each. */
    private int sources;

    private final long[] until = new long[SOURCES.length];

    Known(Multiaddr address) {
      this.address = address;
    }

    void vouch(Source source, long until) {
      int of = source.ordinal();
      this.until[of] = vouches(of) ? Math.max(this.until[of], until) : until;
      sources |= 1 << of;
    }

    private boolean vouches(int source) {
      return (sources & 1 << source) != 0;
    }

    Source source() {
      return SOURCES[Integer.numberOfTrailingZeros(sources)];
    }

    long expiresAtNanos() {
      return until[Integer.numberOfTrailingZeros(sources)];
    }

    boolean isLasting(long now) {
      return isLasting(Source.CONNECTED, now) || isLasting(Source.CERTIFIED, now);
    }

    private boolean isLasting(Source source, long now) {
      return vouches(source.ordinal()) && until[source.ordinal()] - now > 0;
    }

    boolean isExpired(long now) {
      for (int source = 0; source < until.length; source++) {
        if (until[source] - now <= 0) {
          sources &= ~(1 << source);
        }
      }
      return sources == 0;
    }
  }
}
