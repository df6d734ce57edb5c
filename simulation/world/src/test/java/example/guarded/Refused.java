package example.guarded;

import ch.qos.logback.core.status.InfoStatus;
import dev.troupe.simulation.testkit.Simulated;
import dev.troupe.simulation.testkit.Simulation;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests that cannot be run as they are. */
public class Refused {

  public static class NoSeeds {
    @Simulated(seeds = "one")
    void test(Simulation sim) {}
  }

  public static class Backwards {
    @Simulated(seeds = "9..3")
    void test(Simulation sim) {}
  }

  public static class TooMany {
    @Simulated(seeds = "1..1000000")
    void test(Simulation sim) {}
  }

  public static class BeforeThemAll {
    @BeforeAll
    static void prepare() {}

    @Simulated
    void test(Simulation sim) {}
  }

  @TestInstance(TestInstance.Lifecycle.PER_CLASS)
  public static class OneForAll {
    @Simulated
    void test(Simulation sim) {}
  }

  @Simulated
  public static class InTheConstructor {
    InTheConstructor(Simulation sim) {}

    @Test
    void test() {}
  }

  @Simulated
  public static class BreachInAField {
    private final Random random = new Random();

    @Test
    void test() {
      random.nextInt();
    }
  }

  /** A library reads the clock, and is guarded. */
  @Simulated(guard = "ch.qos.logback.core.status.")
  public static class BreachInALibrary {
    @Test
    void test() {
      new InfoStatus("a status remembers when it was made", null);
    }
  }

  /** A value of a guarded class. */
  public record Value(int number) {}

  @Simulated
  public static class GuardedArgument {
    @ParameterizedTest
    @MethodSource("values")
    void test(Value value) {}

    static Value[] values() {
      return new Value[] {new Value(1)};
    }
  }
}
