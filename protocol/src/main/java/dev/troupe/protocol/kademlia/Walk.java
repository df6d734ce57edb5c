package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.kademlia.IterativeLookup.Step;
import dev.troupe.protocol.keys.PeerId;
import java.util.Collection;

/**
 * A walk towards a point of the keyspace: along one path, {@link IterativeLookup}, or along
 * several, {@link DisjointPaths}.
 */
public sealed interface Walk permits IterativeLookup, DisjointPaths {

  /** What to do now. Once it is {@link Step.Finished}, it stays so. */
  Step next(long now);

  /**
   * A peer answered, naming others. Does nothing, if it was not being asked: it has answered or
   * failed before, was never asked, or the walk is over.
   *
   * @param closer whom it named, in any order; the nearest are remembered, the others forgotten
   * @return whether it was being asked
   */
  boolean onSuccess(PeerId peer, Collection<PeerId> closer);

  /**
   * A peer failed to answer, or answered nonsense. Does nothing, if it was not being asked.
   *
   * @return whether it was being asked
   */
  boolean onFailure(PeerId peer);

  /**
   * A peer has not answered for longer than usual: the walk goes on without it, and waits for it
   * only when nobody else is left. It may still answer or fail. Does nothing, if it was not being
   * asked, or has been late before.
   *
   * @return whether it was being asked, and was not late before
   */
  boolean onLate(PeerId peer);

  /** The caller has no more time, whatever the deadline was. Does nothing, if the walk is over. */
  Step.Finished expire();

  /** The caller has what it wanted. Does nothing, if the walk is over. */
  Step.Finished finish();

  /**
   * How far the walk went, once it is over; a seed is 1 hop away, and whom it is the first to name,
   * 2. Of a walk that the caller finished: how far away the last who answered was. Of any other:
   * the farthest away of the nearest peers that answered. 0 if nobody did.
   */
  int hops();

  /** Where the walk leads. */
  Key target();
}
