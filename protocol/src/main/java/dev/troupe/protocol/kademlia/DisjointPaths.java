package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Expectations;
import dev.troupe.protocol.kademlia.IterativeLookup.Settings;
import dev.troupe.protocol.kademlia.IterativeLookup.Step;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Several walks to one target that keep apart (S/Kademlia, section 4.4): whoever is asked is asked
 * by one of them only, and whom it names only that one hears. A liar leads the path astray on which
 * it was met, and no other.
 *
 * <p>The seeds are dealt out to the paths, and so are {@code parallelism} and {@code maxRequests}.
 * A path that would ask somebody whom another has asked counts it among its own as what it turned
 * out to be, and learns no names from it. The walk is over when all paths are.
 *
 * <p>The result are the nearest that any of them found, as many as were wanted; and with them of
 * each path the nearest that it found, as many as its share is: so fakes that are nearer than
 * anybody honest do not keep these out. Where that makes a difference, the paths have not come to
 * the same end, and the walk is {@link Ending#DISPUTED}.
 *
 * <p>Not thread-safe. Equal calls lead to equal steps.
 */
public final class DisjointPaths implements Walk {

  /** How paths end by themselves: of two that end differently, the later counts. */
  private static final List<Ending> SEVERITY =
      List.of(Ending.EXHAUSTED, Ending.CONVERGED, Ending.BUDGET_SPENT, Ending.DEADLINE_PASSED);

  private final Settings settings;
  private final Key target;
  private final Function<PeerId, Key> keyOf;
  private final List<IterativeLookup> paths = new ArrayList<>();
  private final Map<PeerId, Asked> asked = new LinkedHashMap<>();
  private int answered;

  /** Whose turn it is, lest the first path always be served first. */
  private int turn;

  private int lastAnswered;
  private int hops;
  private Step.@Nullable Finished finished;

  /** Somebody who was asked, and by which path. */
  private static final class Asked {
    final int path;
    State state = State.ASKED;

    Asked(int path) {
      this.path = path;
    }

    boolean isOpen() {
      return state == State.ASKED || state == State.LATE;
    }
  }

  private enum State {
    ASKED,
    LATE,
    ANSWERED,
    FAILED
  }

  /**
   * Paths that have asked nobody yet.
   *
   * @param paths how many there are to be; fewer, where there are fewer seeds, or where one could
   *     not ask anybody
   * @param settings of all together
   * @param seeds whom to ask first, each on one path
   * @param deadline when they are over at the latest, on the clock of {@link #next}
   */
  public DisjointPaths(
      int paths,
      Settings settings,
      Key target,
      List<PeerId> seeds,
      long deadline,
      Expectations expectations) {
    this(paths, settings, target, seeds, deadline, expectations, Key::of);
  }

  /** Paths in a keyspace of the caller's making. */
  DisjointPaths(
      int paths,
      Settings settings,
      Key target,
      List<PeerId> seeds,
      long deadline,
      Expectations expectations,
      Function<PeerId, Key> keyOf) {
    this.settings = settings;
    this.target = target;
    this.keyOf = keyOf;
    int count = Math.min(Math.min(paths, seeds.size()), settings.parallelism());
    count = Math.max(1, Math.min(count, settings.maxRequests()));
    Settings share =
        new Settings(
            settings.parallelism() / count, settings.resultCount(), settings.maxRequests() / count);
    for (int path = 0; path < count; path++) {
      List<PeerId> dealt = new ArrayList<>();
      for (int seed = path; seed < seeds.size(); seed += count) {
        dealt.add(seeds.get(seed));
      }
      this.paths.add(new IterativeLookup(share, target, dealt, deadline, expectations, keyOf));
    }
  }

  @Override
  public Step next(long now) {
    if (finished != null) {
      return finished;
    }
    boolean waits = false;
    for (int i = 0; i < paths.size(); i++) {
      int path = (turn + i) % paths.size();
      Step step = nextOf(path, now);
      if (step instanceof Step.Ask) {
        turn = path + 1;
        return step;
      }
      waits |= step instanceof Step.Wait;
    }
    return waits ? new Step.Wait() : end();
  }

  /** Asks nobody whom another path has asked. */
  private Step nextOf(int path, long now) {
    IterativeLookup lookup = paths.get(path);
    while (true) {
      Step step = lookup.next(now);
      if (!(step instanceof Step.Ask ask)) {
        return step;
      }
      Asked before = asked.putIfAbsent(ask.peer(), new Asked(path));
      if (before == null) {
        return step;
      }
      tell(lookup, ask.peer(), before.state, List.of());
    }
  }

  private static void tell(
      IterativeLookup lookup, PeerId peer, State state, Collection<PeerId> closer) {
    switch (state) {
      case ASKED -> {} // It will hear.
      case LATE -> lookup.onLate(peer);
      case ANSWERED -> lookup.onSuccess(peer, closer);
      case FAILED -> lookup.onFailure(peer);
    }
  }

  @Override
  public boolean onSuccess(PeerId peer, Collection<PeerId> closer) {
    if (!settle(peer, State.ANSWERED, closer)) {
      return false;
    }
    answered++;
    return true;
  }

  @Override
  public boolean onFailure(PeerId peer) {
    return settle(peer, State.FAILED, List.of());
  }

  @Override
  public boolean onLate(PeerId peer) {
    Asked one = asked.get(peer);
    return one != null && one.state == State.ASKED && settle(peer, State.LATE, List.of());
  }

  private boolean settle(PeerId peer, State state, Collection<PeerId> closer) {
    Asked one = asked.get(peer);
    if (finished != null || one == null || !one.isOpen()) {
      return false;
    }
    one.state = state;
    for (int path = 0; path < paths.size(); path++) {
      tell(paths.get(path), peer, state, path == one.path ? closer : List.of());
    }
    if (state == State.ANSWERED) {
      lastAnswered = one.path;
    }
    return true;
  }

  @Override
  public Step.Finished expire() {
    return finished == null ? endAll(IterativeLookup::expire, Ending.DEADLINE_PASSED) : finished;
  }

  @Override
  public Step.Finished finish() {
    return finished == null ? endAll(IterativeLookup::finish, Ending.STOPPED) : finished;
  }

  /** The length of the longest path; of a walk that the caller finished, see {@link Walk#hops}. */
  @Override
  public int hops() {
    return hops;
  }

  @Override
  public Key target() {
    return target;
  }

  private Step.Finished endAll(Function<IterativeLookup, Step.Finished> how, Ending ending) {
    return end(paths.stream().map(how).toList(), ending);
  }

  /** All paths have come to their ends. */
  private Step.Finished end() {
    List<Step.Finished> ends = paths.stream().map(IterativeLookup::finish).toList();
    Ending ending = Ending.EXHAUSTED;
    for (Step.Finished each : ends) {
      if (SEVERITY.indexOf(each.ending()) > SEVERITY.indexOf(ending)) {
        ending = each.ending();
      }
    }
    return end(ends, ending);
  }

  private Step.Finished end(List<Step.Finished> ends, Ending ending) {
    TreeMap<Distance, PeerId> result = new TreeMap<>();
    for (Step.Finished each : ends) {
      each.closest().forEach(peer -> result.put(distanceOf(peer), peer));
    }
    while (result.size() > settings.resultCount()) {
      result.pollLastEntry();
    }
    int nearest = result.size();
    int share = Math.max(1, settings.resultCount() / paths.size());
    for (Step.Finished each : ends) {
      each.closest().stream().limit(share).forEach(peer -> result.put(distanceOf(peer), peer));
    }
    boolean isEnd = ending == Ending.CONVERGED || ending == Ending.EXHAUSTED;
    boolean isDisputed = isEnd && result.size() > nearest;
    hops =
        ending == Ending.STOPPED
            ? paths.get(lastAnswered).hops()
            : paths.stream().mapToInt(IterativeLookup::hops).max().orElse(0);
    finished =
        new Step.Finished(
            isDisputed ? Ending.DISPUTED : ending,
            List.copyOf(result.values()),
            asked.size(),
            answered);
    return finished;
  }

  private Distance distanceOf(PeerId peer) {
    return keyOf.apply(peer).distanceTo(target);
  }
}
