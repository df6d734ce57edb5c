package dev.troupe.simulation.rules;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.troupe.actors.rules.ModuleRules;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimulationRulesTest {

  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> !location.contains("/test-classes/"))
          .importPackages("dev.troupe.simulation");

  @Test
  void theSimulationDoesNotKnowTheRuntime() {
    ModuleRules.worldsAreStrangers("simulation", "runtime").check(OURS);
  }

  @Test
  void theKernelKnowsOnlyPekko() {
    ModuleRules.worldsAreStrangers("simulation.kernel", "actors").check(OURS);
    ModuleRules.worldsAreStrangers("simulation.kernel", "protocol").check(OURS);
  }

  /** The command line alone looks at a clock on the wall, to say how fast a run was. */
  @ParameterizedTest
  @ValueSource(strings = {"world", "scenario", "scenarios", "check", "report", "testkit"})
  void theSimulatedWorldReadsNoRealOne(String part) {
    ModuleRules.nothingReadsTheRealWorld("dev.troupe.simulation." + part + "..").check(OURS);
  }

  @Test
  void nothingSimulatedHasAnOrderOfHashes() {
    ModuleRules.nothingHasAnOrderOfHashes("dev.troupe.simulation..").check(OURS);
  }
}
