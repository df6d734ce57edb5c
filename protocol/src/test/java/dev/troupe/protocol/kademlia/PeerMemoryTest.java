package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PeerMemoryTest {

  private static final Duration FLOOR = Duration.ofSeconds(1);
  private static final Duration CEILING = Duration.ofSeconds(30);
  private static final Duration SLOW = Duration.ofSeconds(2);
  private static final PeerId A = Peers.at(1);
  private static final PeerId B = Peers.at(2);
  private static final List<Multiaddr> HOME = List.of(address("/ip4/1.2.3.4/tcp/1"));
  private static final List<Multiaddr> ELSEWHERE = List.of(address("/ip4/1.2.3.4/tcp/2"));

  /** It ends soon after its beginning. */
  private static final long NOW = Long.MAX_VALUE - 1000;

  private final PeerMemory memory = new PeerMemory(new Random(7));

  @Test
  void aPeerHasTheTimeThatItTookBeforeAndTheOthersThatOfAll() {
    assertEquals(CEILING, timeToAnswer(A));
    memory.onAnswered(A, SLOW);
    assertEquals(SLOW.multipliedBy(3), timeToAnswer(A));
    for (int i = 0; i < 100; i++) {
      memory.onAnswered(B, Duration.ofMillis(10));
    }
    assertEquals(FLOOR, timeToAnswer(B));
    assertEquals(SLOW.multipliedBy(3), timeToAnswer(A), "it is slower than the others");
    assertEquals(FLOOR, timeToAnswer(Peers.at(9)), "nothing was measured of it");
  }

  @Test
  void whoDidNotAnswerInTimeHasTwiceTheTimeAndSoHaveOthersUntilOneAnswers() {
    memory.onAnswered(A, Duration.ofMillis(10));
    memory.onUnanswered(B, NOW);
    assertEquals(FLOOR, timeToAnswer(A));
    assertEquals(FLOOR.multipliedBy(2), timeToAnswer(Peers.at(9)));
    memory.onAnswered(A, Duration.ofMillis(10));
    assertEquals(FLOOR, timeToAnswer(Peers.at(9)));
    assertEquals(FLOOR.multipliedBy(2), timeToAnswer(B));
    for (int i = 0; i < 10; i++) {
      memory.onUnanswered(B, NOW);
    }
    assertEquals(CEILING, timeToAnswer(B), "it is not locked out");
  }

  @Test
  void dialsHaveATimeOfTheirOwn() {
    memory.onAnswered(A, Duration.ofMillis(10));
    assertEquals(CEILING, memory.snapshot().timeToDial(FLOOR, CEILING));
    memory.onDialled(SLOW);
    assertEquals(SLOW.multipliedBy(3), memory.snapshot().timeToDial(FLOOR, CEILING));
    memory.onDialLate();
    assertEquals(SLOW.multipliedBy(6), memory.snapshot().timeToDial(FLOOR, CEILING));
    assertEquals(FLOOR, timeToAnswer(A));
  }

  @Test
  void whoFailsIsHeldBackTwiceAsLongEachTimeUpToTheMaximumAndAFifthMore() {
    long pause = PeerMemory.FIRST_BACKOFF.toNanos();
    long now = NOW;
    for (int failures = 1; failures < 80; failures++) {
      memory.onUnanswered(A, now);
      assertTrue(isHeldBack(A, now + pause - 1), failures + " failures");
      assertFalse(isHeldBack(A, now + pause + pause / 5 + 1), failures + " failures");
      now += pause + pause / 5 + 1;
      pause = Math.min(2 * pause, PeerMemory.MAX_BACKOFF.toNanos());
    }
    memory.onUnanswered(A, now);
    memory.onAnswered(A, FLOOR);
    assertFalse(isHeldBack(A, now), "it answered");
    memory.onUnanswered(A, now);
    assertFalse(isHeldBack(A, now + 2 * PeerMemory.FIRST_BACKOFF.toNanos()), "and begins anew");
  }

  @Test
  void whatSeveralSeeAtOnceIsOneFailure() {
    long over = NOW + PeerMemory.FIRST_BACKOFF.toNanos() * 6 / 5 + 1;
    for (int lookup = 0; lookup < 7; lookup++) {
      memory.onUnanswered(A, NOW + lookup);
      memory.onUnreachable(B, HOME, NOW + lookup);
    }
    assertTrue(isHeldBack(A, NOW + PeerMemory.FIRST_BACKOFF.toNanos() - 1));
    assertFalse(isHeldBack(A, over));
    assertTrue(memory.snapshot().isHeldBack(B, HOME, () -> false, NOW + 10));
    assertFalse(memory.snapshot().isHeldBack(B, HOME, () -> false, over));
    memory.onUnanswered(A, over);
    assertTrue(isHeldBack(A, over + 2 * PeerMemory.FIRST_BACKOFF.toNanos() - 1), "the second");
  }

  @Test
  void notAllAreHeldBackForTheSameTime() {
    memory.onUnanswered(A, NOW);
    memory.onUnanswered(B, NOW);
    long step = PeerMemory.FIRST_BACKOFF.dividedBy(500).toNanos();
    boolean differ = false;
    for (long at = 0; at < 700 * step; at += step) {
      differ |= isHeldBack(A, NOW + at) != isHeldBack(B, NOW + at);
    }
    assertTrue(differ);
  }

  @Test
  void whoCannotBeReachedIsHeldBackOnlyThereAndOnlyWhileItIsNotConnected() {
    memory.onUnreachable(A, HOME, NOW);
    PeerMemory.Snapshot snapshot = memory.snapshot();
    assertTrue(snapshot.isHeldBack(A, HOME, () -> false, NOW));
    assertFalse(snapshot.isHeldBack(A, ELSEWHERE, () -> false, NOW));
    assertFalse(
        snapshot.isHeldBack(A, List.of(HOME.get(0), ELSEWHERE.get(0)), () -> false, NOW),
        "it may be there");
    assertFalse(snapshot.isHeldBack(A, HOME, () -> true, NOW));
    memory.onUnanswered(A, NOW);
    assertTrue(memory.snapshot().isHeldBack(A, ELSEWHERE, () -> true, NOW), "it was reached");
  }

  @Test
  void whatOthersMakeUpDoesNotAddUp() {
    for (int i = 0; i < 20; i++) {
      memory.onUnreachable(A, HOME, NOW);
    }
    memory.onUnreachable(A, ELSEWHERE, NOW);
    long soon = NOW + 2 * PeerMemory.FIRST_BACKOFF.toNanos();
    assertFalse(memory.snapshot().isHeldBack(A, ELSEWHERE, () -> false, soon));
  }

  @Test
  void theQuickAreExpectedBeforeTheUnknownAndTheseBeforeTheSlowAndTheSilent() {
    memory.onAnswered(A, Duration.ofMillis(10));
    memory.onAnswered(B, SLOW);
    memory.onUnanswered(Peers.at(3), NOW);
    memory.onUnreachable(Peers.at(4), HOME, NOW);
    PeerMemory.Snapshot snapshot = memory.snapshot();
    assertTrue(snapshot.usualNanos(A) < snapshot.usualNanos(Peers.at(9)));
    assertTrue(snapshot.usualNanos(Peers.at(9)) < snapshot.usualNanos(B));
    assertTrue(snapshot.usualNanos(B) < snapshot.usualNanos(Peers.at(3)));
    assertEquals(snapshot.usualNanos(Peers.at(9)), snapshot.usualNanos(Peers.at(4)));
  }

  @Test
  void ofTooManyWhoeverWasHeardOfLeastRecentlyIsForgotten() {
    for (long number = 0; number < PeerMemory.MAX_PEERS; number++) {
      memory.onUnanswered(Peers.peer(number), NOW);
    }
    memory.onUnanswered(Peers.peer(0), NOW);
    memory.onAnswered(Peers.peer(1_000_000), FLOOR);
    assertEquals(PeerMemory.MAX_PEERS, memory.snapshot().size());
    assertTrue(isHeldBack(Peers.peer(0), NOW));
    assertFalse(isHeldBack(Peers.peer(1), NOW), "forgotten");
    assertTrue(isHeldBack(Peers.peer(2), NOW));
  }

  @Test
  void aSnapshotDoesNotChange() {
    PeerMemory.Snapshot before = memory.snapshot();
    memory.onUnanswered(A, NOW);
    assertFalse(before.isHeldBack(A, HOME, () -> true, NOW));
  }

  private Duration timeToAnswer(PeerId peer) {
    return memory.snapshot().timeToAnswer(peer, FLOOR, CEILING);
  }

  private boolean isHeldBack(PeerId peer, long now) {
    return memory.snapshot().isHeldBack(peer, HOME, () -> true, now);
  }

  private static Multiaddr address(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (MalformedException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
