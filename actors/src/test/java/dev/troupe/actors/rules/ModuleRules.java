package dev.troupe.actors.rules;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

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
          "java.util.concurrent.CompletionStage.*",
          "org.apache.pekko.actor.typed.javadsl.ActorContext.ask",
          "org.apache.pekko.actor.typed.javadsl.AskPattern.ask");

  /** What iterates in the order of hashes, which differs between runs. */
  private static final List<String> HASH_ORDERED =
      List.of(
          "java.util.HashMap.<init>",
          "java.util.HashSet.<init>",
          "java.util.IdentityHashMap.<init>",
          "java.util.WeakHashMap.<init>",
          "java.util.concurrent.ConcurrentHashMap.<init>",
          "java.util.concurrent.ConcurrentHashMap.newKeySet",
          "java.util.Set.of",
          "java.util.Set.copyOf",
          "java.util.Map.of",
          "java.util.Map.ofEntries",
          "java.util.Map.copyOf",
          "java.util.stream.Collectors.toSet",
          "java.util.stream.Collectors.toUnmodifiableSet",
          "java.util.stream.Collectors.toMap",
          "java.util.stream.Collectors.toUnmodifiableMap",
          "java.util.stream.BaseStream.parallel",
          "java.util.Collection.parallelStream",
          "java.lang.System.identityHashCode");

  private static boolean isForbidden(String call) {
    return FORBIDDEN.contains(call)
        || FORBIDDEN.contains(call.substring(0, call.lastIndexOf('.')) + ".*");
  }

  /** Nothing below the runtime iterates in an order that differs between runs. */
  public static ArchRule nothingHasAnOrderOfHashes(String packages) {
    return noClasses().that().resideInAPackage(packages).should(call(HASH_ORDERED::contains));
  }

  /** Owner and name; empty for the factories of the empty, which have one order only. */
  private static String nameOf(JavaCodeUnitAccess<?> access) {
    AccessTarget.CodeUnitAccessTarget target = access.getTarget();
    return target.getName().equals("of") && target.getRawParameterTypes().isEmpty()
        ? "."
        : target.getOwner().getFullName() + "." + target.getName();
  }

  private static Stream<JavaCodeUnitAccess<?>> callsAndReferences(JavaCodeUnit unit) {
    return Stream.of(
            unit.getCallsFromSelf(),
            unit.getMethodReferencesFromSelf(),
            unit.getConstructorReferencesFromSelf())
        .flatMap(Collection::stream);
  }

  private static ArchCondition<JavaClass> call(Predicate<String> forbidden) {
    return new ArchCondition<>("call what only the runtime may") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        type.getCodeUnits().stream()
            .flatMap(ModuleRules::callsAndReferences)
            .filter(found -> forbidden.test(nameOf(found)))
            .forEach(
                found -> events.add(SimpleConditionEvent.satisfied(found, found.getDescription())));
      }
    };
  }
}
