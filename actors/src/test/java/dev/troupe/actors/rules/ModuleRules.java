package dev.troupe.actors.rules;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.List;
import java.util.function.Predicate;

/** What each module may know, and what nothing below the runtime may call. */
public final class ModuleRules {

  private ModuleRules() {}

  /** {@code protocol}: bytes and decisions only. */
  public static ArchRule protocolKnowsNoWorld() {
    return noClasses()
        .that()
        .resideInAPackage("dev.troupe.protocol..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "org.apache.pekko..",
            "scala..",
            "io.netty..",
            "java.net..",
            "java.nio.channels..",
            "java.util.concurrent",
            "dev.troupe.actors..",
            "dev.troupe.runtime..",
            "dev.troupe.simulation..");
  }

  /** {@code actors}: behaviour, over ports. */
  public static ArchRule actorsKnowNoRealWorld() {
    return noClasses()
        .that()
        .resideInAPackage("dev.troupe.actors..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.netty..",
            "java.net..",
            "java.nio.channels..",
            "java.util.concurrent.locks",
            "dev.troupe.runtime..",
            "dev.troupe.simulation..");
  }

  /** {@code runtime} and {@code simulation} do not know each other. */
  public static ArchRule worldsAreStrangers(String one, String other) {
    return noClasses()
        .that()
        .resideInAPackage("dev.troupe." + one + "..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.troupe." + other + "..");
  }

  /** Nothing below the runtime reads a clock or unseeded randomness, sleeps, or asks. */
  public static ArchRule nothingReadsTheRealWorld(String packages) {
    return noClasses().that().resideInAPackage(packages).should(call(ModuleRules::isForbidden));
  }

  private static final List<String> FORBIDDEN =
      List.of(
          "java.lang.System.nanoTime",
          "java.lang.System.currentTimeMillis",
          "java.time.Instant.now",
          "java.time.Clock.systemUTC",
          "java.time.InstantSource.system",
          "java.lang.Math.random",
          "java.lang.Thread.sleep",
          "java.util.Random.<init>",
          "java.util.SplittableRandom.<init>",
          "java.security.SecureRandom.<init>",
          "java.util.concurrent.ThreadLocalRandom.current",
          "java.util.UUID.randomUUID",
          "java.util.concurrent.CompletableFuture.join",
          "java.util.concurrent.CompletableFuture.get",
          "org.apache.pekko.actor.typed.javadsl.ActorContext.ask",
          "org.apache.pekko.actor.typed.javadsl.AskPattern.ask");

  private static boolean isForbidden(String call) {
    return FORBIDDEN.contains(call);
  }

  private static ArchCondition<JavaClass> call(Predicate<String> forbidden) {
    return new ArchCondition<>("call what only the runtime may") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        type.getCodeUnits().stream()
            .map(JavaCodeUnit::getCallsFromSelf)
            .flatMap(java.util.Collection::stream)
            .filter(
                found ->
                    forbidden.test(
                        found.getTargetOwner().getFullName() + "." + found.getTarget().getName()))
            .forEach(
                found -> events.add(SimpleConditionEvent.satisfied(found, found.getDescription())));
      }
    };
  }
}
