package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.RoutingTableEvent.RoutingTableEmptied;
import dev.troupe.protocol.kademlia.RoutingTableEvent.RoutingTablePopulated;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class RoutingTableTest {

  private static final Duration STALE_AFTER = Duration.ofNanos(100);

  @Test
  void theFirstPeerPopulatesAndTheLastEmpties() {
    RoutingTable table = table(0, 2);
    assertTrue(table.isEmpty());
    assertEquals(Optional.of(new RoutingTablePopulated()), add(table, 1, 0));
    assertEquals(Optional.empty(), add(table, 2, 0));
    assertEquals(Optional.empty(), add(table, 1, 1));
    assertEquals(2, table.size());
    assertEquals(Optional.empty(), table.remove(Peers.at(1)));
    assertEquals(Optional.empty(), table.remove(Peers.at(1)));
    assertEquals(Optional.of(new RoutingTableEmptied()), table.remove(Peers.at(2)));
    assertEquals(Optional.empty(), table.remove(Peers.at(2)));
    assertEquals(Optional.of(new RoutingTablePopulated()), add(table, 1, 2));
  }

  @Test
  void neverHoldsItself() {
    RoutingTable table = table(7, 2);
    assertEquals(Optional.empty(), add(table, 7, 0));
    assertTrue(table.isEmpty());
  }

  @Test
  void aFullBucketKeepsThoseThatAreAlive() {
    RoutingTable table = table(0, 2);
    add(table, 0x80, 0);
    add(table, 0x81, 0);
    add(table, 0x82, 100);
    assertEquals(List.of(Peers.at(0x80), Peers.at(0x81)), table.peers());
  }

  @Test
  void aFullBucketGivesUpTheOneThatWasSilentTheLongest() {
    RoutingTable table = table(0, 2);
    add(table, 0x80, 0);
    add(table, 0x81, 0);
    add(table, 0x80, 50);
    add(table, 0x82, 101);
    assertEquals(List.of(Peers.at(0x80), Peers.at(0x82)), table.peers());
  }

  @Test
  void bucketsAreFullOneByOne() {
    RoutingTable table = table(0, 1);
    add(table, 0x80, 0);
    add(table, 0x81, 0);
    add(table, 0x40, 0);
    add(table, 0x41, 0);
    add(table, 0x01, 0);
    assertEquals(List.of(Peers.at(0x80), Peers.at(0x40), Peers.at(0x01)), table.peers());
  }

  @Test
  void remembersTheLatestAddresses() throws MalformedException {
    RoutingTable table = table(0, 2);
    Multiaddr first = Multiaddr.parse("/ip4/127.0.0.1/tcp/1");
    Multiaddr second = Multiaddr.parse("/ip4/127.0.0.1/tcp/2");
    table.add(Peers.at(1), List.of(first), 0);
    table.add(Peers.at(1), List.of(second), 0);
    assertEquals(List.of(second), table.addressesOf(Peers.at(1)));
    assertEquals(List.of(), table.addressesOf(Peers.at(2)));
    assertEquals(
        List.of(new PeerInfo(Peers.at(1), List.of(second))), table.nearest(Peers.key(9), 3));
  }

  @Property(tries = 300)
  void nearestAreTheNearestInOrder(
      @ForAll @IntRange(max = 255) int self,
      @ForAll @IntRange(max = 255) int target,
      @ForAll @IntRange(min = 1, max = 30) int count,
      @ForAll @Size(max = 60) Set<@IntRange(max = 255) Integer> points) {
    RoutingTable table = table(self, 256);
    points.forEach(point -> add(table, point, 0));
    List<Integer> expected =
        points.stream()
            .filter(point -> point != self)
            .sorted(Comparator.comparing(point -> point ^ target))
            .limit(count)
            .toList();
    List<Integer> nearest =
        table.nearest(Peers.key(target), count).stream()
            .map(info -> Peers.pointOf(info.peer()))
            .toList();
    assertEquals(expected, nearest);
  }

  @Property(tries = 30)
  void boundsHoldAndEventsTellTheTruth(
      @ForAll @IntRange(min = 1, max = 4) int capacity, @ForAll long seed) {
    RoutingTable table = table(0, capacity);
    Random random = new Random(seed);
    boolean populated = false;
    for (int step = 0; step < 300; step++) {
      int point = 1 + random.nextInt(255);
      Optional<RoutingTableEvent> event =
          random.nextInt(3) == 0 ? table.remove(Peers.at(point)) : add(table, point, step);
      if (event.isPresent()) {
        assertEquals(populated, event.get() instanceof RoutingTableEmptied);
        populated = !populated;
      }
      assertEquals(populated, !table.isEmpty());
      assertEquals(table.size(), new TreeSet<>(table.peers()).size());
      for (int prefix = 0; step % 20 == 0 && prefix < 8; prefix++) {
        int length = prefix;
        assertTrue(
            table.peers().stream()
                    .filter(p -> Peers.key(0).commonPrefixLength(Peers.keyOf(p)) == length)
                    .count()
                <= capacity);
      }
    }
  }

  @Test
  void refreshAsksForARandomPeerInEachBucketThatNobodyAskedAbout() throws MalformedException {
    PeerId self = Peers.at(1);
    RoutingTable table = new RoutingTable(self, 20, STALE_AFTER);
    for (int point = 2; point < 200; point++) {
      table.add(Peers.at(point), List.of(), 0);
    }
    Duration interval = Duration.ofNanos(1000);
    List<Bytes> targets = table.refreshTargets(1, interval, new Random(1), 0);
    Set<Integer> expected = new TreeSet<>();
    table.peers().forEach(p -> expected.add(Key.of(self).commonPrefixLength(Key.of(p))));
    expected.removeIf(prefix -> prefix > RoutingTable.MAX_REFRESHED_PREFIX);
    Set<Integer> actual = new HashSet<>();
    for (Bytes target : targets) {
      PeerId.decode(target.toArray());
      actual.add(Key.of(self).commonPrefixLength(Key.of(target)));
    }
    assertEquals(expected, actual);
    assertFalse(expected.isEmpty());
    assertEquals(List.of(), table.refreshTargets(1, interval, new Random(1), 999));
    assertEquals(targets.size(), table.refreshTargets(1, interval, new Random(1), 1000).size());
  }

  @Test
  void bucketsThatTheLookupOfOurOwnIdHasFoundWholeAreNotRefreshed() throws MalformedException {
    PeerId self = Peers.at(1);
    RoutingTable table = new RoutingTable(self, 20, STALE_AFTER);
    for (int point = 2; point < 200; point++) {
      table.add(Peers.at(point), List.of(), 0);
    }
    List<Integer> prefixes =
        table.peers().stream().map(peer -> Key.of(self).commonPrefixLength(Key.of(peer))).toList();
    Set<Integer> expected = new TreeSet<>();
    for (int prefix : prefixes) {
      if (prefixes.stream().filter(each -> each >= prefix).count() >= 20) {
        expected.add(prefix);
      }
    }
    Set<Integer> actual = new TreeSet<>();
    for (Bytes target : table.refreshTargets(20, Duration.ofNanos(1000), new Random(1), 0)) {
      actual.add(Key.of(self).commonPrefixLength(Key.of(target)));
    }
    assertEquals(expected, actual);
    assertTrue(actual.size() < new TreeSet<>(prefixes).size());
    table = table(0, 20);
    add(table, 5, 0);
    assertEquals(List.of(), table.refreshTargets(20, Duration.ZERO, new Random(1), 0));
  }

  private static RoutingTable table(int self, int capacity) {
    return new RoutingTable(Peers.key(self), capacity, STALE_AFTER, Peers::keyOf);
  }

  private static Optional<RoutingTableEvent> add(RoutingTable table, int point, long now) {
    return table.add(Peers.at(point), List.of(), now);
  }
}
