package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The messages of the last heartbeats (GossipSub 1.0, "Message Cache"), one window a heartbeat.
 * Bounded in number and bytes: the oldest go first.
 */
final class MessageCache {

  private static final class Entry {
    final Message message;
    final Map<PeerId, Integer> sent = new LinkedHashMap<>();

    Entry(Message message) {
      this.message = message;
    }
  }

  private final int length;
  private final int gossip;
  private final int capacity;
  private final long capacityBytes;

  /** The newest window first; in each, the oldest id first. */
  private final Deque<List<Bytes>> windows = new ArrayDeque<>();

  /** In the order of their coming, the oldest first. */
  private final LinkedHashMap<Bytes, Entry> entries = new LinkedHashMap<>();

  private long bytes;

  MessageCache(int length, int gossip, int capacity, long capacityBytes) {
    this.length = length;
    this.gossip = gossip;
    this.capacity = capacity;
    this.capacityBytes = capacityBytes;
    windows.addFirst(new ArrayList<>());
  }

  /** Adds a message to the newest window; does nothing when it is there already. */
  void put(Message message) {
    Bytes id = message.id();
    if (entries.containsKey(id)) {
      return;
    }
    entries.put(id, new Entry(message));
    bytes += message.payload().size();
    windows.getFirst().add(id);
    while (entries.size() > capacity || (bytes > capacityBytes && entries.size() > 1)) {
      // Its id stays in its window until that goes; lookups find nothing there.
      remove(entries.keySet().iterator().next());
    }
  }

  /**
   * The message, or null when it is not here, or was sent to this peer as often as allowed. Counts.
   */
  @Nullable Message take(Bytes id, PeerId peer, int limit) {
    Entry entry = entries.get(id);
    if (entry == null) {
      return null;
    }
    int times = entry.sent.merge(peer, 1, Integer::sum);
    return times <= limit ? entry.message : null;
  }

  /** A topic's messages in the newest windows, the oldest of each window first. */
  List<Message> gossip(String topic) {
    if (entries.isEmpty()) {
      return List.of();
    }
    List<Message> messages = new ArrayList<>();
    int index = 0;
    for (List<Bytes> window : windows) {
      if (index++ >= gossip) {
        break;
      }
      for (Bytes id : window) {
        Entry entry = entries.get(id);
        if (entry != null && entry.message.topic().equals(topic)) {
          messages.add(entry.message);
        }
      }
    }
    return messages;
  }

  /** Begins a new window and forgets the oldest. */
  void shift() {
    List<Bytes> next = new ArrayList<>();
    if (windows.size() >= length) {
      List<Bytes> last = windows.removeLast();
      last.forEach(this::remove);
      if (last.isEmpty()) {
        // At rest nothing is made.
        next = last;
      }
    }
    windows.addFirst(next);
  }

  int size() {
    return entries.size();
  }

  private void remove(Bytes id) {
    Entry entry = entries.remove(id);
    if (entry != null) {
      bytes -= entry.message.payload().size();
    }
  }
}
