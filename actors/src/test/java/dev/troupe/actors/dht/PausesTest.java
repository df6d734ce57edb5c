package dev.troupe.actors.dht;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PausesTest {

  private static final Duration INTERVAL = Duration.ofSeconds(15);

  private final Pauses pauses = new Pauses(new SplittableRandom(1));

  @Test
  void pausesDoubleUpToEightTimesAndStartAgainAfterSuccess() {
    for (int factor : new int[] {1, 2, 4, 8, 8, 8}) {
      assertPause(factor, pauses.next(INTERVAL));
    }
    pauses.reset();
    assertPause(1, pauses.next(INTERVAL));
  }

  private static void assertPause(int factor, Duration pause) {
    Duration least = INTERVAL.multipliedBy(factor);
    assertTrue(pause.compareTo(least) >= 0, () -> pause + " < " + least);
    assertTrue(pause.compareTo(least.plus(least.dividedBy(5))) <= 0, () -> pause + " is too long");
  }
}
