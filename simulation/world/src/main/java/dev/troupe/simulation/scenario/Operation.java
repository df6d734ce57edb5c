package dev.troupe.simulation.scenario;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One thing that was asked of a peer, and what became of it. */
public final class Operation {

  private final Node node;
  private final String what;
  private final long askedAt;
  private final long bound;
  private final int incarnation;
  private long answeredAt = -1;
  private int answers;
  private int hops = -1;
  private @Nullable Object reply;

  Operation(Node node, String what, long askedAt, Duration bound) {
    this.node = node;
    this.what = what;
    this.askedAt = askedAt;
    this.bound = bound.toNanos();
    this.incarnation = node.incarnation();
  }

  void answer(Object value, int walked, long now) {
    answers++;
    if (answers == 1) {
      reply = value;
      hops = walked;
      answeredAt = now;
    }
  }

  /** Who was asked. */
  public Node node() {
    return node;
  }

  /** What for, for messages. */
  public String what() {
    return what;
  }

  /** When, in virtual nanoseconds. */
  public long askedAt() {
    return askedAt;
  }

  /** Until when it must have been answered. */
  public long dueAt() {
    return askedAt + bound;
  }

  /** Whether the machine that asked it has crashed since: nobody is there to be answered. */
  public boolean isMoot() {
    return node.crashedIn(incarnation);
  }

  /** How many answers came; more than one is one too many. */
  public int answers() {
    return answers;
  }

  /** How long the answer took, in nanoseconds; -1 while there is none. */
  public long latency() {
    return answeredAt < 0 ? -1 : answeredAt - askedAt;
  }

  /**
   * How far the walk of the DHT led that ended with the answer, see {@link
   * dev.troupe.protocol.kademlia.IterativeLookup#hops}; -1 where there was none.
   */
  public int hops() {
    return hops;
  }

  /** Whether a peer was up until the first answer came. */
  public boolean outlasted(Node other) {
    return other.isUp() || other.changedAt() > answeredAt;
  }

  /** The first answer, or null. */
  public @Nullable Object reply() {
    return reply;
  }

  @Override
  public String toString() {
    return what + " of " + node.name();
  }
}
