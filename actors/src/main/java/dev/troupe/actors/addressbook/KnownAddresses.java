package dev.troupe.actors.addressbook;

import dev.troupe.actors.addressbook.AddressBook.Source;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the address book knows; bounded, with time as an argument. */
final class KnownAddresses {

  private static final Comparator<Known> BEST_FIRST =
      Comparator.comparing(Known::source)
          .thenComparing(Comparator.comparingLong(Known::expiresAtNanos).reversed());

  private final AddressBookSettings settings;

  /** In the order of use, the peer used longest ago first. */
  private final LinkedHashMap<PeerId, Map<Multiaddr, Known>> peers =
      new LinkedHashMap<>(16, 0.75f, true);

  KnownAddresses(AddressBookSettings settings) {
    this.settings = settings;
  }

  void learn(
      PeerId peer, List<Multiaddr> addresses, Source source, long timeToLiveNanos, long now) {
    if (addresses.isEmpty() || timeToLiveNanos <= 0) {
      return;
    }
    Map<Multiaddr, Known> known = peers.computeIfAbsent(peer, p -> new LinkedHashMap<>());
    // First of all: what has expired must not lend its source to what is learned now.
    known.values().removeIf(k -> k.expiredBy(now));
    long expiresAt = now + Math.min(timeToLiveNanos, Long.MAX_VALUE / 2);
    for (Multiaddr address : addresses) {
      known.merge(address.withoutPeer(), new Known(source, expiresAt), Known::better);
    }
    while (known.size() > settings.maxAddressesPerPeer()) {
      known.remove(worstOf(known));
    }
    if (peers.size() > settings.maxPeers()) {
      peers.remove(peers.keySet().iterator().next());
    }
  }

  List<Multiaddr> find(PeerId peer, long now) {
    Map<Multiaddr, Known> known = peers.get(peer);
    if (known == null) {
      return List.of();
    }
    known.values().removeIf(k -> k.expiredBy(now));
    if (known.isEmpty()) {
      peers.remove(peer);
    }
    List<Map.Entry<Multiaddr, Known>> entries = new ArrayList<>(known.entrySet());
    entries.sort(Map.Entry.comparingByValue(BEST_FIRST));
    return entries.stream().map(Map.Entry::getKey).toList();
  }

  void forget(PeerId peer, Multiaddr address) {
    Map<Multiaddr, Known> known = peers.get(peer);
    if (known != null) {
      known.remove(address.withoutPeer());
      if (known.isEmpty()) {
        peers.remove(peer);
      }
    }
  }

  int size() {
    return peers.size();
  }

  private static Multiaddr worstOf(Map<Multiaddr, Known> known) {
    return known.entrySet().stream()
        .max(Map.Entry.comparingByValue(BEST_FIRST))
        .orElseThrow()
        .getKey();
  }

  private record Known(Source source, long expiresAtNanos) {
    boolean expiredBy(long now) {
      return expiresAtNanos - now <= 0;
    }

    Known better(Known other) {
      return new Known(
          source.compareTo(other.source) <= 0 ? source : other.source,
          Math.max(expiresAtNanos, other.expiresAtNanos));
    }
  }
}
