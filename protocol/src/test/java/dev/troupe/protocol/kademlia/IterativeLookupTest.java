package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Settings;
import dev.troupe.protocol.kademlia.IterativeLookup.Step;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Ask;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Finished;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Wait;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class IterativeLookupTest {

  private static final long DEADLINE = 1000;

  @Test
  void asksTheNearestFirstAndNoMoreThanMayBeAskedAtATime() {
    IterativeLookup lookup = lookup(new Settings(2, 3, 100), 0, 9, 5, 7);
    assertEquals(ask(5), lookup.next(0));
    assertEquals(ask(7), lookup.next(0));
    assertEquals(new Wait(), lookup.next(0));
    assertTrue(lookup.onSuccess(Peers.at(5), peers(1)));
    assertEquals(ask(1), lookup.next(0));
    assertEquals(new Wait(), lookup.next(0));
  }

  @Test
  void finishesWhenKClosestHaveAnswered() {
    IterativeLookup lookup = lookup(new Settings(3, 2, 100), 0, 8, 9, 10);
    assertEquals(ask(8), lookup.next(0));
    assertEquals(ask(9), lookup.next(0));
    assertEquals(new Wait(), lookup.next(0));
    lookup.onSuccess(Peers.at(9), peers(8, 10, 11));
    assertEquals(new Wait(), lookup.next(0));
    lookup.onSuccess(Peers.at(8), peers(9, 12));
    assertEquals(new Finished(Ending.CONVERGED, peers(8, 9), 2, 2), lookup.next(0));
  }

  @Test
  void someoneNearerPutsTheEndOff() {
    IterativeLookup lookup = lookup(new Settings(1, 1, 100), 0, 8);
    assertEquals(ask(8), lookup.next(0));
    lookup.onSuccess(Peers.at(8), peers(2));
    assertEquals(ask(2), lookup.next(0));
    lookup.onSuccess(Peers.at(2), peers(4));
    assertEquals(new Finished(Ending.CONVERGED, peers(2), 2, 2), lookup.next(0));
  }

  @Test
  void hopsAreCountedToTheFarthestOfTheNearestThatAnswered() {
    IterativeLookup lookup = lookup(new Settings(1, 2, 100), 0, 8);
    assertEquals(ask(8), lookup.next(0));
    lookup.onSuccess(Peers.at(8), peers(2, 9));
    assertEquals(ask(2), lookup.next(0));
    lookup.onSuccess(Peers.at(2), peers(4));
    assertEquals(ask(4), lookup.next(0));
    assertEquals(0, lookup.hops(), "it is not over");
    lookup.onSuccess(Peers.at(4), peers(8));
    assertEquals(new Finished(Ending.CONVERGED, peers(2, 4), 3, 3), lookup.next(0));
    assertEquals(3, lookup.hops());
  }

  @Test
  void theHopsOfAWalkThatTheCallerFinishedAreThoseToTheLastAnswer() {
    IterativeLookup lookup = lookup(new Settings(2, 2, 100), 0, 8, 9);
    assertEquals(ask(8), lookup.next(0));
    assertEquals(ask(9), lookup.next(0));
    lookup.onSuccess(Peers.at(8), peers(2));
    assertEquals(ask(2), lookup.next(0));
    lookup.onSuccess(Peers.at(2), peers());
    lookup.onSuccess(Peers.at(9), peers());
    lookup.finish();
    assertEquals(1, lookup.hops());
  }

  @Test
  void aWalkThatNobodyAnsweredHasNoHops() {
    IterativeLookup lookup = lookup(new Settings(1, 1, 100), 0, 8);
    assertEquals(ask(8), lookup.next(0));
    lookup.onFailure(Peers.at(8));
    assertEquals(Ending.EXHAUSTED, ((Finished) lookup.next(0)).ending());
    assertEquals(0, lookup.hops());
  }

  @Test
  void theNextNearestTakesThePlaceOfOneThatFailed() {
    IterativeLookup lookup = lookup(new Settings(2, 2, 100), 0, 1, 2, 3);
    assertEquals(ask(1), lookup.next(0));
    assertEquals(ask(2), lookup.next(0));
    lookup.onFailure(Peers.at(1));
    assertEquals(ask(3), lookup.next(0));
    lookup.onSuccess(Peers.at(2), peers());
    lookup.onSuccess(Peers.at(3), peers());
    assertEquals(new Finished(Ending.CONVERGED, peers(2, 3), 3, 2), lookup.next(0));
  }

  @Test
  void endsWhenNobodyIsLeftToAsk() {
    IterativeLookup lookup = lookup(new Settings(2, 20, 100), 0, 1, 2);
    lookup.next(0);
    lookup.next(0);
    lookup.onSuccess(Peers.at(1), peers(1, 2));
    lookup.onFailure(Peers.at(2));
    assertEquals(new Finished(Ending.EXHAUSTED, peers(1), 2, 1), lookup.next(0));
  }

  @Test
  void withNobodyToAskItIsOverAtOnce() {
    assertEquals(
        new Finished(Ending.EXHAUSTED, List.of(), 0, 0), lookup(Settings.DEFAULT, 0).next(0));
  }

  @Test
  void endsWhenTheBudgetIsSpentAndTheLastHasAnswered() {
    IterativeLookup lookup = lookup(new Settings(2, 20, 2), 0, 1, 2, 3);
    lookup.next(0);
    lookup.next(0);
    lookup.onSuccess(Peers.at(1), peers());
    assertEquals(new Wait(), lookup.next(0));
    lookup.onSuccess(Peers.at(2), peers());
    assertEquals(new Finished(Ending.BUDGET_SPENT, peers(1, 2), 2, 2), lookup.next(0));
  }

  @Test
  void endsAtTheDeadlineWithThoseWhoAnswered() {
    IterativeLookup lookup = lookup(new Settings(2, 20, 100), 0, 1, 2);
    lookup.next(0);
    lookup.next(0);
    lookup.onSuccess(Peers.at(2), peers());
    assertEquals(new Wait(), lookup.next(DEADLINE - 1));
    assertEquals(new Finished(Ending.DEADLINE_PASSED, peers(2), 2, 1), lookup.next(DEADLINE));
  }

  @Test
  void endsWhenTheCallerHasWhatItWants() {
    IterativeLookup lookup = lookup(new Settings(2, 20, 100), 0, 1, 2);
    lookup.next(0);
    Finished finished = lookup.finish();
    assertEquals(Ending.STOPPED, finished.ending());
    assertEquals(finished, lookup.next(0));
    assertEquals(finished, lookup.finish());
  }

  @Test
  void lateAndDuplicateCallsDoNothing() {
    IterativeLookup lookup = lookup(new Settings(1, 2, 100), 0, 1, 2);
    assertFalse(lookup.onSuccess(Peers.at(1), peers(3)), "not asked yet");
    assertFalse(lookup.onFailure(Peers.at(200)), "never heard of");
    lookup.next(0);
    assertTrue(lookup.onFailure(Peers.at(1)));
    assertFalse(lookup.onSuccess(Peers.at(1), peers(4)), "failed before");
    assertEquals(ask(2), lookup.next(0));
    assertTrue(lookup.onSuccess(Peers.at(2), peers()));
    assertFalse(lookup.onSuccess(Peers.at(2), peers(5)), "answered before");
    assertFalse(lookup.onFailure(Peers.at(2)), "answered before");
    Step end = lookup.next(0);
    assertEquals(new Finished(Ending.EXHAUSTED, peers(2), 2, 1), end);
    assertFalse(lookup.onSuccess(Peers.at(2), peers(6)), "over");
    assertEquals(end, lookup.next(0));
  }

  @Test
  void nobodyIsAskedTwice() {
    IterativeLookup lookup = lookup(new Settings(1, 20, 100), 0, 1);
    assertEquals(ask(1), lookup.next(0));
    lookup.onSuccess(Peers.at(1), peers(1, 2, 2));
    assertEquals(ask(2), lookup.next(0));
    lookup.onSuccess(Peers.at(2), peers(1, 2));
    assertTrue(lookup.next(0) instanceof Finished);
  }

  @Test
  void ofTooManyTheNearestAreRemembered() {
    List<PeerId> crowd = new ArrayList<>();
    for (long number = 5000; number > 0; number--) {
      crowd.add(Peers.peer(number));
    }
    IterativeLookup lookup =
        new IterativeLookup(
            new Settings(10, 20, 10_000), Peers.key(0), crowd, DEADLINE, Peers::keyOf);
    for (long number = 1; number <= 10; number++) {
      assertEquals(new Ask(Peers.peer(number)), lookup.next(0));
    }
  }

  /**
   * A network in which peers name those they know at random; some are silent, some name more than
   * they should.
   */
  @Property(tries = 300)
  void everyLookupEndsWithinItsBounds(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 5) int parallelism,
      @ForAll @IntRange(min = 1, max = 8) int results,
      @ForAll @IntRange(min = 1, max = 60) int budget) {
    Random random = new Random(seed);
    Settings settings = new Settings(parallelism, results, budget);
    IterativeLookup lookup =
        lookup(settings, random.nextInt(256), random.nextInt(256), random.nextInt(256));
    Set<PeerId> asked = new HashSet<>();
    List<PeerId> inFlight = new ArrayList<>();
    Finished end = null;
    for (int steps = 0; end == null; steps++) {
      assertTrue(steps < 2000, "does not end");
      Step step = lookup.next(0);
      if (step instanceof Ask next) {
        assertTrue(asked.add(next.peer()), "asked twice");
        inFlight.add(next.peer());
        assertTrue(inFlight.size() <= parallelism);
      } else if (step instanceof Wait) {
        assertFalse(inFlight.isEmpty(), "waits for nobody");
        PeerId peer = inFlight.remove(random.nextInt(inFlight.size()));
        if (random.nextInt(4) == 0) {
          lookup.onFailure(peer);
        } else {
          lookup.onSuccess(
              peer, random.ints(random.nextInt(12), 0, 256).mapToObj(Peers::at).toList());
        }
      } else {
        end = (Finished) step;
      }
    }
    assertTrue(asked.size() <= budget);
    assertEquals(asked.size(), end.asked());
    assertTrue(end.closest().size() <= results);
    Comparator<PeerId> nearer =
        Comparator.comparing(peer -> Peers.keyOf(peer).distanceTo(lookup.target()));
    assertEquals(end.closest().stream().sorted(nearer).toList(), end.closest());
    assertTrue(asked.containsAll(end.closest()));
  }

  /**
   * Where everyone answers and knows its neighbours, the walk finds those who are really the
   * nearest.
   */
  @Property(tries = 100)
  void inAHealthyNetworkItFindsTheNearest(
      @ForAll @IntRange(max = 255) int target, @ForAll @IntRange(max = 255) int start) {
    IterativeLookup lookup = lookup(new Settings(3, 4, 256), target, start);
    Step step = lookup.next(0);
    List<PeerId> inFlight = new ArrayList<>();
    while (!(step instanceof Finished)) {
      if (step instanceof Ask next) {
        inFlight.add(next.peer());
      } else {
        PeerId peer = inFlight.remove(0);
        lookup.onSuccess(peer, oneOfEachBucket(Peers.pointOf(peer), target));
      }
      step = lookup.next(0);
    }
    assertEquals(peers(target, target ^ 1, target ^ 2, target ^ 3), ((Finished) step).closest());
    assertTrue(((Finished) step).asked() < 40, "asked half of the network");
  }

  private static List<PeerId> oneOfEachBucket(int self, int target) {
    List<PeerId> known = new ArrayList<>();
    for (int bit = 0; bit < 8; bit++) {
      int lower = (1 << bit) - 1;
      known.add(Peers.at((self ^ (1 << bit)) & ~lower | (target & lower)));
    }
    return known;
  }

  private static IterativeLookup lookup(Settings settings, int target, int... seeds) {
    return new IterativeLookup(settings, Peers.key(target), peers(seeds), DEADLINE, Peers::keyOf);
  }

  private static Ask ask(int point) {
    return new Ask(Peers.at(point));
  }

  private static List<PeerId> peers(int... points) {
    return Arrays.stream(points).mapToObj(Peers::at).toList();
  }
}
