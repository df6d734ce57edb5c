package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Finished;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multihash.Multihash;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What one walk tells of the keys round its end. */
class RegionTest {

  private static final int WIDTH = 20;
  private static final PortableCrypto CRYPTO = new PortableCrypto();

  @Test
  void threeQuartersOfThoseThatAKeyIsAssignedAreItsNearest() {
    List<PeerId> network = IntStream.range(0, 400).mapToObj(Peers::peer).toList();
    List<Multihash> keys = IntStream.range(0, 2000).mapToObj(RegionTest::hash).toList();
    int inRegions = 0;
    for (int i = 0; i < 50; i++) {
      List<PeerId> found = nearest(keys.get(i), network);
      Region region = Region.of(keys.get(i), new Finished(Ending.CONVERGED, found, 40, 40), WIDTH);
      Map<Multihash, List<PeerId>> assigned = region.assign(keys, WIDTH);
      assertTrue(assigned.containsKey(keys.get(i)));
      inRegions += assigned.size();
      assigned.forEach(
          (key, peers) -> {
            Set<PeerId> right = new LinkedHashSet<>(nearest(key, network));
            right.retainAll(peers);
            assertTrue(right.size() >= WIDTH * 3 / 4, key + " has " + right.size());
          });
    }
    assertTrue(inRegions > 50 * 2, "regions hold several keys, not " + inRegions + " in 50");
  }

  @Test
  void whereAllHaveAnsweredTheRegionIsTheWholeKeyspace() {
    assertEquals(0, exhausted(8, 8).prefix());
    assertEquals(0, exhausted(8, 6).prefix());
  }

  @Test
  void whereTooManyHaveNotAnsweredItIsThePointAlone() {
    assertEquals(Key.BITS, exhausted(8, 5).prefix());
    assertEquals(Key.BITS, exhausted(20, 1).prefix());
    assertEquals(1, exhausted(20, 1).assign(List.of(hash(1), hash(2)), WIDTH).size());
  }

  @Test
  void aWalkThatWasCutShortTellsOfItsPointOnly() {
    List<PeerId> found = IntStream.range(0, WIDTH).mapToObj(Peers::peer).toList();
    Finished walk = new Finished(Ending.DEADLINE_PASSED, found, 30, 25);
    assertEquals(Key.BITS, Region.of(hash(1), walk, WIDTH).prefix());
  }

  private static Region exhausted(int asked, int answered) {
    List<PeerId> found = IntStream.range(0, answered).mapToObj(Peers::peer).toList();
    return Region.of(hash(1), new Finished(Ending.EXHAUSTED, found, asked, answered), WIDTH);
  }

  private static List<PeerId> nearest(Multihash key, List<PeerId> network) {
    Key point = Key.of(key.encoded());
    TreeMap<Distance, PeerId> byDistance = new TreeMap<>();
    network.forEach(peer -> byDistance.put(Key.of(peer).distanceTo(point), peer));
    return byDistance.values().stream().limit(WIDTH).toList();
  }

  private static Multihash hash(int number) {
    return Multihash.sha256(CRYPTO, Bytes.utf8("key " + number));
  }
}
