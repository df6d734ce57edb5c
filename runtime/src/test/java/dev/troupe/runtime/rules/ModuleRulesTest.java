package dev.troupe.runtime.rules;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import dev.troupe.actors.rules.ModuleRules;
import org.junit.jupiter.api.Test;

class ModuleRulesTest {

  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(
              location -> !location.contains("/test-classes/") && !location.contains("-tests.jar"))
          .importPackages("dev.troupe");

  @Test
  void protocolKnowsNoWorld() {
    ModuleRules.protocolKnowsNoWorld().check(OURS);
  }

  @Test
  void actorsKnowNoRealWorld() {
    ModuleRules.actorsKnowNoRealWorld().check(OURS);
  }

  @Test
  void runtimeDoesNotKnowTheSimulation() {
    ModuleRules.worldsAreStrangers("runtime", "simulation").check(OURS);
  }

  @Test
  void nothingBelowReadsTheRealWorld() {
    ModuleRules.nothingReadsTheRealWorld("dev.troupe.protocol..").check(OURS);
    ModuleRules.nothingReadsTheRealWorld("dev.troupe.actors..").check(OURS);
  }

  @Test
  void nothingBelowHasAnOrderOfHashes() {
    ModuleRules.nothingHasAnOrderOfHashes("dev.troupe.protocol..").check(OURS);
    ModuleRules.nothingHasAnOrderOfHashes("dev.troupe.actors..").check(OURS);
  }

  @Test
  void theRulesCanFail() {
    // The runtime breaks each of them, as it may: asked of it, they must say so.
    ArchRule clock = ModuleRules.nothingReadsTheRealWorld("dev.troupe.runtime..");
    assertTrue(clock.evaluate(OURS).hasViolation());
    assertTrue(
        ModuleRules.nothingHasAnOrderOfHashes("dev.troupe.runtime..")
            .evaluate(OURS)
            .hasViolation());
    assertTrue(ModuleRules.worldsAreStrangers("runtime", "actors").evaluate(OURS).hasViolation());
    assertTrue(ModuleRules.worldsAreStrangers("actors", "protocol").evaluate(OURS).hasViolation());
  }
}
