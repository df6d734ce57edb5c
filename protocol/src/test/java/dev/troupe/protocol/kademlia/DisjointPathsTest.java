package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Expectations;
import dev.troupe.protocol.kademlia.IterativeLookup.Settings;
import dev.troupe.protocol.kademlia.IterativeLookup.Step;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Ask;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Finished;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Wait;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DisjointPathsTest {

  private static final long DEADLINE = 1000;

  @Test
  void seedsAreDealtOutAndWhomOneNamesOnlyItsPathHears() {
    DisjointPaths walk = paths(2, new Settings(2, 2, 100), 0, 32, 64);
    assertEquals(ask(32), walk.next(0));
    assertEquals(ask(64), walk.next(0));
    assertEquals(new Wait(), walk.next(0));
    assertTrue(walk.onSuccess(Peers.at(32), peers(1, 2, 3)));
    assertEquals(ask(1), walk.next(0));
    assertEquals(new Wait(), walk.next(0), "each path asks one at a time");
    assertTrue(walk.onSuccess(Peers.at(64), peers(4, 8)));
    assertEquals(ask(4), walk.next(0));
  }

  @Test
  void whomAnotherPathHasAskedIsNotAskedAgainAndCountsAsWhatItTurnedOutToBe() {
    DisjointPaths walk = paths(2, new Settings(2, 4, 100), 0, 32, 64);
    walk.next(0);
    walk.next(0);
    walk.onSuccess(Peers.at(32), peers(1));
    assertEquals(ask(1), walk.next(0));
    walk.onSuccess(Peers.at(64), peers(1));
    assertEquals(new Wait(), walk.next(0), "1 is being asked by the other");
    assertTrue(walk.onSuccess(Peers.at(1), peers(2)));
    assertFalse(walk.onSuccess(Peers.at(1), peers(3)), "it has answered");
    assertEquals(ask(2), walk.next(0));
    assertFalse(walk.onFailure(Peers.at(9)), "never asked");
    assertTrue(walk.onLate(Peers.at(2)));
    assertFalse(walk.onLate(Peers.at(2)));
    assertEquals(new Wait(), walk.next(0));
    assertTrue(walk.onFailure(Peers.at(2)));
    assertEquals(new Finished(Ending.EXHAUSTED, peers(1, 32, 64), 4, 3), walk.next(0));
    assertEquals(2, walk.hops());
    assertFalse(walk.onFailure(Peers.at(1)), "over");
  }

  @Test
  void whoIsLateOnOnePathIsPassedOverOnTheOthers() {
    DisjointPaths walk = paths(2, new Settings(2, 1, 100), 0, 32, 64);
    walk.next(0);
    walk.next(0);
    walk.onSuccess(Peers.at(32), peers(1, 2));
    assertEquals(ask(1), walk.next(0));
    walk.onLate(Peers.at(1));
    assertEquals(ask(2), walk.next(0));
    walk.onSuccess(Peers.at(2), peers());
    walk.onSuccess(Peers.at(64), peers(1));
    assertEquals(new Finished(Ending.DISPUTED, peers(2, 64), 4, 3), walk.next(0));
  }

  @Test
  void itEndsAtTheDeadlineAndWhenTheCallerHasEnough() {
    DisjointPaths walk = paths(2, Settings.DEFAULT, 0, 1, 2);
    walk.next(0);
    walk.onSuccess(Peers.at(1), peers());
    Finished expired = new Finished(Ending.DEADLINE_PASSED, peers(1), 1, 1);
    assertEquals(expired, walk.next(DEADLINE));
    assertEquals(expired, walk.finish());
    DisjointPaths other = paths(2, Settings.DEFAULT, 0, 1, 2);
    other.next(0);
    other.onSuccess(Peers.at(1), peers());
    assertEquals(new Finished(Ending.STOPPED, peers(1), 1, 1), other.finish());
    assertEquals(1, other.hops());
    assertEquals(Ending.DEADLINE_PASSED, paths(2, Settings.DEFAULT, 0, 1, 2).expire().ending());
  }

  @Test
  void withNobodyToAskItIsOverAtOnce() {
    assertEquals(
        new Finished(Ending.EXHAUSTED, List.of(), 0, 0), paths(3, Settings.DEFAULT, 0).next(0));
  }

  /**
   * One liar among the seeds names its own fakes only, which are nearer to the target than anybody
   * honest, answer, and name one another.
   */
  @Test
  void aLiarThatKnowsOnlyItsFakesDefeatsOnePathAndNotThree() {
    int target = 0;
    List<PeerId> fakes = peers(1, 2, 3, 4, 5, 6);
    PeerId liar = Peers.at(64);
    // Each of the honest knows one in each of its buckets that is honest, too.
    Function<PeerId, List<PeerId>> answer =
        peer ->
            peer.equals(liar) || fakes.contains(peer)
                ? fakes
                : oneOfEachBucket(Peers.pointOf(peer), 7).stream()
                    .filter(each -> Peers.pointOf(each) >= 7)
                    .toList();
    Settings settings = new Settings(3, 6, 100);
    List<PeerId> seeds = List.of(liar, Peers.at(200), Peers.at(130));
    IterativeLookup one =
        new IterativeLookup(
            settings, Peers.key(target), seeds, DEADLINE, Expectations.NONE, Peers::keyOf);
    assertEquals(fakes, run(one, answer).closest());
    DisjointPaths three =
        new DisjointPaths(
            3, settings, Peers.key(target), seeds, DEADLINE, Expectations.NONE, Peers::keyOf);
    Finished end = run(three, answer);
    assertEquals(Ending.DISPUTED, end.ending());
    assertTrue(end.closest().containsAll(peers(7, 8)), "the nearest of the honest: " + end);
  }

  @Property(tries = 300)
  void everyWalkEndsWithinItsBounds(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 5) int paths,
      @ForAll @IntRange(min = 1, max = 6) int parallelism,
      @ForAll @IntRange(min = 1, max = 8) int results,
      @ForAll @IntRange(min = 1, max = 60) int budget) {
    Random random = new Random(seed);
    Settings settings = new Settings(parallelism, results, budget);
    DisjointPaths walk =
        paths(
            paths,
            settings,
            random.nextInt(256),
            random.ints(random.nextInt(8), 0, 256).distinct().toArray());
    Set<PeerId> asked = new HashSet<>();
    Finished end = Walks.play(walk, parallelism, random, asked);
    assertTrue(asked.size() <= budget);
    assertEquals(asked.size(), end.asked());
    assertTrue(end.closest().size() <= results + Math.max(results, paths));
    assertTrue(asked.containsAll(end.closest()));
  }

  @Property(tries = 100)
  void inAHealthyNetworkSeveralPathsFindTheNearestTogether(
      @ForAll @IntRange(max = 255) int target,
      @ForAll @IntRange(max = 255) int first,
      @ForAll @IntRange(max = 255) int second) {
    DisjointPaths walk =
        first == second
            ? paths(2, new Settings(4, 4, 256), target, first)
            : paths(2, new Settings(4, 4, 256), target, first, second);
    Finished end = run(walk, peer -> oneOfEachBucket(Peers.pointOf(peer), target));
    assertEquals(peers(target, target ^ 1, target ^ 2, target ^ 3), end.closest().subList(0, 4));
  }

  private static Finished run(Walk walk, Function<PeerId, List<PeerId>> answer) {
    List<PeerId> inFlight = new ArrayList<>();
    Step step = walk.next(0);
    while (!(step instanceof Finished)) {
      if (step instanceof Ask next) {
        inFlight.add(next.peer());
      } else {
        PeerId peer = inFlight.remove(0);
        walk.onSuccess(peer, answer.apply(peer));
      }
      step = walk.next(0);
    }
    return (Finished) step;
  }

  private static List<PeerId> oneOfEachBucket(int self, int target) {
    List<PeerId> known = new ArrayList<>();
    for (int bit = 0; bit < 8; bit++) {
      int lower = (1 << bit) - 1;
      known.add(Peers.at((self ^ (1 << bit)) & ~lower | (target & lower)));
    }
    return known;
  }

  private static DisjointPaths paths(int count, Settings settings, int target, int... seeds) {
    return new DisjointPaths(
        count,
        settings,
        Peers.key(target),
        peers(seeds),
        DEADLINE,
        Expectations.NONE,
        Peers::keyOf);
  }

  private static Ask ask(int point) {
    return new Ask(Peers.at(point));
  }

  private static List<PeerId> peers(int... points) {
    return Arrays.stream(points).mapToObj(Peers::at).toList();
  }
}
