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
  void ofThoseThatAreEquallyNearTheQuickerIsAskedFirst() {
    // 4 to 7 share as many bits with 0, and so do 8 to 15.
    IterativeLookup lookup =
        lookup(new Settings(6, 5, 100), new HeldBack(List.of()), 0, 4, 5, 6, 9, 12, 15);
    assertEquals(ask(6), lookup.next(0));
    assertEquals(ask(5), lookup.next(0));
    assertEquals(ask(4), lookup.next(0));
    assertEquals(ask(12), lookup.next(0));
    assertEquals(ask(9), lookup.next(0));
    assertEquals(new Wait(), lookup.next(0), "15 is not one of the five nearest");
  }

  @Test
  void whoIsHeldBackIsNotAskedWhileThereAreOthers() {
    IterativeLookup lookup =
        lookup(new Settings(2, 2, 100), new HeldBack(peers(1, 2)), 0, 1, 2, 3, 4, 5);
    assertEquals(ask(3), lookup.next(0));
    assertEquals(ask(4), lookup.next(0));
    lookup.onSuccess(Peers.at(3), peers(1, 2));
    assertEquals(new Wait(), lookup.next(0));
    lookup.onSuccess(Peers.at(4), peers());
    assertEquals(new Finished(Ending.CONVERGED, peers(3, 4), 2, 2), lookup.next(0));
  }

  @Test
  void whoIsHeldBackIsAskedWhenNobodyElseIsLeft() {
    IterativeLookup lookup = lookup(new Settings(2, 3, 100), new HeldBack(peers(1, 2)), 0, 1, 2, 9);
    assertEquals(ask(9), lookup.next(0));
    assertEquals(new Wait(), lookup.next(0));
    lookup.onFailure(Peers.at(9));
    assertEquals(ask(1), lookup.next(0));
    assertEquals(ask(2), lookup.next(0), "and not one after the other");
    lookup.onSuccess(Peers.at(1), peers(4));
    lookup.onSuccess(Peers.at(2), peers());
    assertEquals(ask(4), lookup.next(0));
    lookup.onSuccess(Peers.at(4), peers());
    assertEquals(new Finished(Ending.CONVERGED, peers(1, 2, 4), 4, 3), lookup.next(0));
  }

  @Test
  void whoIsHeldBackAndCannotBeAskedWithinTheBudgetIsNotTakenForAsked() {
    IterativeLookup lookup = lookup(new Settings(2, 3, 1), new HeldBack(peers(1)), 0, 1, 9);
    assertEquals(ask(9), lookup.next(0));
    lookup.onSuccess(Peers.at(9), peers());
    assertEquals(new Finished(Ending.BUDGET_SPENT, peers(9), 1, 1), lookup.next(0));
  }

  @Test
  void whoIsLateIsPassedOverWhileThereAreOthers() {
    IterativeLookup lookup = lookup(new Settings(1, 2, 100), 0, 1, 2, 3);
    assertEquals(ask(1), lookup.next(0));
    assertEquals(new Wait(), lookup.next(0));
    assertTrue(lookup.onLate(Peers.at(1)));
    assertFalse(lookup.onLate(Peers.at(1)), "it is already");
    assertEquals(ask(2), lookup.next(0));
    lookup.onSuccess(Peers.at(2), peers());
    assertEquals(ask(3), lookup.next(0));
    lookup.onSuccess(Peers.at(3), peers());
    assertEquals(new Finished(Ending.CONVERGED, peers(2, 3), 3, 2), lookup.next(0));
    assertFalse(lookup.onSuccess(Peers.at(1), peers()), "over");
    assertFalse(lookup.onLate(Peers.at(1)), "over");
  }

  @Test
  void whoIsLateCountsWhenItAnswersAfterAll() {
    IterativeLookup lookup = lookup(new Settings(1, 2, 100), 0, 1, 5);
    assertFalse(lookup.onLate(Peers.at(1)), "not asked yet");
    assertEquals(ask(1), lookup.next(0));
    lookup.onLate(Peers.at(1));
    assertEquals(ask(5), lookup.next(0));
    lookup.onSuccess(Peers.at(5), peers());
    assertEquals(new Wait(), lookup.next(0), "nobody else is left");
    assertTrue(lookup.onSuccess(Peers.at(1), peers(3)));
    assertEquals(ask(3), lookup.next(0));
    lookup.onFailure(Peers.at(3));
    assertEquals(new Finished(Ending.CONVERGED, peers(1, 5), 3, 2), lookup.next(0));
  }

  @Test
  void whoIsLateAndFailsInTheEndIsAsIfItHadFailedAtOnce() {
    IterativeLookup lookup = lookup(new Settings(1, 2, 100), 0, 1);
    assertEquals(ask(1), lookup.next(0));
    lookup.onLate(Peers.at(1));
    assertEquals(new Wait(), lookup.next(0));
    assertTrue(lookup.onFailure(Peers.at(1)));
    assertEquals(new Finished(Ending.EXHAUSTED, List.of(), 1, 0), lookup.next(0));
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
            new Settings(10, 20, 10_000),
            Peers.key(0),
            crowd,
            DEADLINE,
            Expectations.NONE,
            Peers::keyOf);
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
    Expectations expectations =
        new Expectations() {
          @Override
          public boolean isHeldBack(PeerId peer) {
            return random.nextInt(3) == 0;
          }
        };
    IterativeLookup lookup =
        lookup(
            settings, expectations, random.nextInt(256), random.nextInt(256), random.nextInt(256));
    Set<PeerId> asked = new HashSet<>();
    Finished end = Walks.play(lookup, parallelism, random, asked);
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
  void inAHealthyNetworkItFindsTheNearestWhateverIsExpected(
      @ForAll @IntRange(max = 255) int target,
      @ForAll @IntRange(max = 255) int start,
      @ForAll long seed) {
    Random random = new Random(seed);
    Expectations expectations =
        new Expectations() {
          @Override
          public long nanos(PeerId peer) {
            return random.nextInt(3);
          }
        };
    IterativeLookup lookup = lookup(new Settings(3, 4, 256), expectations, target, start);
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
    return lookup(settings, Expectations.NONE, target, seeds);
  }

  private static IterativeLookup lookup(
      Settings settings, Expectations expectations, int target, int... seeds) {
    return new IterativeLookup(
        settings, Peers.key(target), peers(seeds), DEADLINE, expectations, Peers::keyOf);
  }

  /** These are held back; of the others, one at a lower point answers later. */
  private record HeldBack(List<PeerId> peers) implements Expectations {

    @Override
    public boolean isHeldBack(PeerId peer) {
      return peers.contains(peer);
    }

    @Override
    public long nanos(PeerId peer) {
      return -Peers.pointOf(peer);
    }
  }

  private static Ask ask(int point) {
    return new Ask(Peers.at(point));
  }

  private static List<PeerId> peers(int... points) {
    return Arrays.stream(points).mapToObj(Peers::at).toList();
  }
}
