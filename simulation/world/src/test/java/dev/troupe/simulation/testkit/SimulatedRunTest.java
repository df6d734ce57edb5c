package dev.troupe.simulation.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimulatedRunTest {

  /** What annotations say; nobody runs it. */
  static final class Annotated {
    @Simulated(seeds = "-9223372036854775808..-9223372036854775807, 9223372036854775807")
    void atTheEnds(Simulation sim) {}

    @Simulated(seeds = "-9223372036854775808..9223372036854775807")
    void all(Simulation sim) {}

    @Simulated(seeds = "9223372036854775808")
    void beyond(Simulation sim) {}

    @Simulated(seeds = "1..2..3")
    void twice(Simulation sim) {}
  }

  private static Simulated annotation(String method) {
    try {
      return Annotated.class
          .getDeclaredMethod(method, Simulation.class)
          .getAnnotation(Simulated.class);
    } catch (NoSuchMethodException e) {
      throw new AssertionError(e);
    }
  }

  private static String refusal(String method) {
    return String.valueOf(
        assertThrows(
                IllegalArgumentException.class, () -> SimulatedRun.of(annotation(method), null))
            .getMessage());
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, -1_000_000_000_000_000_000L, -1, 0, 7, Long.MAX_VALUE})
  void whatIsToldForAReplayIsUnderstoodWhateverTheSeed(long seed) {
    SimulatedRun run = new SimulatedRun(seed, Order.FIFO, Fidelity.WIRE, List.of());
    assertEquals(List.of(run), SimulatedRun.of(annotation("all"), run.token()));
  }

  @Test
  void aReplayOfASeedBeyondALongIsRefused() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> SimulatedRun.of(annotation("all"), "9223372036854775808/fifo/host"));
    assertEquals(
        "troupe.simulated: SEED/ORDER/FIDELITY, such as 7/random/host, not"
            + " '9223372036854775808/fifo/host'",
        refused.getMessage());
  }

  @Test
  void seedsMayBeTheSmallestAndTheGreatest() {
    assertEquals(
        List.of(Long.MIN_VALUE, Long.MIN_VALUE + 1, Long.MAX_VALUE),
        SimulatedRun.of(annotation("atTheEnds"), null).stream().map(SimulatedRun::seed).toList());
  }

  @Test
  void seedsThatAreTooManyOrNoneAreRefused() {
    assertTrue(refusal("all").contains("100000 at most"), refusal("all"));
    assertTrue(refusal("beyond").contains("such as"), refusal("beyond"));
    assertTrue(refusal("twice").contains("such as"), refusal("twice"));
  }
}
