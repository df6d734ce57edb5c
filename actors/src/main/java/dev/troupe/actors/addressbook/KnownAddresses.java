package dev.troupe.actors.addressbook;

import dev.troupe.actors.addressbook.AddressBook.Source;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayList;
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
      entry
          .addresses
          .computeIfAbsent(address.withoutPeer(), a -> new Known())
          .until
          .merge(source, now + timeToLive, Math::max);
    }
    while (entry.addresses.size() > settings.maxAddressesPerPeer()) {
      entry.addresses.remove(worstOf(entry.addresses));
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
    List<Map.Entry<Multiaddr, Known>> entries = sorted(peer, now);
    long trusted =
        entries.stream().filter(entry -> entry.getValue().source() != Source.DISCOVERED).count();
    return new Addresses(entries.stream().map(Map.Entry::getKey).toList(), (int) trusted);
  }

  private List<Map.Entry<Multiaddr, Known>> sorted(PeerId peer, long now) {
    Entry entry = take(peer, now);
    if (entry == null) {
      return List.of();
    }
    put(peer, entry);
    List<Map.Entry<Multiaddr, Known>> entries = new ArrayList<>(entry.addresses.entrySet());
    entries.sort(Map.Entry.comparingByValue(BEST_FIRST));
    return entries;
  }

  void forget(PeerId peer, Multiaddr address, long now) {
    Entry entry = take(peer, now);
    if (entry != null) {
      entry.addresses.remove(address.withoutPeer());
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
                      entry.addresses.entrySet().stream()
                          .filter(each -> each.getValue().isLasting(now))
                          .map(Map.Entry::getKey)
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

  private static Multiaddr worstOf(Map<Multiaddr, Known> known) {
    return known.entrySet().stream()
        .max(Map.Entry.comparingByValue(BEST_FIRST))
        .orElseThrow()
        .getKey();
  }

  /** One peer. */
  private static final class Entry {
    final Map<Multiaddr, Known> addresses = new LinkedHashMap<>();

    /** Who told of it first. */
    final @Nullable PeerId toldBy;

    Entry(@Nullable PeerId toldBy) {
      this.toldBy = toldBy;
    }

    Source best() {
      return addresses.values().stream().map(Known::source).min(Source::compareTo).orElseThrow();
    }

    /** Whether nothing is left but what has expired; that is dropped. */
    boolean isExpired(long now) {
      addresses.values().removeIf(known -> known.isExpired(now));
      return addresses.isEmpty();
    }
  }

  /** One address: until when each source vouches for it. No source lends its time to another. */
  private static final class Known {
    final EnumMap<Source, Long> until = new EnumMap<>(Source.class);

    Source source() {
      return until.keySet().iterator().next();
    }

    long expiresAtNanos() {
      return until.values().iterator().next();
    }

    boolean isLasting(long now) {
      return isLasting(Source.CONNECTED, now) || isLasting(Source.CERTIFIED, now);
    }

    private boolean isLasting(Source source, long now) {
      Long expiresAt = until.get(source);
      return expiresAt != null && expiresAt - now > 0;
    }

    boolean isExpired(long now) {
      until.values().removeIf(expiresAt -> expiresAt - now <= 0);
      return until.isEmpty();
    }
  }
}
