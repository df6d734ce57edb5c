package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Namespaces, the quorum, and the two stores. */
class RecordsTest {

  private static final PeerId SELF = Peers.at(1);
  private static final PeerId OTHER = Peers.at(2);
  private static final Bytes KEY = Bytes.utf8("/test/key");
  private static final Duration LIFE = Duration.ofNanos(100);

  /** Takes decimal numbers, and prefers the largest. */
  private static final Namespace NUMBERS =
      new Namespace() {
        @Override
        public void validate(Bytes key, Bytes value) throws InvalidRecordException {
          if (!value.utf8().matches("\\d+")) {
            throw new InvalidRecordException("not a number");
          }
        }

        @Override
        public int select(Bytes key, List<Bytes> values) {
          int best = 0;
          for (int i = 1; i < values.size(); i++) {
            if (number(values.get(i)) > number(values.get(best))) {
              best = i;
            }
          }
          return best;
        }

        private long number(Bytes value) {
          return Long.parseLong(value.utf8());
        }
      };

  private static final Namespaces NAMESPACES = Namespaces.BUILT_IN.with("n", NUMBERS);

  @Test
  void whatCannotBeCheckedIsNotValid() {
    for (String key : List.of("", "key", "/", "//x", "/unknown/x", "/test", "test/x")) {
      assertThrows(
          InvalidRecordException.class,
          () -> NAMESPACES.validate(Bytes.utf8(key), Bytes.EMPTY),
          key);
    }
    assertThrows(
        InvalidRecordException.class,
        () -> NAMESPACES.validate(Bytes.wrap(new byte[] {'/', -1, '/', 'x'}), Bytes.EMPTY));
  }

  @Test
  void keysAndValuesHaveTheirLimits() throws InvalidRecordException {
    NAMESPACES.validate(KEY, Bytes.wrap(new byte[ValueRecord.MAX_VALUE_SIZE]));
    assertThrows(
        InvalidRecordException.class,
        () -> NAMESPACES.validate(KEY, Bytes.wrap(new byte[ValueRecord.MAX_VALUE_SIZE + 1])));
    assertThrows(
        InvalidRecordException.class,
        () -> NAMESPACES.validate(Bytes.utf8("/test/" + "x".repeat(1024)), Bytes.EMPTY));
  }

  @Test
  void aPublicKeyIsValidUnderItsOwnPeerIdOnly() throws InvalidRecordException {
    PublicKey key = PrivateKey.fromSeed(new PortableCrypto(), new byte[32]).publicKey();
    Bytes mine = Bytes.utf8("/pk/").concat(PeerId.of(key).bytes());
    Bytes anothers = Bytes.utf8("/pk/").concat(Peers.at(5).bytes());
    NAMESPACES.validate(mine, key.encoded());
    assertThrows(InvalidRecordException.class, () -> NAMESPACES.validate(anothers, key.encoded()));
    assertThrows(InvalidRecordException.class, () -> NAMESPACES.validate(mine, Bytes.utf8("junk")));
    assertThrows(
        InvalidRecordException.class,
        () -> NAMESPACES.validate(Bytes.utf8("/pk/junk"), key.encoded()));
  }

  @Test
  void theTimeOfReceiptHasNineDigitsOfAFraction() {
    // js-libp2p's parser wants them all, as go-libp2p's formatter writes them.
    assertEquals(
        "2026-01-02T03:04:05.000000000Z",
        record("/n/x", "5").receivedAt(Instant.parse("2026-01-02T03:04:05Z")).timeReceived());
    assertEquals(
        "2026-01-02T03:04:05.678000000Z",
        record("/n/x", "5").receivedAt(Instant.parse("2026-01-02T03:04:05.678Z")).timeReceived());
  }

  @Test
  void namesOfNamespacesHaveNoSlash() {
    assertThrows(IllegalArgumentException.class, () -> NAMESPACES.with("a/b", NUMBERS));
    assertThrows(IllegalArgumentException.class, () -> NAMESPACES.with("", NUMBERS));
  }

  @Test
  void aBetterValueReplacesAndAWorseDoesNot() throws InvalidRecordException {
    ValueStore store = values(10);
    assertEquals(ValueStore.Outcome.STORED, store.put(OTHER, record("/n/x", "5"), 0));
    assertEquals(ValueStore.Outcome.OUTDATED, store.put(OTHER, record("/n/x", "4"), 0));
    assertEquals(ValueStore.Outcome.STORED, store.put(OTHER, record("/n/x", "6"), 0));
    assertEquals("6", store.get(Bytes.utf8("/n/x"), 0).orElseThrow().value().utf8());
    assertThrows(InvalidRecordException.class, () -> store.put(OTHER, record("/n/x", "six"), 0));
  }

  @Test
  void inAnOpenNamespaceTheLatestValueStays() throws InvalidRecordException {
    ValueStore store = values(10);
    store.put(OTHER, record("/test/x", "b"), 0);
    store.put(OTHER, record("/test/x", "a"), 0);
    assertEquals("a", store.get(Bytes.utf8("/test/x"), 0).orElseThrow().value().utf8());
  }

  @Test
  void valuesExpire() throws InvalidRecordException {
    ValueStore store = values(10);
    store.put(OTHER, record("/n/x", "5"), 0);
    assertTrue(store.get(Bytes.utf8("/n/x"), 99).isPresent());
    assertEquals(Optional.empty(), store.get(Bytes.utf8("/n/x"), 100));
    assertEquals(
        ValueStore.Outcome.STORED,
        store.put(OTHER, record("/n/x", "4"), 100),
        "the better one is gone");
    store.expire(200);
    assertEquals(0, store.size());
  }

  @Test
  void aFullValueStorePrefersKeysNearToUs() throws InvalidRecordException {
    ValueStore store = values(3);
    for (int i = 0; i < 100; i++) {
      store.put(Peers.peer(i), record("/n/" + i, "1"), 0);
      assertTrue(store.size() <= 3);
    }
    nearest(IntStream.range(0, 100).mapToObj(i -> "/n/" + i), 3)
        .forEach(key -> assertTrue(store.get(Bytes.utf8(key), 0).isPresent(), key));
  }

  private static List<String> nearest(Stream<String> keys, int limit) {
    return keys.sorted(
            Comparator.comparing(key -> Key.of(SELF).distanceTo(Key.of(Bytes.utf8(key)))))
        .limit(limit)
        .toList();
  }

  @Test
  void theBestValueDoesNotDependOnTheOrderOfArrival() throws InvalidRecordException {
    Bytes key = Bytes.utf8("/n/x");
    Quorum quorum = new Quorum(NAMESPACES, key, 3);
    assertEquals(Optional.empty(), quorum.best());
    quorum.onValue(Peers.at(1), Bytes.utf8("4"));
    quorum.onValue(Peers.at(2), Bytes.utf8("9"));
    quorum.onValue(Peers.at(2), Bytes.utf8("99"));
    assertTrue(!quorum.isReached(), "the second value of a peer does not count");
    assertThrows(
        InvalidRecordException.class, () -> quorum.onValue(Peers.at(3), Bytes.utf8("nine")));
    quorum.onValue(Peers.at(4), Bytes.utf8("4"));
    assertTrue(quorum.isReached());
    assertEquals(Optional.of(Bytes.utf8("9")), quorum.best());
    assertEquals(List.of(Peers.at(1), Peers.at(4)), quorum.holdersOfOthers(Bytes.utf8("9")));
  }

  @Test
  void inAnOpenNamespaceTheValueThatMorePeersHoldIsTheBest() throws InvalidRecordException {
    Quorum quorum = new Quorum(NAMESPACES, KEY, 3);
    quorum.onValue(Peers.at(1), Bytes.utf8("a"));
    quorum.onValue(Peers.at(2), Bytes.utf8("b"));
    quorum.onValue(Peers.at(3), Bytes.utf8("b"));
    assertEquals(Optional.of(Bytes.utf8("b")), quorum.best());
  }

  @Test
  void providersAreNamedTheLatestFirstUntilTheyExpire() throws Exception {
    ProviderStore store = providers(10, 3);
    Multiaddr address = Multiaddr.parse("/ip4/1.2.3.4/tcp/5");
    store.add(hash("x"), Peers.at(3), List.of(address), 0);
    store.add(hash("x"), Peers.at(2), List.of(address), 1);
    store.add(hash("x"), Peers.at(3), List.of(address), 2);
    assertEquals(List.of(Peers.at(3), Peers.at(2)), named(store, "x", 10, 3));
    assertEquals(
        List.of(address),
        store.providers(hash("x"), 2, new SplittableRandom(1), 51).get(0).addresses());
    assertEquals(
        List.of(), store.providers(hash("x"), 2, new SplittableRandom(1), 52).get(0).addresses());
    assertEquals(List.of(Peers.at(3)), named(store, "x", 10, 101));
    assertEquals(List.of(), named(store, "y", 10, 3));
    store.expire(102);
    assertEquals(0, store.size());
  }

  @Test
  void aKeyHasSoManyProvidersAndDropsTheOldest() {
    ProviderStore store = providers(10, 3);
    for (int i = 1; i <= 5; i++) {
      assertTrue(store.add(hash("x"), Peers.at(10 + i), List.of(), i));
    }
    assertEquals(List.of(Peers.at(15), Peers.at(14), Peers.at(13)), named(store, "x", 10, 6));
    assertEquals(3, store.size());
  }

  @Test
  void aFullProviderStorePrefersKeysNearToUs() {
    ProviderStore store = providers(4, 2);
    for (int i = 0; i < 200; i++) {
      store.add(hash("k" + i / 2), Peers.peer(i), List.of(), 0);
      assertTrue(store.size() <= 4);
    }
    String nearest =
        IntStream.range(0, 100)
            .mapToObj(i -> "k" + i)
            .min(Comparator.comparing(key -> Key.of(SELF).distanceTo(Key.of(hash(key).encoded()))))
            .orElseThrow();
    assertEquals(2, named(store, nearest, 10, 0).size());
  }

  @Test
  void keepsSoManyAddressesOfAProvider() throws Exception {
    ProviderStore store = providers(4, 2);
    Multiaddr address = Multiaddr.parse("/ip4/1.2.3.4/tcp/5");
    store.add(hash("x"), Peers.at(1), List.of(address, address, address), 0);
    assertEquals(
        List.of(address, address),
        store.providers(hash("x"), 1, new SplittableRandom(1), 0).get(0).addresses());
  }

  @Test
  void ownValuesGiveWayToNobody() throws InvalidRecordException {
    ValueStore store = values(4);
    for (int i = 0; i < 4; i++) {
      assertEquals(ValueStore.Outcome.STORED, store.put(SELF, record("/n/own" + i, "1"), 0));
    }
    assertEquals(ValueStore.Outcome.FULL, store.put(SELF, record("/n/own4", "1"), 0));
    // That another has the same value to offer does not make it the other's.
    assertEquals(ValueStore.Outcome.STORED, store.put(OTHER, record("/n/own0", "1"), 0));
    for (int i = 0; i < 200; i++) {
      store.put(Peers.peer(i), record("/n/" + i, "1"), 0);
      assertTrue(store.size() <= 8);
    }
    for (int i = 0; i < 4; i++) {
      assertTrue(store.get(Bytes.utf8("/n/own" + i), 0).isPresent());
    }
  }

  @Test
  void ownValuesThatAreNotValidAnyMoreMakeRoomForAnother() throws InvalidRecordException {
    List<Bytes> over = new ArrayList<>();
    Namespace passing =
        new Namespace() {
          @Override
          public void validate(Bytes key, Bytes value) throws InvalidRecordException {
            if (over.contains(key)) {
              throw new InvalidRecordException("its time is over");
            }
          }

          @Override
          public int select(Bytes key, List<Bytes> values) {
            return 0;
          }
        };
    ValueStore store =
        new ValueStore(
            NAMESPACES.with("p", passing), SELF, ValueStore.Settings.DEFAULT.withMaxRecords(2));
    assertEquals(ValueStore.Outcome.STORED, store.intend(record("/p/a", "1"), 0));
    assertEquals(ValueStore.Outcome.STORED, store.intend(record("/p/b", "1"), 0));
    assertEquals(ValueStore.Outcome.FULL, store.intend(record("/p/c", "1"), 0));
    over.add(Bytes.utf8("/p/a"));
    assertEquals(ValueStore.Outcome.STORED, store.intend(record("/p/c", "1"), 0));
    assertEquals(2, store.own().size());
    assertEquals(ValueStore.Outcome.FULL, store.intend(record("/p/d", "1"), 0));
    over.add(Bytes.utf8("/p/b"));
    over.add(Bytes.utf8("/p/c"));
    assertEquals(ValueStore.Outcome.STORED, store.intend(record("/p/d", "1"), 0));
    assertEquals(1, store.size());
  }

  @Test
  void ownValuesDoNotExpireAndAreDueUntilOthersAreTold() throws InvalidRecordException {
    ValueStore store = values(4);
    ValueRecord own = record("/n/own", "1");
    assertEquals(ValueStore.Outcome.STORED, store.intend(own, 50));
    assertEquals(List.of(new ValueStore.Own(own, -50)), store.own());
    store.put(OTHER, own, 60);
    assertEquals(List.of(new ValueStore.Own(own, -50)), store.own(), "nobody was told by us");
    store.announced(own, 70);
    store.announced(record("/n/own", "2"), 80);
    store.intend(own, 90);
    assertEquals(List.of(new ValueStore.Own(own, 70)), store.own());
    store.expire(1000);
    assertTrue(store.get(own.key(), 1000).isPresent());
    ValueStore again = values(4);
    assertTrue(again.restore(own, SELF, 70, 1000));
    assertTrue(!again.restore(record("/n/x", "1"), OTHER, 70, 1000));
  }

  @Test
  void oneSenderHasItsShareOfTheRoomForValues() throws InvalidRecordException {
    ValueStore store = values(8);
    for (int i = 0; i < 8; i++) {
      assertEquals(ValueStore.Outcome.STORED, store.put(OTHER, record("/n/" + i, "1"), 0));
    }
    assertEquals(ValueStore.Outcome.FULL, store.put(OTHER, record("/n/8", "1"), 0));
    assertEquals(ValueStore.Outcome.STORED, store.put(OTHER, record("/n/1", "2"), 0), "no more");
    // However far its own are, everybody else has room, until the one is down to its share.
    for (int i = 10; i < 16; i++) {
      assertEquals(ValueStore.Outcome.STORED, store.put(Peers.at(i), record("/n/" + i, "1"), 0));
    }
    assertEquals(8, store.size());
    List<String> nearest = nearest(IntStream.range(0, 8).mapToObj(i -> "/n/" + i), 2);
    nearest.forEach(key -> assertTrue(store.get(Bytes.utf8(key), 0).isPresent(), key));
    for (int i = 10; i < 16; i++) {
      assertTrue(store.get(Bytes.utf8("/n/" + i), 0).isPresent());
    }
    assertEquals(ValueStore.Outcome.FULL, store.put(OTHER, record("/n/9", "1"), 0));
    store.expire(100);
    assertEquals(ValueStore.Outcome.STORED, store.put(OTHER, record("/n/3", "1"), 100));
  }

  @Test
  void aCorrectedValueRemainsWithWhoPutIt() throws InvalidRecordException {
    ValueStore store = values(3);
    store.put(OTHER, record("/n/0", "1"), 0);
    store.correct(record("/n/0", "5"), Peers.at(3), 10);
    assertEquals("5", store.get(Bytes.utf8("/n/0"), 10).orElseThrow().value().utf8());
    assertEquals(
        ValueStore.RECORD_OVERHEAD + "/n/0".length() + 1, store.bytesOfOthers(), "not our own");
    store.correct(record("/n/1", "5"), Peers.at(3), 10);
    assertEquals(1, store.size(), "there was nothing to correct");
    store.intend(record("/n/2", "1"), 10);
    store.correct(record("/n/2", "5"), Peers.at(3), 10);
    assertEquals("5", store.get(Bytes.utf8("/n/2"), 10).orElseThrow().value().utf8());
    assertEquals(List.of(), store.own(), "it is not ours to put again");
  }

  @Test
  void valuesHaveSoManyBytesInAllAndEachSenderItsShareOfThem() throws InvalidRecordException {
    ValueStore store =
        new ValueStore(NAMESPACES, SELF, new ValueStore.Settings(100, 40_000, 4, LIFE));
    for (int i = 0; i < 50; i++) {
      store.put(Peers.peer(i), record("/test/" + i, "x".repeat(9_000)), 0);
      assertTrue(store.bytesOfOthers() <= 40_000);
    }
    assertEquals(4, store.size());
    assertEquals(
        ValueStore.Outcome.FULL, store.put(OTHER, record("/test/y", "x".repeat(10_000)), 0));
    store.expire(100);
    assertEquals(0, store.bytesOfOthers());
  }

  @Test
  void aValueThatIsNoLongerValidIsNotServed() throws InvalidRecordException {
    boolean[] valid = {true};
    Namespace fickle =
        new Namespace() {
          @Override
          public void validate(Bytes key, Bytes value) throws InvalidRecordException {
            if (!valid[0]) {
              throw new InvalidRecordException("its time is over");
            }
          }

          @Override
          public int select(Bytes key, List<Bytes> values) {
            return 0;
          }
        };
    ValueStore store =
        new ValueStore(NAMESPACES.with("f", fickle), SELF, ValueStore.Settings.DEFAULT);
    store.put(OTHER, record("/f/x", "1"), 0);
    assertTrue(store.get(Bytes.utf8("/f/x"), 0).isPresent());
    valid[0] = false;
    assertEquals(Optional.empty(), store.get(Bytes.utf8("/f/x"), 0));
    assertEquals(0, store.size());
  }

  @Test
  void whatThisPeerProvidesGivesWayToNobodyAndIsNamedFirst() {
    ProviderStore store = providers(4, 2);
    for (int i = 0; i < 4; i++) {
      assertTrue(store.add(hash("k" + i), SELF, List.of(), 0));
    }
    assertTrue(!store.add(hash("k4"), SELF, List.of(), 0), "there is room for so many");
    for (int i = 0; i < 200; i++) {
      store.add(hash("k" + i % 10), Peers.peer(i), List.of(), 1);
    }
    for (int i = 0; i < 4; i++) {
      assertEquals(SELF, named(store, "k" + i, 10, 1).get(0));
    }
  }

  @Test
  void oneProviderHasSoManyKeys() {
    ProviderStore store = providers(100, 2);
    for (int i = 0; i < 20; i++) {
      assertTrue(store.add(hash("k" + i), OTHER, List.of(), 0));
    }
    assertTrue(!store.add(hash("k20"), OTHER, List.of(), 0));
    assertTrue(store.add(hash("k19"), OTHER, List.of(), 1), "it has this one");
    assertTrue(store.add(hash("k20"), Peers.at(3), List.of(), 1));
    assertEquals(List.of(Peers.at(3)), named(store, "k20", 10, 1));
    store.expire(100);
    assertTrue(store.add(hash("k20"), OTHER, List.of(), 100));
  }

  @Test
  void providersHaveSoManyBytesInAll() throws Exception {
    ProviderStore store = providers(1000, 1000);
    List<Multiaddr> addresses = List.of(Multiaddr.parse("/dns4/" + "a".repeat(200) + "/tcp/1"));
    for (int i = 0; i < 200; i++) {
      store.add(hash("k" + i), Peers.peer(i), addresses, 0);
      assertTrue(store.bytes() <= 10_000);
    }
    assertTrue(store.bytes() > 9_000);
    store.expire(100);
    assertEquals(0, store.bytes());
  }

  @Test
  void whoTellsUsAgainAndAgainDoesNotOwnTheAnswers() {
    ProviderStore store = providers(1000, 100);
    PeerId honest = Peers.peer(1000);
    store.add(hash("x"), honest, List.of(), 0);
    SplittableRandom random = new SplittableRandom(7);
    int answersThatNameIt = 0;
    for (int round = 1; round <= 50; round++) {
      for (int i = 0; i < 64; i++) {
        store.add(hash("x"), Peers.peer(i), List.of(), round);
      }
      List<PeerInfo> named = store.providers(hash("x"), 32, random, round);
      assertEquals(32, named.stream().map(PeerInfo::peer).distinct().count());
      if (named.stream().anyMatch(info -> info.peer().equals(honest))) {
        answersThatNameIt++;
      }
    }
    assertTrue(answersThatNameIt >= 10, answersThatNameIt + " of 50");
  }

  @Test
  void keepsSoManyBytesOfAddressesOfAPeer() throws Exception {
    List<Multiaddr> addresses = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      addresses.add(Multiaddr.parse("/dns4/" + "a".repeat(200) + "/tcp/" + (i + 1)));
    }
    ProviderStore store = new ProviderStore(SELF, ProviderStore.Settings.DEFAULT);
    store.add(hash("x"), OTHER, addresses, 0);
    RoutingTable table = new RoutingTable(SELF, new RoutingTable.Settings(20, 8, LIFE, 2, 3));
    table.add(OTHER, addresses, List::of, 0);
    for (PeerInfo kept :
        List.of(
            store.providers(hash("x"), 1, new SplittableRandom(1), 0).get(0),
            table.nearest(Key.of(OTHER), 1).get(0))) {
      assertEquals(addresses.subList(0, 4), kept.addresses());
    }
  }

  private static ValueStore values(int max) {
    return new ValueStore(NAMESPACES, SELF, new ValueStore.Settings(max, 1 << 20, 4, LIFE));
  }

  private static ProviderStore providers(int max, int perKey) {
    return new ProviderStore(
        SELF,
        new ProviderStore.Settings(
            max, perKey, 20, 10_000, 2, Duration.ofNanos(100), Duration.ofNanos(50)));
  }

  private static List<PeerId> named(ProviderStore store, String key, int limit, long now) {
    return store.providers(hash(key), limit, new SplittableRandom(1), now).stream()
        .map(PeerInfo::peer)
        .toList();
  }

  private static Multihash hash(String text) {
    return Multihash.sha256(new PortableCrypto(), Bytes.utf8(text));
  }

  private static ValueRecord record(String key, String value) {
    return new ValueRecord(Bytes.utf8(key), Bytes.utf8(value));
  }
}
