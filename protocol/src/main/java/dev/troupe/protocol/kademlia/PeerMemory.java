package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of the peers that were asked: how quickly they answer, and who failed to.
 *
 * <p>A peer that failed is held back: it should not be asked again for {@link #FIRST_BACKOFF},
 * doubled with each further failure in a row up to {@link #MAX_BACKOFF}, and up to a fifth more.
 * What fails while it is held back was asked before that, and does not count again. One that could
 * not be reached is held back only at the addresses at which it was dialled in vain, since those
 * may be what somebody made up. An answer clears all of it.
 *
 * <p>Of {@link #MAX_PEERS} peers something is remembered; for one more, whoever was heard of least
 * recently is forgotten. What they have in common is remembered beside: how long answers and dials
 * take in general.
 *
 * <p>Not thread-safe; a {@link Snapshot} is.
 */
public final class PeerMemory {

  /** Of so many peers something is remembered. */
  public static final int MAX_PEERS = 512;

  /** How long a peer is held back that failed once. */
  public static final Duration FIRST_BACKOFF = Duration.ofSeconds(10);

  /** How long a peer is held back at most, but for a fifth more. */
  public static final Duration MAX_BACKOFF = Duration.ofMinutes(10);

  /** A peer is held back up to so much longer: one part in so many. */
  private static final int JITTER_PART = 5;

  private final RandomGenerator random;

  /** Whoever was heard of least recently is the first. */
  private final Map<PeerId, Entry> peers = new LinkedHashMap<>();

  private RoundTrip answers = RoundTrip.UNKNOWN;
  private RoundTrip dials = RoundTrip.UNKNOWN;

  /**
   * What is remembered of one peer.
   *
   * @param failures in a row, of the same kind: what is dialled at one address after another does
   *     not add up, since anybody may have named these
   * @param heldUntil meaningless without failures
   * @param unreachableAt where it was dialled in vain; null where it was reached, and did not
   *     answer
   */
  private record Entry(
      RoundTrip answers, int failures, long heldUntil, @Nullable List<Multiaddr> unreachableAt) {

    static final Entry NEW = new Entry(RoundTrip.UNKNOWN, 0, 0, null);

    boolean isHeldBack(List<Multiaddr> addresses, BooleanSupplier isConnected, long now) {
      return failures > 0
          && heldUntil - now > 0
          && (unreachableAt == null
              || unreachableAt.containsAll(addresses) && !isConnected.getAsBoolean());
    }
  }

  /**
   * Nothing is remembered.
   *
   * @param random for how much longer each is held back
   */
  public PeerMemory(RandomGenerator random) {
    this.random = random;
  }

  /** It answered, so long after it was asked. */
  public void onAnswered(PeerId peer, Duration took) {
    Entry before = peers.getOrDefault(peer, Entry.NEW);
    remember(peer, new Entry(before.answers.measured(took.toNanos()), 0, 0, null));
    answers = answers.measured(took.toNanos());
  }

  /** It was reached, and did not answer in time or as it should. */
  public void onUnanswered(PeerId peer, long now) {
    Entry before = peers.getOrDefault(peer, Entry.NEW);
    remember(peer, failed(before, before.answers.timedOut(1), null, now));
    answers = answers.timedOut(1);
  }

  /**
   * It could not be reached.
   *
   * @param addresses where it was dialled
   */
  public void onUnreachable(PeerId peer, List<Multiaddr> addresses, long now) {
    Entry before = peers.getOrDefault(peer, Entry.NEW);
    remember(peer, failed(before, before.answers, List.copyOf(addresses), now));
  }

  /** Somebody was connected, so long after the dial had begun. */
  public void onDialled(Duration took) {
    dials = dials.measured(took.toNanos());
  }

  /** Somebody was not connected in time. */
  public void onDialLate() {
    dials = dials.timedOut(1);
  }

  /** What is remembered at this moment. */
  public Snapshot snapshot() {
    return new Snapshot(new LinkedHashMap<>(peers), answers, dials);
  }

  private Entry failed(
      Entry before, RoundTrip roundTrip, @Nullable List<Multiaddr> unreachableAt, long now) {
    boolean isInARow = Objects.equals(before.unreachableAt, unreachableAt);
    if (isInARow && before.failures > 0 && before.heldUntil - now > 0) {
      return new Entry(roundTrip, before.failures, before.heldUntil, unreachableAt);
    }
    int failures = isInARow ? before.failures + 1 : 1;
    long doubled = FIRST_BACKOFF.toNanos();
    for (int i = 1; i < failures && doubled < MAX_BACKOFF.toNanos(); i++) {
      doubled = Math.min(2 * doubled, MAX_BACKOFF.toNanos());
    }
    long pause = doubled + random.nextLong(doubled / JITTER_PART + 1);
    return new Entry(roundTrip, failures, now + pause, unreachableAt);
  }

  private void remember(PeerId peer, Entry entry) {
    peers.remove(peer);
    peers.put(peer, entry);
    if (peers.size() > MAX_PEERS) {
      Iterator<PeerId> leastRecentFirst = peers.keySet().iterator();
      leastRecentFirst.next();
      leastRecentFirst.remove();
    }
  }

  /** What was remembered at one moment. Immutable. */
  public static final class Snapshot {

    private final Map<PeerId, Entry> peers;
    private final RoundTrip answers;
    private final RoundTrip dials;

    private Snapshot(Map<PeerId, Entry> peers, RoundTrip answers, RoundTrip dials) {
      this.peers = peers;
      this.answers = answers;
      this.dials = dials;
    }

    /**
     * How long an answer of this peer may take, by what was measured of it, or else of all: so long
     * that a longer one is unlikely, and twice that after each timeout.
     *
     * @param floor no less
     * @param ceiling no more, and so long while nothing was measured
     */
    public Duration timeToAnswer(PeerId peer, Duration floor, Duration ceiling) {
      RoundTrip own = peers.getOrDefault(peer, Entry.NEW).answers;
      RoundTrip roundTrip = own.isMeasured() ? own : answers.timedOut(own.doublings());
      return Duration.ofNanos(roundTrip.timeout(floor.toNanos(), ceiling.toNanos()));
    }

    /**
     * How long a dial of anybody may take, likewise.
     *
     * @param floor no less
     * @param ceiling no more, and so long while nothing was measured
     */
    public Duration timeToDial(Duration floor, Duration ceiling) {
      return Duration.ofNanos(dials.timeout(floor.toNanos(), ceiling.toNanos()));
    }

    /**
     * Whether a peer should not be asked yet.
     *
     * @param addresses where it would be dialled
     * @param isConnected whether it need not be dialled
     */
    public boolean isHeldBack(
        PeerId peer, List<Multiaddr> addresses, BooleanSupplier isConnected, long now) {
      Entry entry = peers.get(peer);
      return entry != null && entry.isHeldBack(addresses, isConnected, now);
    }

    /**
     * How long an answer usually takes, in nanoseconds: of who has answered, what was measured of
     * it; of the others, what was measured of all. Of who did not answer the last time, longer than
     * any.
     */
    public long usualNanos(PeerId peer) {
      Entry entry = peers.getOrDefault(peer, Entry.NEW);
      if (entry.failures > 0 && entry.unreachableAt == null) {
        return Long.MAX_VALUE;
      }
      return entry.answers.isMeasured() ? entry.answers.smoothed() : answers.smoothed();
    }

    /** Of how many peers something is remembered. */
    int size() {
      return peers.size();
    }
  }
}
