package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.RoutingTable.Admission;
import dev.troupe.protocol.kademlia.RoutingTableEvent.RoutingTableEmptied;
import dev.troupe.protocol.kademlia.RoutingTableEvent.RoutingTablePopulated;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class RoutingTableTest {

  private static final Duration SILENCE = Duration.ofNanos(100);

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
  void aFullBucketKeepsThoseItHasAndLetsNewcomersWait() {
    RoutingTable table = table(0, 2);
    assertEquals(Admission.ENTERED, heard(table, 0x80, 0));
    assertEquals(Admission.ENTERED, heard(table, 0x81, 0));
    assertEquals(Admission.WAITS, heard(table, 0x82, 100));
    assertEquals(Admission.WAITS, heard(table, 0x83, 1000));
    assertEquals(Admission.WAITS, heard(table, 0x82, 1001));
    assertEquals(Admission.STAYS, heard(table, 0x80, 1001));
    assertEquals(List.of(Peers.at(0x81), Peers.at(0x80)), table.peers());
    assertEquals(List.of(Peers.at(0x82), Peers.at(0x83)), table.waiting());
    assertEquals(2, table.size());
    assertFalse(table.contains(Peers.at(0x82)));
    assertEquals(List.of(Peers.at(0x80), Peers.at(0x81)), nearest(table, 0x82));
  }

  @Test
  void soManyWaitAndThenTheOldestGoes() {
    RoutingTable table = table(0, 1);
    add(table, 0x80, 0);
    for (int point = 0x81; point <= 0x85; point++) {
      add(table, point, point);
    }
    assertEquals(List.of(Peers.at(0x85), Peers.at(0x84), Peers.at(0x83)), table.waiting());
  }

  @Test
  void theMemberThatWasSilentTheLongestIsChecked() {
    RoutingTable table = table(0, 2);
    add(table, 0x80, 0);
    add(table, 0x81, 0);
    add(table, 0x80, 50);
    add(table, 0x82, 101);
    assertEquals(Optional.of(check(0x81, true)), table.nextCheck(Peers.at(0x82), 101));
    assertEquals(Optional.empty(), table.nextCheck(Peers.at(0x82), 1000), "one at a time");
    assertEquals(Optional.empty(), table.nextCheck(1000));
    add(table, 0x81, 1000);
    table.onChecked(Peers.at(0x81));
    assertEquals(Optional.of(check(0x80, true)), table.nextCheck(1000));
    assertEquals(Optional.empty(), table.nextCheck(1000));
    assertEquals(List.of(Peers.at(0x80), Peers.at(0x81)), table.peers());
  }

  @Test
  void whoWasHeardOfWithinTheIntervalIsNotChecked() {
    RoutingTable table = table(0, 2);
    add(table, 0x80, 0);
    add(table, 0x81, 0);
    add(table, 0x82, 100);
    assertEquals(Optional.empty(), table.nextCheck(Peers.at(0x82), 100));
    assertEquals(Optional.empty(), table.nextCheck(100));
    assertEquals(Optional.of(check(0x80, true)), table.nextCheck(101));
  }

  @Test
  void aCheckThatDecidesNothingIsNotRepeatedBeforeTheIntervalIsOver() {
    RoutingTable table = table(0, 2);
    add(table, 0x80, 0);
    add(table, 0x81, 0);
    assertEquals(Optional.of(check(0x80, true)), table.nextCheck(200));
    table.onChecked(Peers.at(0x80));
    assertEquals(Optional.of(check(0x81, true)), table.nextCheck(200));
    table.onChecked(Peers.at(0x81));
    assertEquals(Optional.empty(), table.nextCheck(300));
    assertEquals(Optional.of(check(0x80, true)), table.nextCheck(301));
  }

  @Test
  void bucketsAreCheckedAtTheSameTime() {
    RoutingTable table = table(0, 2);
    add(table, 0x80, 0);
    add(table, 0x40, 0);
    assertEquals(Optional.of(check(0x80, true)), table.nextCheck(200));
    assertEquals(Optional.of(check(0x40, true)), table.nextCheck(200));
    assertEquals(Optional.empty(), table.nextCheck(200));
  }

  @Test
  void whereThereIsRoomTheNewestOfThoseThatWaitIsChecked() {
    RoutingTable table = table(0, 2);
    for (int point = 0x80; point <= 0x84; point++) {
      add(table, point, 0);
    }
    assertEquals(Optional.empty(), table.nextCheck(Peers.at(0x80), 1));
    table.remove(Peers.at(0x80));
    assertEquals(Optional.of(check(0x84, false)), table.nextCheck(Peers.at(0x80), 1));
    assertFalse(table.contains(Peers.at(0x84)), "it has not answered");
    assertEquals(Optional.empty(), table.nextCheck(Peers.at(0x80), 1));
    table.onChecked(Peers.at(0x84)); // It has not.
    assertEquals(Optional.of(check(0x83, false)), table.nextCheck(1));
    assertEquals(Admission.ENTERED, heard(table, 0x83, 2));
    table.onChecked(Peers.at(0x83));
    assertEquals(List.of(Peers.at(0x81), Peers.at(0x83)), table.peers());
    assertEquals(List.of(Peers.at(0x82)), table.waiting());
    assertEquals(Optional.empty(), table.nextCheck(2));
  }

  @Test
  void whoWaitsOutlivesTheMembersOfItsBucket() {
    RoutingTable table = table(0, 1);
    add(table, 0x80, 0);
    add(table, 0x81, 0);
    assertEquals(Optional.of(new RoutingTableEmptied()), table.remove(Peers.at(0x80)));
    assertTrue(table.isEmpty());
    assertEquals(List.of(), nearest(table, 0x81));
    assertEquals(List.of(), table.refreshTargets(1, Duration.ZERO, new Random(1), 0));
    assertEquals(Optional.of(check(0x81, false)), table.nextCheck(1));
    assertEquals(Optional.of(new RoutingTablePopulated()), add(table, 0x81, 1));
  }

  @Test
  void whoStopsBeingAserverWaitsNoLonger() {
    RoutingTable table = table(0, 1);
    add(table, 0x80, 0);
    add(table, 0x81, 0);
    assertEquals(Optional.empty(), table.remove(Peers.at(0x81)));
    assertEquals(List.of(), table.waiting());
  }

  @Test
  void soManyOfOneGroupEnterAbucket() throws MalformedException {
    RoutingTable table = table(0, 9);
    assertEquals(Admission.ENTERED, heard(table, 0x80, "/ip4/8.8.0.1/tcp/1"));
    assertEquals(Admission.ENTERED, heard(table, 0x81, "/ip4/8.8.0.2/tcp/1"));
    assertEquals(Admission.REFUSED, heard(table, 0x82, "/ip4/8.8.99.3/tcp/1"));
    assertEquals(Admission.ENTERED, heard(table, 0x83, "/ip4/8.9.0.1/tcp/1"));
    assertEquals(Admission.STAYS, heard(table, 0x80, "/ip4/8.8.0.1/tcp/1"));
    assertEquals(1, table.refused());
    assertEquals(3, table.size());
    table.remove(Peers.at(0x81));
    assertEquals(Admission.ENTERED, heard(table, 0x82, "/ip4/8.8.99.3/tcp/1"));
  }

  @Test
  void soManyOfOneGroupEnterTheTable() throws MalformedException {
    RoutingTable table = table(0, 9);
    assertEquals(Admission.ENTERED, heard(table, 0x80, "/ip4/8.8.0.1/tcp/1"));
    assertEquals(Admission.ENTERED, heard(table, 0x40, "/ip4/8.8.0.2/tcp/1"));
    assertEquals(Admission.ENTERED, heard(table, 0x20, "/ip4/8.8.0.3/tcp/1"));
    assertEquals(Admission.REFUSED, heard(table, 0x10, "/ip4/8.8.0.4/tcp/1"));
    assertEquals(Admission.ENTERED, heard(table, 0x11, "/ip4/10.8.0.4/tcp/1"));
    table.remove(Peers.at(0x40));
    assertEquals(Admission.ENTERED, heard(table, 0x10, "/ip4/8.8.0.4/tcp/1"));
    assertEquals(Admission.REFUSED, heard(table, 0x08, "/ip4/8.8.0.5/tcp/1"));
  }

  @Test
  void whoIsInSeveralGroupsCountsInEach() throws MalformedException {
    RoutingTable table = table(0, 9);
    heard(table, 0x80, "/ip4/8.8.0.1/tcp/1", "/ip4/9.9.0.1/tcp/1");
    heard(table, 0x81, "/ip4/8.8.0.1/tcp/1");
    assertEquals(
        Admission.REFUSED, heard(table, 0x82, "/ip4/8.10.0.1/tcp/1", "/ip4/8.8.0.1/tcp/1"));
    assertEquals(Admission.ENTERED, heard(table, 0x82, "/ip4/9.9.0.1/tcp/1"));
  }

  @Test
  void ofOneGroupThatWaitsTheNewestStay() throws MalformedException {
    RoutingTable table = table(0, 1);
    heard(table, 0x80, "/ip4/9.9.0.1/tcp/1");
    heard(table, 0x81, "/ip4/7.7.0.1/tcp/1");
    for (int point = 0x82; point <= 0x86; point++) {
      assertEquals(Admission.WAITS, heard(table, point, "/ip4/8.8.0.1/tcp/1"));
    }
    assertEquals(List.of(Peers.at(0x86), Peers.at(0x85), Peers.at(0x81)), table.waiting());
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
    table.add(Peers.at(1), List.of(first), List::of, 0);
    table.add(Peers.at(1), List.of(second), List::of, 0);
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
    List<IpGroup> all = IntStream.range(0, 4).mapToObj(each -> new IpGroup(16, each)).toList();
    List<List<IpGroup>> groups = new ArrayList<>();
    for (int point = 0; point < 256; point++) {
      List<IpGroup> some = new ArrayList<>(all);
      Collections.shuffle(some, random);
      groups.add(some.subList(0, random.nextInt(3)));
    }
    Map<PeerId, List<IpGroup>> counted = new LinkedHashMap<>();
    boolean populated = false;
    for (int step = 0; step < 300; step++) {
      int point = 1 + random.nextInt(255);
      PeerId peer = Peers.at(point);
      Optional<RoutingTableEvent> event;
      if (random.nextInt(3) == 0) {
        event = table.remove(peer);
        counted.remove(peer);
      } else {
        RoutingTable.Heard heard = table.add(peer, List.of(), () -> groups.get(point), step);
        event = heard.event();
        if (heard.admission() == Admission.ENTERED) {
          counted.put(peer, groups.get(point));
        }
      }
      if (random.nextInt(10) == 0) {
        PeerId exempt = Peers.at(1 + random.nextInt(255));
        table.exempt(exempt);
        counted.computeIfPresent(exempt, (same, before) -> List.of());
      }
      assertEquals(counted.keySet(), Set.copyOf(table.peers()));
      all.forEach(group -> assertIsNotTooMuchOf(group, counted));
      if (random.nextInt(4) == 0) {
        table.nextCheck(step).ifPresent(check -> table.onChecked(check.peer().peer()));
      }
      if (event.isPresent()) {
        assertEquals(populated, event.get() instanceof RoutingTableEmptied);
        populated = !populated;
      }
      assertEquals(populated, !table.isEmpty());
      assertEquals(table.size(), new TreeSet<>(table.peers()).size());
      assertTrue(table.waiting().stream().noneMatch(table::contains));
      for (int prefix = 0; step % 20 == 0 && prefix < 8; prefix++) {
        int length = prefix;
        assertTrue(
            table.peers().stream()
                    .filter(p -> Peers.key(0).commonPrefixLength(Peers.keyOf(p)) == length)
                    .count()
                <= capacity);
        assertTrue(
            table.waiting().stream()
                    .filter(p -> Peers.key(0).commonPrefixLength(Peers.keyOf(p)) == length)
                    .count()
                <= 3);
      }
    }
    Stream.concat(table.peers().stream(), table.waiting().stream()).forEach(table::remove);
    for (int i = 0; i < 4; i++) {
      List<IpGroup> one = List.of(all.get(i));
      RoutingTable.Heard heard = table.add(Peers.at(0x80 >> i), List.of(), () -> one, 300);
      assertEquals(Admission.ENTERED, heard.admission(), "who has left does not count");
    }
  }

  private static void assertIsNotTooMuchOf(IpGroup group, Map<PeerId, List<IpGroup>> counted) {
    int[] inBucket = new int[8];
    int inTable = 0;
    for (Map.Entry<PeerId, List<IpGroup>> each : counted.entrySet()) {
      if (each.getValue().contains(group)) {
        inTable++;
        inBucket[Peers.key(0).commonPrefixLength(Peers.keyOf(each.getKey()))]++;
      }
    }
    assertTrue(inTable <= 3, inTable + " of one group in the table");
    assertTrue(Arrays.stream(inBucket).allMatch(count -> count <= 2), "too many in one bucket");
  }

  @Test
  void refreshAsksForARandomPeerInEachBucketThatNobodyAskedAbout() throws MalformedException {
    PeerId self = Peers.at(1);
    RoutingTable table = new RoutingTable(self, settings(20));
    for (int point = 2; point < 200; point++) {
      table.add(Peers.at(point), List.of(), List::of, 0);
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
    RoutingTable table = new RoutingTable(self, settings(20));
    for (int point = 2; point < 200; point++) {
      table.add(Peers.at(point), List.of(), List::of, 0);
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

  private static RoutingTable.Settings settings(int capacity) {
    return new RoutingTable.Settings(capacity, 3, SILENCE, 2, 3);
  }

  private static RoutingTable table(int self, int capacity) {
    return new RoutingTable(Peers.key(self), settings(capacity), Peers::keyOf);
  }

  private static RoutingTable.Check check(int point, boolean isMember) {
    return new RoutingTable.Check(new PeerInfo(Peers.at(point), List.of()), isMember);
  }

  private static List<PeerId> nearest(RoutingTable table, int target) {
    return table.nearest(Peers.key(target), 20).stream().map(PeerInfo::peer).toList();
  }

  private static Optional<RoutingTableEvent> add(RoutingTable table, int point, long now) {
    return table.add(Peers.at(point), List.of(), List::of, now).event();
  }

  private static Admission heard(RoutingTable table, int point, long now) {
    return table.add(Peers.at(point), List.of(), List::of, now).admission();
  }

  private static Admission heard(RoutingTable table, int point, String... from)
      throws MalformedException {
    List<IpGroup> groups = new ArrayList<>();
    for (String address : from) {
      IpGroup.of(Multiaddr.parse(address)).ifPresent(groups::add);
    }
    return table.add(Peers.at(point), List.of(), () -> groups, 0).admission();
  }
}
