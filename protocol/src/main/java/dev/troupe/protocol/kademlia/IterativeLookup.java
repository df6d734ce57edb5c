package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One iterative walk towards a point of the keyspace (specification, "Peer routing"): whom to ask
 * next, and when to stop.
 *
 * <p>The caller asks {@link #next} what to do until it is told to wait or that the walk is over,
 * does it, and reports with {@link #onSuccess} or {@link #onFailure}; then it asks again. A peer
 * that does not answer in time is the caller's to notice, and to report as {@link #onLate late} and
 * in the end as failed.
 *
 * <p>At most {@code parallelism} peers are asked at a time, those that are late not counted: always
 * the nearest that have not been asked. Of those that are equally near, which is to say that they
 * share as many leading bits with the target, the one goes first whose answer is {@link
 * Expectations expected} first: so nobody who is quick keeps the walk from getting nearer, and all
 * of the nearest are asked whatever is expected of them.
 *
 * <p>The walk is over when the {@code resultCount} nearest peers, of those that neither failed nor
 * are late nor held back, have all answered; when nobody is left to ask; when {@code maxRequests}
 * peers have been asked and the last has answered; when the deadline has passed; or when the caller
 * has what it wants ({@link #finish}). Who is held back is asked, and who is late is waited for,
 * before nobody is left: the smallest network heals. So it always ends: each peer is asked once,
 * and only so many.
 *
 * <p>Not thread-safe. Equal calls lead to equal steps.
 */
public final class IterativeLookup implements Walk {

  /** How many peers that have not been asked are remembered, the nearest ones. */
  static final int MAX_CANDIDATES = 256;

  private final Key target;
  private final Settings settings;
  private final long deadline;
  private final Expectations expectations;
  private final Function<PeerId, Key> keyOf;

  /** Everyone heard of, by distance; those forgotten for lack of room were never asked. */
  private final NavigableMap<Distance, Candidate> candidates = new TreeMap<>();

  private int uncontacted;
  private int asking;
  private int late;
  private int asked;
  private int answered;
  private int lastHops;
  private int hops;

  /** Nobody but those who are held back was left to ask, so they are no more. */
  private boolean needsAll;

  private Step.@Nullable Finished finished;

  /** What the caller expects of those whom a walk may ask. */
  public interface Expectations {

    /** Nothing. */
    Expectations NONE = new Expectations() {};

    /** Whether somebody should be asked only when nobody else is left; asked once of each. */
    default boolean isHeldBack(PeerId peer) {
      return false;
    }

    /** When its answer will come, compared with those of others; asked once of each. */
    default long nanos(PeerId peer) {
      return 0;
    }
  }

  /**
   * What bounds a lookup.
   *
   * @param parallelism how many peers are asked at a time (α; the specification's default is 10)
   * @param resultCount how many of the nearest peers must have answered (K = 20)
   * @param maxRequests how many peers are asked in all
   */
  public record Settings(int parallelism, int resultCount, int maxRequests) {

    /** The specification's α and K, and 200 requests. */
    public static final Settings DEFAULT = new Settings(10, 20, 200);

    /**
     * Checks the bounds.
     *
     * @throws IllegalArgumentException if one is not positive
     */
    public Settings {
      if (parallelism < 1 || resultCount < 1 || maxRequests < 1) {
        throw new IllegalArgumentException(
            "parallelism, resultCount and maxRequests must be positive");
      }
    }
  }

  /** What to do now. */
  public sealed interface Step {

    /** Ask this peer, then ask for the next step again. */
    record Ask(PeerId peer) implements Step {}

    /** Nothing, until a peer has answered or failed, or the deadline has passed. */
    record Wait() implements Step {}

    /**
     * The walk is over.
     *
     * @param closest those of the nearest that answered, nearest first, {@code resultCount} at
     *     most; along several paths, as many again, or one for each path if that is more
     * @param asked how many peers were asked
     * @param answered how many of them answered
     */
    record Finished(Ending ending, List<PeerId> closest, int asked, int answered) implements Step {
      public Finished {
        closest = List.copyOf(closest);
      }
    }

    /** Calls the function that fits. */
    default <R> R match(
        Function<Ask, R> ask, Function<Wait, R> wait, Function<Finished, R> finished) {
      if (this instanceof Ask step) {
        return ask.apply(step);
      } else if (this instanceof Wait step) {
        return wait.apply(step);
      }
      return finished.apply((Finished) this);
    }
  }

  /** Why a walk is over. */
  public enum Ending {
    /** The nearest have all answered. */
    CONVERGED,
    /** On each of several paths the nearest have answered, and they are not the same. */
    DISPUTED,
    /** Everyone known was asked; fewer than wanted answered. */
    EXHAUSTED,
    /** As many peers as allowed were asked. */
    BUDGET_SPENT,
    /** The deadline passed. */
    DEADLINE_PASSED,
    /** The caller had what it wanted. */
    STOPPED
  }

  /**
   * A walk that has asked nobody yet.
   *
   * @param seeds whom to ask first, such as the nearest members of the routing table
   * @param deadline when it is over at the latest, on the clock of {@link #next}
   */
  public IterativeLookup(
      Settings settings,
      Key target,
      Collection<PeerId> seeds,
      long deadline,
      Expectations expectations) {
    this(settings, target, seeds, deadline, expectations, Key::of);
  }

  /** A walk in a keyspace of the caller's making. */
  IterativeLookup(
      Settings settings,
      Key target,
      Collection<PeerId> seeds,
      long deadline,
      Expectations expectations,
      Function<PeerId, Key> keyOf) {
    this.settings = settings;
    this.target = target;
    this.deadline = deadline;
    this.expectations = expectations;
    this.keyOf = keyOf;
    seeds.forEach(seed -> hearOf(seed, 1));
  }

  @Override
  public Step next(long now) {
    if (finished != null) {
      return finished;
    }
    if (now - deadline >= 0) {
      return end(Ending.DEADLINE_PASSED);
    }
    boolean mayAsk = asking < settings.parallelism() && asked < settings.maxRequests();
    int nearest = 0;
    int nearestAnswered = 0;
    Candidate best = null;
    int bestBits = 0;
    for (Map.Entry<Distance, Candidate> entry : candidates.entrySet()) {
      Candidate candidate = entry.getValue();
      if (candidate.isPassedOver(needsAll)) {
        continue;
      }
      if (nearest == settings.resultCount()) {
        break;
      }
      int bits = entry.getKey().leadingZeros();
      if (best != null && bits < bestBits) {
        break; // All who come now are farther away.
      }
      nearest++;
      if (candidate.state == State.ANSWERED) {
        nearestAnswered++;
      } else if (candidate.state == State.UNCONTACTED
          && mayAsk
          && (best == null || candidate.expected < best.expected)) {
        best = candidate;
        bestBits = bits;
      }
    }
    if (best != null) {
      return ask(best);
    }
    if (nearestAnswered == settings.resultCount()) {
      return end(Ending.CONVERGED);
    }
    if (asking > 0) {
      return new Step.Wait();
    }
    if (mayAsk && !needsAll) {
      needsAll = true;
      return next(now);
    }
    if (late > 0) {
      return new Step.Wait();
    }
    return end(nearestAnswered == nearest && !needsMore() ? Ending.EXHAUSTED : Ending.BUDGET_SPENT);
  }

  private Step ask(Candidate candidate) {
    candidate.state = State.ASKED;
    uncontacted--;
    asking++;
    asked++;
    return new Step.Ask(candidate.peer);
  }

  /** Whether somebody is held back still, though nobody else is left. */
  private boolean needsMore() {
    return !needsAll && uncontacted > 0;
  }

  @Override
  public boolean onSuccess(PeerId peer, Collection<PeerId> closer) {
    Candidate candidate = settle(peer, State.ANSWERED);
    if (candidate == null) {
      return false;
    }
    answered++;
    lastHops = candidate.hops;
    closer.forEach(each -> hearOf(each, candidate.hops + 1));
    return true;
  }

  @Override
  public boolean onFailure(PeerId peer) {
    return settle(peer, State.FAILED) != null;
  }

  @Override
  public boolean onLate(PeerId peer) {
    Candidate candidate = candidateOf(peer);
    if (finished != null || candidate == null || candidate.state != State.ASKED) {
      return false;
    }
    candidate.state = State.LATE;
    asking--;
    late++;
    return true;
  }

  @Override
  public Step.Finished expire() {
    return finished == null ? end(Ending.DEADLINE_PASSED) : finished;
  }

  @Override
  public Step.Finished finish() {
    return finished == null ? end(Ending.STOPPED) : finished;
  }

  @Override
  public int hops() {
    return hops;
  }

  @Override
  public Key target() {
    return target;
  }

  private @Nullable Candidate candidateOf(PeerId peer) {
    return candidates.get(keyOf.apply(peer).distanceTo(target));
  }

  /** The peer, if it was being asked. */
  private @Nullable Candidate settle(PeerId peer, State outcome) {
    Candidate candidate = candidateOf(peer);
    if (finished != null || candidate == null) {
      return null;
    }
    if (candidate.state == State.ASKED) {
      asking--;
    } else if (candidate.state == State.LATE) {
      late--;
    } else {
      return null;
    }
    candidate.state = outcome;
    return candidate;
  }

  private void hearOf(PeerId peer, int atHops) {
    Distance distance = keyOf.apply(peer).distanceTo(target);
    if (candidates.containsKey(distance)) {
      return;
    }
    candidates.put(
        distance,
        new Candidate(peer, atHops, expectations.isHeldBack(peer), expectations.nanos(peer)));
    uncontacted++;
    if (uncontacted > MAX_CANDIDATES) {
      forgetFarthestUncontacted();
    }
  }

  private void forgetFarthestUncontacted() {
    Iterator<Candidate> farthestFirst = candidates.descendingMap().values().iterator();
    while (farthestFirst.hasNext()) {
      if (farthestFirst.next().state == State.UNCONTACTED) {
        farthestFirst.remove();
        uncontacted--;
        return;
      }
    }
  }

  private Step.Finished end(Ending ending) {
    List<PeerId> closest = new ArrayList<>();
    for (Candidate candidate : candidates.values()) {
      if (candidate.state == State.ANSWERED && closest.size() < settings.resultCount()) {
        closest.add(candidate.peer);
        hops = Math.max(hops, candidate.hops);
      }
    }
    if (ending == Ending.STOPPED) {
      hops = lastHops;
    }
    finished = new Step.Finished(ending, closest, asked, answered);
    return finished;
  }

  private enum State {
    UNCONTACTED,
    ASKED,
    /** Asked, and not waited for while there are others. */
    LATE,
    ANSWERED,
    FAILED
  }

  private static final class Candidate {
    private final PeerId peer;
    private final int hops;
    private final boolean heldBack;
    private final long expected;
    private State state = State.UNCONTACTED;

    Candidate(PeerId peer, int hops, boolean heldBack, long expected) {
      this.peer = peer;
      this.hops = hops;
      this.heldBack = heldBack;
      this.expected = expected;
    }

    /** Whether it does not count among the nearest. */
    boolean isPassedOver(boolean needsAll) {
      return state == State.FAILED
          || state == State.LATE
          || state == State.UNCONTACTED && heldBack && !needsAll;
    }
  }
}
