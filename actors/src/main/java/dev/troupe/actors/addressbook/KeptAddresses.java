package dev.troupe.actors.addressbook;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.StoredPeer;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What of an address book is in the store: where peers were reached, and what they have signed.
 * Pure; it says what is to be changed there.
 *
 * <p>It outlives what is in memory, where an address has an hour: a peer that was away for a night
 * is found where it was.
 */
final class KeptAddresses {

  /** How many peers are kept; of more, those that were noted longest ago are let go. */
  static final int MAX_PEERS = 1000;

  /** For how long each is kept after it was noted last. */
  static final Duration TIME_TO_LIVE = Duration.ofDays(7);

  /** One whose addresses have not changed is noted again after so long. */
  static final Duration RENEWAL = Duration.ofHours(12);

  /** Those noted longest ago first, but for what was loaded in another order. */
  private final Map<PeerId, StoredPeer> there = new LinkedHashMap<>();

  /**
   * A page has been read: answers those whose time is not over; the others go with the next note.
   */
  List<StoredPeer> onPage(Page page, Instant now) {
    List<StoredPeer> loaded = new ArrayList<>();
    for (Page.Entry entry : page.entries()) {
      try {
        StoredPeer peer = StoredPeer.decode(entry.key(), entry.value());
        if (there.putIfAbsent(peer.peer(), peer) == null && !isOver(peer, now)) {
          loaded.add(peer);
        }
      } catch (MalformedException unreadable) {
        continue; // Left to the version that can read it.
      }
    }
    return loaded;
  }

  /** What has to change so that these are kept, too. */
  Optional<Batch> note(Map<PeerId, List<Multiaddr>> lasting, Instant now) {
    List<Change> changes = new ArrayList<>();
    lasting.forEach(
        (peer, addresses) -> {
          StoredPeer before = there.get(peer);
          StoredPeer after = new StoredPeer(peer, addresses, now);
          if (before == null
              || !before.addresses().equals(after.addresses())
              || before.heardAt().plus(RENEWAL).isBefore(now)
              || before.heardAt().isAfter(now)) {
            there.remove(peer);
            there.put(peer, after);
            changes.add(Change.put(StoreCollection.ADDRESSES, peer.bytes(), after.encode()));
          }
        });
    Iterator<StoredPeer> eldest = there.values().iterator();
    int surplus = there.size() - MAX_PEERS;
    while (eldest.hasNext()) {
      StoredPeer next = eldest.next();
      if (surplus > 0 || isOver(next, now)) {
        surplus--;
        eldest.remove();
        changes.add(Change.delete(StoreCollection.ADDRESSES, next.peer().bytes()));
      }
    }
    return changes.isEmpty() ? Optional.empty() : Optional.of(new Batch(changes));
  }

  /** A change has failed to be written: all is noted anew. */
  void onFailed() {
    there.replaceAll((peer, stored) -> new StoredPeer(peer, List.of(), stored.heardAt()));
  }

  private static boolean isOver(StoredPeer peer, Instant now) {
    return peer.heardAt().plus(TIME_TO_LIVE).isBefore(now);
  }
}
