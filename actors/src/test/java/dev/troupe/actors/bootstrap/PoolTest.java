package dev.troupe.actors.bootstrap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.bootstrap.Bootstrap.Status;
import dev.troupe.actors.bootstrap.Pool.Entry;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.StoredBootstrap;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PoolTest {

  private static final PeerId SELF = peer(0);

  private long now;

  private static PeerId peer(int number) {
    return ScriptedWorld.key(number).peerId();
  }

  private static Multiaddr address(int number) {
    return bare(number).withPeer(peer(number));
  }

  private static Multiaddr bare(int number) {
    try {
      return Multiaddr.parse("/ip4/192.0.2." + number + "/tcp/4001");
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Multiaddr> addresses(int... numbers) {
    return IntStream.of(numbers).mapToObj(PoolTest::address).toList();
  }

  private static Pool pool(List<Multiaddr> primaries, List<Multiaddr> backups) {
    return new Pool(
        BootstrapSettings.DEFAULT.withBackups(backups), primaries, SELF, new SplittableRandom(1));
  }

  private List<PeerId> due(Pool pool) {
    return pool.due(now).stream().map(Entry::peer).toList();
  }

  private void after(int millis) {
    now += Duration.ofMillis(millis).toNanos();
  }

  private static Entry of(Pool pool, int number) {
    return pool.entries().stream()
        .filter(entry -> peer(number).equals(entry.peer()))
        .findFirst()
        .orElseThrow();
  }

  private long millisToNext(Pool pool) {
    return Duration.ofNanos(pool.nextAt(now).orElseThrow() - now).toMillis();
  }

  @Test
  void threeAreDialledAtOnceAndTheNextForEachThatFails() {
    Pool pool = pool(addresses(1, 2, 3, 4, 5), List.of());
    List<Entry> dialled = new ArrayList<>(pool.due(now));
    assertEquals(3, dialled.size());
    assertEquals(List.of(), pool.due(now), "all places are taken");
    assertTrue(pool.onFailed(dialled.get(0), "no", now));
    List<Entry> next = pool.due(now);
    assertEquals(1, next.size());
    assertFalse(dialled.contains(next.get(0)));
    pool.onPeerConnected(dialled.get(1).peer(), now);
    pool.onPeerConnected(dialled.get(2).peer(), now);
    pool.onPeerConnected(next.get(0).peer(), now);
    assertEquals(List.of(), pool.due(now));
    assertTrue(pool.nextAt(now).isEmpty(), "three are enough: nothing is awaited");
  }

  @Test
  void whatEndedBeforeADialSaysNothingOfWhatItFinds() {
    Pool pool = pool(addresses(1), List.of());
    Entry entry = pool.due(now).get(0);
    pool.onPeerConnected(peer(1), now);
    pool.onLost(peer(1), "gone", now);
    after(60_000);
    assertEquals(List.of(entry), pool.due(now));
    assertFalse(entry.isDisconnected());
    pool.onLost(peer(1), "gone as well", now);
    assertTrue(entry.isDisconnected());
  }

  @Test
  void theSilentDoNotHoldUpTheOthers() {
    Pool pool = pool(addresses(1, 2, 3, 4), List.of());
    assertEquals(3, pool.due(now).size());
    assertEquals(5000, millisToNext(pool));
    after(4999);
    assertEquals(List.of(), pool.due(now));
    after(1);
    assertEquals(1, pool.due(now).size());
  }

  @Test
  void onePeerWithSeveralAddressesIsOneBootstrapPeerAndThisPeerItselfIsNone() {
    Multiaddr second = bare(9).withPeer(peer(1));
    Pool pool =
        new Pool(
            BootstrapSettings.DEFAULT,
            List.of(address(1), second, bare(8), bare(7).withPeer(SELF)),
            SELF,
            new SplittableRandom(1));
    assertEquals(2, pool.entries().size());
    assertEquals(List.of(bare(1), bare(9)), of(pool, 1).addresses());
    assertEquals(1, pool.entries().stream().filter(entry -> entry.peer() == null).count());
  }

  @Test
  void anAddressWithoutANameIsNotWantedTwice() {
    Pool pool = pool(List.of(address(1), bare(8)), List.of());
    Entry nameless =
        pool.due(now).stream().filter(entry -> entry.peer() == null).findFirst().orElseThrow();
    assertFalse(pool.identify(nameless, peer(1)));
    assertEquals(1, pool.entries().size());
  }

  @Test
  void attemptsAreFiveSecondsApartThreeTimesAndThenFurther() {
    Pool pool = pool(addresses(1), List.of());
    List<Long> pauses = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      assertEquals(1, pool.due(now).size());
      assertEquals(i == 0, pool.onFailed(of(pool, 1), "no", now), "said once");
      pauses.add(millisToNext(pool));
      after((int) millisToNext(pool) + 1);
    }
    assertEquals(List.of(5000L, 5000L), pauses.subList(0, 2));
    long[] least = {5000, 5000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000};
    for (int i = 2; i < least.length; i++) {
      assertTrue(pauses.get(i) >= least[i] && pauses.get(i) <= least[i] * 6 / 5, "" + pauses);
    }
  }

  @Test
  void backupsStandInInTheirOrderWhenNoPrimaryIsLeftToWaitFor() {
    Pool pool = pool(addresses(1), addresses(2, 3, 4, 5));
    assertEquals(List.of(peer(1)), due(pool));
    after(4999);
    assertEquals(List.of(), due(pool));
    after(1);
    assertEquals(List.of(peer(2), peer(3), peer(4)), due(pool));
    pool.onPeerConnected(peer(3), now);
    assertEquals(List.of(), due(pool));
    assertTrue(pool.isOnBackups());
  }

  @Test
  void aPrimaryThatRefusesIsReplacedAtOnceAndTriedOnAndOn() {
    Pool pool = pool(addresses(1), addresses(2));
    due(pool);
    pool.onFailed(of(pool, 1), "refused", now);
    assertEquals(List.of(peer(2)), due(pool));
    pool.onPeerConnected(peer(2), now);
    assertEquals(5000, millisToNext(pool), "it may come back");
    after(5000);
    assertEquals(List.of(peer(1)), due(pool));
    pool.onPeerConnected(peer(1), now);
    assertFalse(pool.isOnBackups());
    pool.onLost(peer(2), "trimmed", now);
    after(60_000);
    assertEquals(List.of(), due(pool), "nothing is wanted of a backup any more");
    assertTrue(pool.nextAt(now).isEmpty());
  }

  @Test
  void whatIsLostAfterALongTimeIsDialledWithinASecond() {
    Pool pool = pool(addresses(1), List.of());
    due(pool);
    pool.onPeerConnected(peer(1), now);
    after(60_000);
    pool.onLost(peer(1), "gone", now);
    assertTrue(millisToNext(pool) < 1000);
    after(1000);
    assertEquals(List.of(peer(1)), due(pool));
  }

  @Test
  void whatDropsYoungConnectionsIsDialledEverMoreSeldom() {
    Pool pool = pool(addresses(1), List.of());
    long least = 5000;
    for (int i = 0; i < 9; i++) {
      assertEquals(List.of(peer(1)), due(pool));
      pool.onPeerConnected(peer(1), now);
      after(20_000);
      pool.onLost(peer(1), "trimmed", now);
      long pause = millisToNext(pool);
      assertTrue(pause >= least && pause <= least * 6 / 5, pause + " after " + i);
      after((int) pause + 1);
      least = Math.min(least * 2, Pool.MAX_PAUSE_AFTER_DROPS.toMillis());
    }
  }

  @Test
  void theUserMayAskForBackupsThoughAPrimaryIsAwaitedAndForAnotherTry() {
    Pool pool = pool(addresses(1), addresses(2));
    due(pool);
    pool.useBackups(now);
    assertEquals(List.of(peer(2)), due(pool));
    assertTrue(pool.onFailed(of(pool, 2), "no", now));
    assertTrue(pool.onFailed(of(pool, 1), "no", now));
    assertEquals(List.of(), due(pool));
    pool.retry(now);
    assertEquals(List.of(peer(1)), due(pool));
    assertTrue(pool.onFailed(of(pool, 1), "no", now), "asked for, so it is said again");
  }

  @Test
  void backupsMayBeAddedUpToTheirNumber() {
    Pool pool = pool(addresses(1), addresses(2));
    assertTrue(pool.addBackup(address(2)), "it is there already");
    for (int i = 0; i < Pool.MAX_ADDED; i++) {
      assertTrue(pool.addBackup(address(10 + i)));
    }
    assertFalse(pool.addBackup(address(99)));
    assertTrue(pool.addBackup(address(10)));
    assertEquals(2 + Pool.MAX_ADDED, pool.view(now).size());
    assertEquals(
        pool.entries().size(),
        pool.entries().stream().map(entry -> entry.number).distinct().count());
  }

  @Test
  void whoAnsweredInAnEarlierLifeIsDialledFirst() {
    Pool pool =
        new Pool(
            BootstrapSettings.DEFAULT.withConnections(2),
            addresses(1, 2, 3, 4, 5, 6),
            SELF,
            new SplittableRandom(1));
    pool.recall(List.of(kept(5, false), kept(3, false)));
    assertEquals(List.of(peer(5), peer(3)), due(pool));
  }

  private static StoredBootstrap kept(int number, boolean added) {
    return new StoredBootstrap(
        address(number), peer(number), List.of(bare(number + 100)), Instant.EPOCH, added);
  }

  @Test
  void whatIsNeitherConfiguredNorAddedByTheUserIsNotDialledThoughItAnsweredOnce() {
    Pool pool = pool(addresses(1), addresses(2));
    pool.recall(List.of(kept(3, true), kept(4, false), kept(0, true), kept(1, true)));
    assertEquals(
        List.of(peer(1), peer(2), peer(3)), pool.entries().stream().map(Entry::peer).toList());
    assertTrue(of(pool, 3).backup);
    assertEquals(List.of(bare(1), bare(101)), of(pool, 1).addresses(), "and where it was reached");
    assertEquals(List.of(peer(1)), due(pool));
  }

  @Test
  void noMoreAreTakenBackThanTheUserMayAddAndTheyGiveWayTheOldestFirst() {
    Pool pool = pool(addresses(1), List.of());
    pool.recall(IntStream.range(2, 60).mapToObj(each -> kept(each, true)).toList());
    assertEquals(1 + Pool.MAX_ADDED, pool.entries().size());
    assertTrue(pool.entries().stream().noneMatch(each -> peer(18).equals(each.peer())));
    pool.onPeerConnected(peer(17), now);
    assertTrue(pool.addBackup(address(61)));
    assertEquals(1 + Pool.MAX_ADDED, pool.entries().size());
    assertTrue(of(pool, 17).isConnected(), "it answered just now");
    assertTrue(pool.entries().stream().noneMatch(each -> peer(16).equals(each.peer())));
    for (int i = 62; i < 76; i++) {
      assertTrue(pool.addBackup(address(i)));
    }
    assertFalse(pool.addBackup(address(76)), "what is added in this life gives way to nothing");
  }

  @Test
  void aNameThatWasAddedCountsAsOneHoweverManyAreBehindIt() throws MalformedException {
    Multiaddr all = Multiaddr.parse("/dnsaddr/b.example.org");
    Pool pool = pool(addresses(1), List.of());
    assertTrue(pool.addBackup(all));
    Entry name = pool.entries().get(1);
    for (Entry each :
        pool.expand(name, IntStream.range(2, 18).mapToObj(PoolTest::peer).toList(), now)) {
      assertFalse(each.isAdded());
      assertEquals(name, each.via());
    }
    for (int i = 1; i < Pool.MAX_ADDED; i++) {
      assertTrue(pool.addBackup(address(20 + i)));
    }
    assertFalse(pool.addBackup(address(99)));
  }

  @Test
  void theViewSaysSinceWhenOneIsUnreachable() {
    Pool pool = pool(addresses(1), addresses(2));
    assertEquals(Status.STANDBY, pool.view(now).get(0).status());
    due(pool);
    after(100);
    pool.onFailed(of(pool, 1), "refused", now);
    after(6000);
    due(pool);
    Bootstrap view = pool.view(now).get(0);
    assertEquals(Status.DIALLING, view.status());
    assertEquals(Duration.ofSeconds(6), view.unreachableFor());
    assertEquals("refused", view.reason());
    assertFalse(view.isReachable());
    pool.onPeerConnected(peer(1), now);
    assertTrue(pool.view(now).get(0).isReachable());
    assertEquals(null, pool.view(now).get(0).unreachableFor());
  }

  @Test
  void anAddressThatStandsForOthersGivesWayToThem() throws MalformedException {
    Multiaddr all = Multiaddr.parse("/dnsaddr/b.example.org");
    Pool pool = pool(List.of(address(1), all), List.of());
    Entry one = pool.due(now).stream().filter(Entry::standsForOthers).findFirst().orElseThrow();
    List<Entry> made = pool.expand(one, List.of(peer(1), peer(2), SELF, peer(3)), now);
    assertEquals(2, made.size());
    assertEquals(all.withPeer(peer(2)), of(pool, 2).name);
    assertEquals(List.of(all), of(pool, 2).addresses());
    assertEquals(3, pool.view(now).size());
    assertEquals(2, pool.due(now).size());
    Pool many = pool(List.of(all), List.of());
    one = many.due(now).get(0);
    many.expand(one, IntStream.range(1, 40).mapToObj(PoolTest::peer).toList(), now);
    assertEquals(Pool.MAX_BEHIND, many.view(now).size());
  }

  private List<PeerId> seen(Pool pool) {
    return pool.view(now).stream().map(Bootstrap::peer).toList();
  }

  @Test
  void aNameIsResolvedAgainWhileMoreAreWantedAndFollowedWhereItMoves() throws MalformedException {
    Pool pool = pool(List.of(Multiaddr.parse("/dnsaddr/b.example.org")), List.of());
    Entry name = pool.due(now).get(0);
    pool.expand(name, List.of(peer(1), peer(2)), now);
    assertEquals(2, pool.due(now).size());
    pool.onPeerConnected(peer(1), now);
    pool.onPeerConnected(peer(2), now);
    assertEquals(5000, millisToNext(pool));
    after(5000);
    assertEquals(List.of(name), pool.due(now));
    assertEquals(List.of(), pool.due(now), "it is asked for already");
    pool.expand(name, List.of(peer(2), peer(3)), now);
    assertEquals(3, seen(pool).size(), "who is connected stays");
    assertEquals(List.of(of(pool, 3)), pool.due(now));
    pool.onPeerConnected(peer(3), now);
    assertTrue(pool.nextAt(now).isEmpty(), "no more are wanted");
    after(60_000);
    pool.onLost(peer(1), "gone", now);
    assertEquals(List.of(of(pool, 1), name), after(1000, pool));
    pool.onFailed(of(pool, 1), "no", now);
    pool.expand(name, List.of(peer(2), peer(3)), now);
    assertEquals(2, seen(pool).size(), "who is not behind it any more goes");
  }

  private List<Entry> after(int millis, Pool pool) {
    after(millis);
    return pool.due(now);
  }

  @Test
  void aNameIsResolvedAgainForGrowingPausesAndAtOnceWhenNobodyBehindItIsConnected()
      throws MalformedException {
    Pool pool = pool(List.of(Multiaddr.parse("/dnsaddr/b.example.org")), List.of());
    Entry name = pool.due(now).get(0);
    pool.expand(name, List.of(peer(1)), now);
    pool.due(now);
    pool.onPeerConnected(peer(1), now);
    long pause = 0;
    for (int i = 0; i < 9; i++) {
      pause = millisToNext(pool);
      after((int) pause + 1);
      assertEquals(List.of(name), pool.due(now));
      if (i % 2 == 0) {
        pool.expand(name, List.of(peer(1)), now);
      } else {
        assertFalse(pool.onFailed(name, "no name server answers", now), "who is there is there");
      }
    }
    assertTrue(pause >= Pool.MAX_PAUSE_OF_NAMES.toMillis(), "" + pause);
    pool.onLost(peer(1), "gone", now);
    after(1000);
    assertTrue(pool.due(now).contains(name));
  }

  @Test
  void aNameThatLeadsToThisPeerOnlyIsResolvedAgain() throws MalformedException {
    Pool pool = pool(List.of(Multiaddr.parse("/dnsaddr/b.example.org")), List.of());
    Entry name = pool.due(now).get(0);
    pool.expand(name, List.of(SELF), now);
    assertEquals(List.of(), seen(pool));
    assertEquals(List.of(), pool.due(now));
    assertEquals(5000, millisToNext(pool));
    after(5000);
    assertEquals(List.of(name), pool.due(now));
    pool.expand(name, List.of(SELF, peer(1)), now);
    assertEquals(List.of(peer(1)), seen(pool));
  }

  @Test
  void aBackupThatAPrimaryNameOrAddressMeansIsAPrimary() throws MalformedException {
    Pool pool =
        pool(List.of(Multiaddr.parse("/dnsaddr/b.example.org"), bare(5)), addresses(2, 3, 4));
    List<Entry> due = pool.due(now);
    Entry name = due.stream().filter(Entry::standsForOthers).findFirst().orElseThrow();
    Entry bare = due.stream().filter(each -> !each.standsForOthers()).findFirst().orElseThrow();
    assertEquals(List.of(of(pool, 3)), pool.expand(name, List.of(peer(3)), now));
    assertFalse(of(pool, 3).backup);
    assertFalse(pool.identify(bare, peer(4)));
    assertFalse(of(pool, 4).backup);
    assertTrue(of(pool, 2).backup);
    assertEquals(peer(2), seen(pool).get(2), "primaries first");
  }

  @Test
  void whoAnsweredBehindANameStandsInWhereItDoesNotResolveAndComesFirstWhereItDoes()
      throws MalformedException {
    Multiaddr all = Multiaddr.parse("/dnsaddr/b.example.org");
    Pool pool = pool(List.of(all), List.of());
    pool.recall(
        List.of(
            new StoredBootstrap(
                all.withPeer(peer(2)), peer(2), List.of(bare(102)), Instant.EPOCH, false),
            kept(3, false)));
    Entry name = pool.due(now).get(0);
    assertTrue(pool.onFailed(name, "no name server answers", now));
    assertEquals(List.of(peer(2)), pool.expandFromMemory(name).stream().map(Entry::peer).toList());
    assertEquals(List.of(all, bare(102)), of(pool, 2).addresses());
    assertEquals(List.of(), pool.expandFromMemory(name));
    assertEquals(List.of(peer(2)), due(pool));

    Pool other = pool(List.of(all), List.of());
    other.recall(
        List.of(
            new StoredBootstrap(
                all.withPeer(peer(39)), peer(39), List.of(bare(139)), Instant.EPOCH, false)));
    other.expand(
        other.due(now).get(0), IntStream.range(1, 40).mapToObj(PoolTest::peer).toList(), now);
    assertEquals(peer(39), seen(other).get(0));
    assertEquals(List.of(all, bare(139)), of(other, 39).addresses());
  }
}
