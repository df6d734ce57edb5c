package example.guarded;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.troupe.simulation.testkit.Simulated;
import dev.troupe.simulation.testkit.Simulation;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** Fails with one of its seeds. */
public class Failing {

  @Simulated(seeds = "1..6")
  void withOneSeedOfSix(Simulation sim) {
    sim.advance(Duration.ofSeconds(1));
    RandomGenerator chance = sim.random("choice");
    assertEquals(true, sim.system().seed() != 4, "drew " + chance.nextInt(1000));
  }
}
