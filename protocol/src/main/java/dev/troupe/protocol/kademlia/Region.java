package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Finished;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multihash.Multihash;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The part of the keyspace round a point of which one walk there has told who lives in it: all keys
 * that share a prefix with the point. Immutable.
 *
 * <p>Whoever is nearer to the point than the farthest that the walk found has been found, too. The
 * more bits a key shares with the point, the more of these are certainly nearer to it than anybody
 * whom the walk has not found; the region is as large as three quarters of those that the walk was
 * to find are so for each of its keys. Where the walk found fewer, because there are no others, the
 * region is all of the keyspace; where it did not come to its end, or to different ones along
 * several paths, or more than one in {@value #FAILED_PART} of those asked did not answer and may be
 * there nevertheless, the point alone.
 */
public final class Region {

  /** If more than one part in so many failed, those that answered do not pass for all there are. */
  static final int FAILED_PART = 4;

  private final Key point;
  private final int prefix;
  private final Map<PeerId, Key> peers = new LinkedHashMap<>();

  private Region(Key point, int prefix, List<PeerId> peers) {
    this.point = point;
    this.prefix = prefix;
    peers.forEach(peer -> this.peers.put(peer, Key.of(peer)));
  }

  /**
   * The region round a point.
   *
   * @param width how many peers the walk was to find
   */
  public static Region of(Multihash point, Finished walk, int width) {
    Key key = Key.of(point.encoded());
    List<PeerId> closest = walk.closest();
    int prefix = Key.BITS;
    if (walk.ending() == Ending.EXHAUSTED
        && (walk.asked() - walk.answered()) * FAILED_PART <= walk.asked()) {
      prefix = 0;
    } else if (walk.ending() == Ending.CONVERGED) {
      prefix = coveredPrefix(key, closest, (3 * width + 3) / 4);
    }
    return new Region(key, prefix, closest);
  }

  /**
   * How many bits a key has to share with the point, so that of those found at least so many are
   * nearer to it than anybody who was not. Distances to the point and to such a key differ only in
   * the bits after those: who is nearer to the point than the farthest that was found, judged by
   * the bits before, is nearer to the key, too.
   */
  private static int coveredPrefix(Key point, List<PeerId> closest, int wanted) {
    Key farthest = Key.of(closest.get(closest.size() - 1));
    List<Integer> shared =
        closest.stream().map(peer -> Key.of(peer).commonPrefixLength(farthest)).sorted().toList();
    // One that differs from the farthest in its n-th bit for the first time is judged by n bits.
    int last = shared.get(Math.min(wanted, shared.size()) - 1);
    return Math.min(Math.max(last, point.commonPrefixLength(farthest)) + 1, Key.BITS);
  }

  /** How many bits its keys share. */
  public int prefix() {
    return prefix;
  }

  /**
   * Who lives nearest to each of those keys that are in the region, in the order of the keys.
   *
   * @param each how many peers at most
   */
  public Map<Multihash, List<PeerId>> assign(Collection<Multihash> keys, int each) {
    Map<Multihash, List<PeerId>> assigned = new LinkedHashMap<>();
    for (Multihash hash : keys) {
      Key key = Key.of(hash.encoded());
      if (key.commonPrefixLength(point) >= prefix) {
        TreeMap<Distance, PeerId> nearest = new TreeMap<>();
        peers.forEach((peer, place) -> nearest.put(place.distanceTo(key), peer));
        List<PeerId> all = new ArrayList<>(nearest.values());
        assigned.put(hash, List.copyOf(all.subList(0, Math.min(each, all.size()))));
      }
    }
    return assigned;
  }
}
