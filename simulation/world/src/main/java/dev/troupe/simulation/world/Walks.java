package dev.troupe.simulation.world;

import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/** The walks of DHTs that are over, counted by how many hops they needed. */
public final class Walks {

  /**
   * The walks of one length.
   *
   * @param hops see {@link dev.troupe.protocol.kademlia.IterativeLookup#hops}
   * @param asked how many peers they asked, all together
   */
  public record OfLength(int hops, long walks, long asked) {}

  private final NavigableMap<Integer, OfLength> byHops = new TreeMap<>();

  Walks() {}

  void add(int asked, int hops) {
    byHops.merge(
        hops,
        new OfLength(hops, 1, asked),
        (one, other) ->
            new OfLength(hops, one.walks() + other.walks(), one.asked() + other.asked()));
  }

  /** Them all, the shortest first. */
  public List<OfLength> byHops() {
    return List.copyOf(byHops.values());
  }
}
