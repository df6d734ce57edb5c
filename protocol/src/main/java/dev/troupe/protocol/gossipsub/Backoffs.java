package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.keys.PeerId;
import java.util.Iterator;
import java.util.LinkedHashMap;

/**
 * Which peers are not to be grafted into which meshes, and until when (GossipSub 1.1, "PRUNE
 * Backoff"). Bounded: the oldest go first.
 */
final class Backoffs {

  private record Link(String topic, PeerId peer) {}

  /** How long a backoff lasts, and when a GRAFT was last refused for its sake, if ever. */
  private record Backoff(long untilNanos, boolean refused, long refusedNanos) {}

  private final long slackNanos;
  private final int capacity;
  private final LinkedHashMap<Link, Backoff> backoffs = new LinkedHashMap<>();

  /** None ends before; looked through only then. Of no meaning while there is none. */
  private long earliestNanos;

  /**
   * Makes an empty one.
   *
   * @param slackNanos how much longer we wait ourselves, so that the other side's clock is surely
   *     past it
   */
  Backoffs(long slackNanos, int capacity) {
    this.slackNanos = slackNanos;
    this.capacity = capacity;
  }

  /** Sets a backoff from now on; a longer one that stands already is kept. */
  void add(String topic, PeerId peer, long lengthNanos, long now) {
    Link link = new Link(topic, peer);
    Backoff standing = backoffs.remove(link);
    long until = now + lengthNanos;
    if (standing != null && standing.untilNanos - until > 0) {
      until = standing.untilNanos;
    }
    if (backoffs.isEmpty() || until - earliestNanos < 0) {
      earliestNanos = until;
    }
    backoffs.put(
        link,
        standing == null
            ? new Backoff(until, false, 0)
            : new Backoff(until, standing.refused, standing.refusedNanos));
    if (backoffs.size() > capacity) {
      Iterator<Link> oldest = backoffs.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /** Whether the peer must not graft us yet. */
  boolean isInForce(String topic, PeerId peer, long now) {
    Backoff backoff = backoffs.get(new Link(topic, peer));
    return backoff != null && now - backoff.untilNanos < 0;
  }

  /** Whether we should not graft the peer yet. */
  boolean holdsUsBack(String topic, PeerId peer, long now) {
    Backoff backoff = backoffs.get(new Link(topic, peer));
    return backoff != null && now - backoff.untilNanos < slackNanos;
  }

  /**
   * Whether a GRAFT during a backoff is to be answered with PRUNE: the first one is, then one each
   * interval. Remembers a yes.
   */
  boolean mayRefuse(String topic, PeerId peer, long intervalNanos, long now) {
    Link link = new Link(topic, peer);
    Backoff backoff = backoffs.get(link);
    if (backoff == null || (backoff.refused && now - backoff.refusedNanos < intervalNanos)) {
      return false;
    }
    backoffs.put(link, new Backoff(backoff.untilNanos, true, now));
    return true;
  }

  void expire(long now) {
    if (backoffs.isEmpty() || now - earliestNanos < slackNanos) {
      return;
    }
    backoffs.values().removeIf(backoff -> now - backoff.untilNanos >= slackNanos);
    boolean first = true;
    for (Backoff backoff : backoffs.values()) {
      if (first || backoff.untilNanos - earliestNanos < 0) {
        earliestNanos = backoff.untilNanos;
        first = false;
      }
    }
  }

  int size() {
    return backoffs.size();
  }
}
