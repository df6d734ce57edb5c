package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What both stores say of their changes, what they take back, and how it is encoded. */
class StoredRecordsTest {

  private static final PeerId SELF = Peers.at(1);
  private static final Duration LIFE = Duration.ofNanos(1000);
  private static final Instant NOW = Instant.ofEpochMilli(1_700_000_000_123L);

  @Test
  void decodingAfterEncodingIsIdentity() throws MalformedException {
    ValueRecord record = new ValueRecord(Bytes.utf8("/test/k"), Bytes.utf8("v")).receivedAt(NOW);
    StoredValue value = new StoredValue(record, Peers.at(2), NOW);
    assertEquals(value, StoredValue.decode(record.key(), value.encode()));
    List<Multiaddr> addresses = List.of(Multiaddr.parse("/ip4/1.2.3.4/tcp/5"));
    StoredProvider provider = new StoredProvider(hash(1), Peers.at(3), addresses, NOW);
    assertEquals(provider, StoredProvider.decode(provider.encode()));
    StoredPeer peer = new StoredPeer(Peers.at(4), addresses, NOW);
    assertEquals(peer, StoredPeer.decode(peer.peer().bytes(), peer.encode()));
    StoredBootstrap bootstrap =
        new StoredBootstrap(addresses.get(0), Peers.at(5), addresses, NOW, true);
    assertEquals(bootstrap, StoredBootstrap.decode(bootstrap.name().encoded(), bootstrap.encode()));
  }

  @Test
  void arbitraryBytesAreRefusedOrRead() {
    SplittableRandom random = new SplittableRandom(1);
    StoredProvider whole = new StoredProvider(hash(1), Peers.at(3), List.of(), NOW);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      if (i % 2 == 0) {
        bytes = whole.encode().toArray();
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 + random.nextInt(255));
      }
      Bytes input = Bytes.wrap(bytes);
      tolerated(() -> StoredValue.decode(Bytes.utf8("k"), input));
      tolerated(() -> StoredProvider.decode(input));
      tolerated(() -> StoredPeer.decode(Peers.at(1).bytes(), input));
      tolerated(() -> StoredPeer.decode(input, Bytes.EMPTY));
      tolerated(() -> StoredBootstrap.decode(input, input));
    }
  }

  private interface Decoding {
    Object run() throws MalformedException;
  }

  private static void tolerated(Decoding decoding) {
    try {
      assertNotEquals(null, decoding.run());
    } catch (MalformedException refused) {
      return; // As it may.
    }
  }

  /** A copy of a value store, made of what it tells. */
  private static final class Values implements ValueStore.Journal {
    final Map<Bytes, StoredValue> there = new TreeMap<>();

    @Override
    public void put(ValueRecord record, PeerId sender, long putAt) {
      there.put(record.key(), new StoredValue(record, sender, Instant.ofEpochSecond(0, putAt)));
    }

    @Override
    public void dropped(Bytes key) {
      assertTrue(there.remove(key) != null, "dropped what was not there");
    }
  }

  private static ValueStore values() {
    return new ValueStore(Namespaces.BUILT_IN, SELF, new ValueStore.Settings(12, 4000, 4, LIFE));
  }

  @Test
  void whatTheValueStoreTellsIsWhatItHolds() throws InvalidRecordException {
    for (long seed = 0; seed < 20; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      ValueStore store = values();
      Values told = new Values();
      store.tell(told);
      long now = 0;
      for (int i = 0; i < 400; i++) {
        now += random.nextInt(30);
        Bytes key = Bytes.utf8("/test/" + random.nextInt(40));
        if (random.nextInt(20) == 0) {
          store.expire(now);
        } else {
          Bytes value = Bytes.wrap(new byte[random.nextInt(400)]);
          store.put(Peers.at(1 + random.nextInt(4)), new ValueRecord(key, value), now);
        }
        assertEquals(told.there.size(), store.size());
      }
      // A peer that starts again with what was told answers the same.
      ValueStore again = values();
      for (StoredValue each : told.there.values()) {
        long putAt = each.putAt().getNano();
        assertEquals(
            each.sender().equals(SELF) || !store.isOver(putAt, now),
            again.restore(each.record(), each.sender(), putAt, now));
      }
      for (int i = 0; i < 40; i++) {
        Bytes key = Bytes.utf8("/test/" + i);
        assertEquals(store.get(key, now), again.get(key, now));
        assertEquals(store.get(key, now + 500), again.get(key, now + 500));
      }
    }
  }

  @Test
  void whatIsTakenBackGivesWayToWhatIsThere() throws InvalidRecordException {
    ValueStore store = values();
    Bytes key = Bytes.utf8("/test/k");
    store.put(Peers.at(2), new ValueRecord(key, Bytes.utf8("new")), 10);
    assertTrue(store.restore(new ValueRecord(key, Bytes.utf8("old")), Peers.at(2), 0, 10));
    assertEquals("new", store.get(key, 10).orElseThrow().value().utf8());
    assertThrows(
        InvalidRecordException.class,
        () -> store.restore(new ValueRecord(Bytes.utf8("/x/k"), Bytes.EMPTY), Peers.at(2), 0, 10));
    assertFalse(
        store.restore(
            new ValueRecord(Bytes.utf8("/test/o"), Bytes.EMPTY), Peers.at(2), 0, LIFE.toNanos()));
  }

  /** A copy of a provider store, made of what it tells. */
  private static final class Providers implements ProviderStore.Journal {
    final Map<Bytes, StoredProvider> there = new TreeMap<>();

    @Override
    public void put(
        Bytes place, Multihash key, PeerId provider, List<Multiaddr> addresses, long toldAt) {
      there.put(
          place, new StoredProvider(key, provider, addresses, Instant.ofEpochSecond(0, toldAt)));
    }

    @Override
    public void dropped(Bytes place) {
      assertTrue(there.remove(place) != null, "dropped what was not there");
    }
  }

  private static ProviderStore providers() {
    return new ProviderStore(
        SELF, new ProviderStore.Settings(20, 3, 8, 4000, 2, LIFE, LIFE.dividedBy(2)));
  }

  @Test
  void whatTheProviderStoreTellsIsWhatItHolds() throws MalformedException {
    Multiaddr address = Multiaddr.parse("/ip4/1.2.3.4/tcp/5");
    for (long seed = 0; seed < 20; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      ProviderStore store = providers();
      Providers told = new Providers();
      store.tell(told);
      long now = 0;
      for (int i = 0; i < 400; i++) {
        now += random.nextInt(30);
        if (random.nextInt(20) == 0) {
          store.expire(now);
        } else {
          PeerId provider = Peers.at(1 + random.nextInt(6));
          store.add(hash(random.nextInt(12)), provider, List.of(address), now);
        }
        long others =
            told.there.values().stream().filter(each -> !each.provider().equals(SELF)).count();
        assertEquals(others, store.size());
      }
      ProviderStore again = providers();
      told.there.forEach(
          (place, each) -> assertEquals(place, again.placeOf(each.key(), each.provider())));
      for (StoredProvider each : told.there.values()) {
        again.restore(each.key(), each.provider(), each.addresses(), each.toldAt().getNano(), now);
      }
      for (int i = 0; i < 12; i++) {
        for (long at : List.of(now, now + 600)) {
          assertEquals(
              Map.copyOf(named(store, i, at)), Map.copyOf(named(again, i, at)), "seed " + seed);
        }
      }
    }
  }

  private static Map<PeerId, List<Multiaddr>> named(ProviderStore store, int key, long now) {
    Map<PeerId, List<Multiaddr>> named = new LinkedHashMap<>();
    store
        .providers(hash(key), 10, new SplittableRandom(1), now)
        .forEach(info -> named.put(info.peer(), info.addresses()));
    return named;
  }

  private static Multihash hash(int number) {
    return Multihash.identity(Bytes.utf8("key " + number));
  }
}
