package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Step;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How densely the keyspace is populated, as recent walks have shown: how far away from where they
 * led the last of the nearest peers was. Keys are spread evenly over the keyspace, so it is about
 * as far at any other point (Trautwein et al., "Optimistic Provide", estimate the size of the
 * network from the same distances).
 *
 * <p>The median of the last {@value #MAX_WALKS} walks counts, lest a few that were led to a crowd
 * of liars decide. Not thread-safe.
 */
public final class Density {

  /** So many walks are remembered; for one more, the oldest is forgotten. */
  static final int MAX_WALKS = 32;

  /** Nothing is said before so many walks. */
  static final int MIN_WALKS = 5;

  private final int resultCount;
  private final Deque<Double> radii = new ArrayDeque<>();

  /**
   * Nothing is known.
   *
   * @param resultCount how many of the nearest each walk looks for
   */
  public Density(int resultCount) {
    this.resultCount = resultCount;
  }

  /** A walk is over. One that did not find as many as it looked for says nothing. */
  public void onWalked(Key target, Step.Finished walk) {
    List<PeerId> closest = walk.closest();
    if (walk.ending() != Ending.CONVERGED || closest.size() < resultCount) {
      return;
    }
    radii.add(Key.of(closest.get(resultCount - 1)).distanceTo(target).fraction());
    if (radii.size() > MAX_WALKS) {
      radii.remove();
    }
  }

  /**
   * How far from any point the last of its nearest peers is about to be, as a fraction of the
   * keyspace; empty while too little is known.
   */
  public OptionalDouble radius() {
    if (radii.size() < MIN_WALKS) {
      return OptionalDouble.empty();
    }
    return radii.stream().mapToDouble(each -> each).sorted().skip(radii.size() / 2).findFirst();
  }
}
