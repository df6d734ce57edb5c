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
 * <p>Of those that the walk was to find, the farthest shares so many bits with the point; whoever
 * shares one bit more has been found. These are the nearest of every key that does so, too; of
 * those farther away, the walk has told only some. Where it found fewer than it was to, because
 * there are no others, the region is all of the keyspace; where it did not come to its end, the
 * point alone.
 */
public final class Region {

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
    if (walk.ending() == Ending.EXHAUSTED && closest.size() < width) {
      prefix = 0;
    } else if (walk.ending() == Ending.CONVERGED || walk.ending() == Ending.EXHAUSTED) {
      prefix = key.commonPrefixLength(Key.of(closest.get(closest.size() - 1))) + 1;
    }
    return new Region(key, Math.min(prefix, Key.BITS), closest);
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
