package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
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
 * that does not answer in time is the caller's to notice and to report as failed.
 *
 * <p>At most {@code parallelism} peers are asked at a time, always the nearest that have not been
 * asked. The walk is over when the {@code resultCount} nearest peers, of those that did not fail,
 * have all answered; when nobody is left to ask; when {@code maxRequests} peers have been asked and
 * the last has answered; when the deadline has passed; or when the caller has what it wants ({@link
 * #finish}). So it always ends: each peer is asked once, and only so many.
 *
 * <p>Not thread-safe. Equal calls lead to equal steps.
 */
public final class IterativeLookup {

  /** How many peers that have not been asked are remembered, the nearest ones. */
  static final int MAX_CANDIDATES = 256;

  private final Key target;
  private final Settings settings;
  private final long deadline;
  private final Function<PeerId, Key> keyOf;

  /** Everyone heard of, by distance; those forgotten for lack of room were never asked. */
  private final NavigableMap<Distance, Candidate> candidates = new TreeMap<>();

  private int uncontacted;
  private int asking;
  private int asked;
  private int answered;
  private int lastHops;
  private int hops;
  private Step.@Nullable Finished finished;

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
     * @param closest those of the nearest that answered, nearest first, {@code resultCount} at most
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
  public IterativeLookup(Settings settings, Key target, Collection<PeerId> seeds, long deadline) {
    this(settings, target, seeds, deadline, Key::of);
  }

  /** A walk in a keyspace of the caller's making. */
  IterativeLookup(
      Settings settings,
      Key target,
      Collection<PeerId> seeds,
      long deadline,
      Function<PeerId, Key> keyOf) {
    this.settings = settings;
    this.target = target;
    this.deadline = deadline;
    this.keyOf = keyOf;
    seeds.forEach(seed -> hearOf(seed, 1));
  }

  /** What to do now. Once it is {@link Step.Finished}, it stays so. */
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
    for (Candidate candidate : candidates.values()) {
      if (candidate.state == State.FAILED) {
        continue;
      }
      if (nearest == settings.resultCount()) {
        break;
      }
      nearest++;
      if (candidate.state == State.ANSWERED) {
        nearestAnswered++;
      } else if (candidate.state == State.UNCONTACTED && mayAsk) {
        candidate.state = State.ASKED;
        uncontacted--;
        asking++;
        asked++;
        return new Step.Ask(candidate.peer);
      }
    }
    if (nearestAnswered == settings.resultCount()) {
      return end(Ending.CONVERGED);
    }
    if (asking > 0) {
      return new Step.Wait();
    }
    return end(nearestAnswered == nearest ? Ending.EXHAUSTED : Ending.BUDGET_SPENT);
  }

  /**
   * A peer answered, naming others. Does nothing, if it was not being asked: it has answered or
   * failed before, was never asked, or the walk is over.
   *
   * @param closer whom it named, in any order; the nearest are remembered, the others forgotten
   * @return whether it was being asked
   */
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

  /**
   * A peer failed to answer, or answered nonsense. Does nothing, if it was not being asked.
   *
   * @return whether it was being asked
   */
  public boolean onFailure(PeerId peer) {
    return settle(peer, State.FAILED) != null;
  }

  /** The caller has no more time, whatever the deadline was. Does nothing, if the walk is over. */
  public Step.Finished expire() {
    return finished == null ? end(Ending.DEADLINE_PASSED) : finished;
  }

  /** The caller has what it wanted. Does nothing, if the walk is over. */
  public Step.Finished finish() {
    return finished == null ? end(Ending.STOPPED) : finished;
  }

  /**
   * How far the walk went, once it is over; a seed is 1 hop away, and whom it is the first to name,
   * 2. Of a walk that the caller finished: how far away the last who answered was. Of any other:
   * the farthest away of the nearest peers that answered. 0 if nobody did.
   */
  public int hops() {
    return hops;
  }

  /** Where the walk leads. */
  public Key target() {
    return target;
  }

  /** The peer, if it was being asked. */
  private @Nullable Candidate settle(PeerId peer, State outcome) {
    Candidate candidate = candidates.get(keyOf.apply(peer).distanceTo(target));
    if (finished != null || candidate == null || candidate.state != State.ASKED) {
      return null;
    }
    candidate.state = outcome;
    asking--;
    return candidate;
  }

  private void hearOf(PeerId peer, int atHops) {
    Distance distance = keyOf.apply(peer).distanceTo(target);
    if (candidates.putIfAbsent(distance, new Candidate(peer, atHops)) != null) {
      return;
    }
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
    ANSWERED,
    FAILED
  }

  private static final class Candidate {
    private final PeerId peer;
    private final int hops;
    private State state = State.UNCONTACTED;

    Candidate(PeerId peer, int hops) {
      this.peer = peer;
      this.hops = hops;
    }
  }
}
