package dev.troupe.actors.bootstrap;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.StoredBootstrap;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What of the bootstrap peers is in the store: those that answered, when, and where. Pure; it says
 * what is to be changed there.
 */
final class BootstrapMemory {

  /**
   * How many bootstrap peers are kept. Of more, those go first that cannot be read, then those that
   * answered longest ago.
   */
  static final int MAX_KEPT = 64;

  /**
   * An entry of the store that cannot be read.
   *
   * @param name the bootstrap peer, or the key in hexadecimal where that cannot be read either
   * @param why for a person
   */
  record Unreadable(String name, String why) {}

  private final Map<Multiaddr, StoredBootstrap> there = new LinkedHashMap<>();
  private final Set<Bytes> unreadable = new LinkedHashSet<>();

  /**
   * A page has been read. What cannot be read is passed over, and left where it is: another version
   * may have written it.
   */
  List<Unreadable> onPage(Page page) {
    List<Unreadable> passedOver = new ArrayList<>();
    for (Page.Entry entry : page.entries()) {
      try {
        StoredBootstrap bootstrap = StoredBootstrap.decode(entry.key(), entry.value());
        // What has been connected meanwhile is newer.
        there.merge(bootstrap.name(), bootstrap, BootstrapMemory::withAddresses);
      } catch (MalformedException e) {
        unreadable.add(entry.key());
        passedOver.add(new Unreadable(nameOf(entry.key()), String.valueOf(e.getMessage())));
      }
    }
    return passedOver;
  }

  private static String nameOf(Bytes key) {
    try {
      return Multiaddr.decode(key).toString();
    } catch (MalformedException noAddress) {
      return key.toString();
    }
  }

  /** Those that answered, the latest first. */
  List<StoredBootstrap> good() {
    return there.values().stream()
        .sorted(Comparator.comparing(StoredBootstrap::connectedAt).reversed())
        .limit(MAX_KEPT)
        .toList();
  }

  /** Where it was reached once counts until it is reached elsewhere. */
  private static StoredBootstrap withAddresses(
      StoredBootstrap newer, @Nullable StoredBootstrap old) {
    return old != null && newer.addresses().isEmpty() && newer.peer().equals(old.peer())
        ? new StoredBootstrap(
            newer.name(), newer.peer(), old.addresses(), newer.connectedAt(), newer.added())
        : newer;
  }

  /**
   * One has just been connected; replaces what was known of it, but for its addresses where there
   * are none, because it was that one who dialled. Answers what has to change.
   */
  Batch remember(StoredBootstrap latest) {
    Bytes key = latest.name().encoded();
    unreadable.remove(key);
    StoredBootstrap bootstrap = withAddresses(latest, there.remove(latest.name()));
    List<Change> changes = new ArrayList<>();
    unreadable.stream()
        .limit(Math.max(0, there.size() + unreadable.size() + 1 - MAX_KEPT))
        .toList()
        .forEach(
            gone -> {
              unreadable.remove(gone);
              changes.add(Change.delete(StoreCollection.BOOTSTRAP, gone));
            });
    there.values().stream()
        .sorted(Comparator.comparing(StoredBootstrap::connectedAt))
        .limit(Math.max(0, there.size() + 1 - MAX_KEPT))
        .toList()
        .forEach(
            gone -> {
              there.remove(gone.name());
              changes.add(Change.delete(StoreCollection.BOOTSTRAP, gone.name().encoded()));
            });
    there.put(bootstrap.name(), bootstrap);
    changes.add(Change.put(StoreCollection.BOOTSTRAP, key, bootstrap.encode()));
    return new Batch(changes);
  }
}
