package dev.troupe.runtime.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RestartPolicyTest {

  private static final long WINDOW = Duration.ofMinutes(5).toNanos();

  @Test
  void theUsualOneIsThreeTimesInFiveMinutes() {
    RestartPolicy policy = RestartPolicy.usual();
    for (int restart = 1; restart <= 3; restart++) {
      assertTrue(policy.mayRestart(restart));
      assertEquals(restart, policy.restarts());
    }
    assertFalse(policy.mayRestart(WINDOW));
  }

  /** Monotonic time may begin anywhere, and run over. */
  @ParameterizedTest
  @ValueSource(longs = {0, -1_000_000_000_000L, Long.MAX_VALUE - 1000})
  void aRestartCountsForTheWindowAndNotAMomentLonger(long start) {
    RestartPolicy policy = RestartPolicy.usual();
    assertTrue(policy.mayRestart(start));
    assertTrue(policy.mayRestart(start + 1));
    assertTrue(policy.mayRestart(start + 2));
    assertTrue(policy.mayRestart(start + WINDOW));
    assertEquals(3, policy.restarts());
    assertTrue(policy.mayRestart(start + WINDOW + 1));
    assertFalse(policy.mayRestart(start + WINDOW + 1));
  }

  @Test
  void onceItIsOverItStaysOver() {
    RestartPolicy policy = new RestartPolicy(1, Duration.ofNanos(10));
    assertTrue(policy.mayRestart(0));
    assertFalse(policy.mayRestart(9));
    assertFalse(policy.mayRestart(1000));
  }

  @Test
  void whoDiesSeldomIsRestartedForEver() {
    RestartPolicy policy = RestartPolicy.usual();
    for (long death = 0; death < 1000; death++) {
      assertTrue(policy.mayRestart(death * WINDOW / 3 + death));
      assertTrue(policy.restarts() <= 3);
    }
  }

  @Test
  void whatIsNoPolicyIsRefused() {
    assertFalse(new RestartPolicy(0, Duration.ofSeconds(1)).mayRestart(0));
    assertThrows(
        IllegalArgumentException.class, () -> new RestartPolicy(-1, Duration.ofSeconds(1)));
    assertThrows(IllegalArgumentException.class, () -> new RestartPolicy(1, Duration.ZERO));
  }
}
