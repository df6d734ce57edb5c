package dev.troupe.simulation.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.troupe.simulation.kernel.SimulationFailure;
import example.guarded.Breaches;
import example.guarded.Failing;
import example.guarded.Honest;
import example.guarded.Refused;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.platform.engine.TestEngine;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Tests of somebody else, run by JUnit, with what becomes of them. */
class SimulatedTest {

  /** How each test, or container that failed, went: by its display names, outermost first. */
  private static Map<String, TestExecutionResult> run(
      Class<?> test, Map<String, String> parameters) {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectClass(test))
            .configurationParameters(parameters)
            .build();
    Launcher launcher =
        LauncherFactory.create(
            LauncherConfig.builder()
                .enableTestEngineAutoRegistration(false)
                .enableTestExecutionListenerAutoRegistration(false)
                .addTestEngines(jupiter())
                .build());
    Map<String, TestExecutionResult> results = new LinkedHashMap<>();
    Map<String, String> names = new LinkedHashMap<>();
    PrintStream err = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
    try {
      launcher.execute(request, listener(names, results));
    } finally {
      System.setErr(err);
    }
    return results;
  }

  private static TestExecutionListener listener(
      Map<String, String> names, Map<String, TestExecutionResult> results) {
    return new TestExecutionListener() {
      @Override
      public void executionStarted(TestIdentifier each) {
        String parent = each.getParentId().map(names::get).orElse("");
        names.put(each.getUniqueId(), parent + "/" + each.getDisplayName());
      }

      @Override
      public void executionFinished(TestIdentifier each, TestExecutionResult result) {
        if (each.isTest() || result.getThrowable().isPresent()) {
          results.put(names.get(each.getUniqueId()), result);
        }
      }
    };
  }

  private static TestEngine jupiter() {
    for (TestEngine engine : ServiceLoader.load(TestEngine.class)) {
      if (engine.getId().equals("junit-jupiter")) {
        return engine;
      }
    }
    throw new AssertionError("no engine of JUnit Jupiter");
  }

  private static Throwable failure(TestExecutionResult result) {
    return result.getThrowable().orElseThrow(() -> new AssertionError("did not fail"));
  }

  @Test
  void eachForbiddenCallFailsTheRunAndIsNamedThoughTheActorSwallowsIt() {
    Map<String, TestExecutionResult> results = run(Breaches.class, Map.of());
    Map<String, String> expected = Breaches.expected();
    assertEquals(expected.size(), results.size());
    List<String> wrong = new ArrayList<>();
    for (Map.Entry<String, String> each : expected.entrySet()) {
      TestExecutionResult result =
          results.entrySet().stream()
              .filter(found -> found.getKey().endsWith("/" + each.getKey()))
              .findFirst()
              .orElseThrow()
              .getValue();
      Throwable failure = result.getThrowable().orElse(null);
      String message = failure == null ? "" : String.valueOf(failure.getMessage());
      if (!(failure instanceof SimulationFailure)
          || !message.contains(" calls " + each.getValue() + ": ")
          || !message.startsWith("example.guarded.Breaches")
          || !message.matches("(?s).*\\(Breaches\\.java:[0-9]+\\).*")
          || !message.contains("seed=5")) {
        wrong.add(each + ": " + failure);
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void anHonestTestPassesAndOneSeedGivesOneTrace() {
    PrintStream out = System.out;
    List<Map<String, String>> traces = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      ByteArrayOutputStream written = new ByteArrayOutputStream();
      System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
      try {
        Map<String, TestExecutionResult> results = run(Honest.class, Map.of());
        results.forEach(
            (name, result) ->
                assertEquals(
                    TestExecutionResult.Status.SUCCESSFUL, result.getStatus(), name + result));
        assertEquals(3 * 5, results.size());
      } finally {
        System.setOut(out);
      }
      Map<String, String> found = new TreeMap<>();
      written
          .toString(StandardCharsets.UTF_8)
          .lines()
          .filter(line -> line.startsWith("TRACE "))
          .map(line -> line.split(" "))
          .forEach(parts -> found.put(parts[1], parts[2]));
      traces.add(found);
    }
    assertEquals(List.of("1", "2", "7"), List.copyOf(traces.get(0).keySet()));
    assertEquals(3, traces.get(0).values().stream().distinct().count());
    assertEquals(traces.get(0), traces.get(1));
  }

  @Test
  void aFailureSaysHowToReplayItAndThatReplaysIt() {
    Map<String, TestExecutionResult> results = run(Failing.class, Map.of());
    assertEquals(6, results.size());
    List<String> failed =
        results.entrySet().stream()
            .filter(each -> each.getValue().getThrowable().isPresent())
            .map(Map.Entry::getKey)
            .toList();
    assertEquals(1, failed.size());
    assertTrue(failed.get(0).endsWith("/seed 4/random/host"), failed.get(0));
    Throwable failure = failure(results.get(failed.get(0)));
    String line = failure.getSuppressed()[0].toString();
    assertEquals(
        "replay: -Dtest='example.guarded.Failing#withOneSeedOfSix'"
            + " -Dtroupe.simulated=4/random/host",
        line);

    String token = line.substring(line.lastIndexOf('=') + 1);
    Map<String, TestExecutionResult> again = run(Failing.class, Map.of("troupe.simulated", token));
    assertEquals(1, again.size());
    Throwable same = failure(again.values().iterator().next());
    assertEquals(failure.getMessage(), same.getMessage());
    assertInstanceOf(AssertionError.class, same);
  }

  @ParameterizedTest
  @CsvSource({
    "x/random/host, SEED/ORDER/FIDELITY",
    "7, SEED/ORDER/FIDELITY",
    "7/sorted/host, order:",
    "7/fifo/paper, fidelity:"
  })
  void aReplayThatCannotBeUnderstoodIsRefused(String token, String said) {
    Map<String, TestExecutionResult> results =
        run(Failing.class, Map.of("troupe.simulated", token));
    assertEquals(1, results.size());
    assertContains(said, failure(results.values().iterator().next()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "NoSeeds          | not 'one'",
        "Backwards        | not '9..3'",
        "TooMany          | 100000 at most",
        "BeforeThemAll    | use @BeforeEach and @AfterEach",
        "OneForAll        | use @BeforeEach and @AfterEach",
        "InTheConstructor | a Simulation is a parameter of test methods",
        "BreachInAField   | BreachInAField.<init> (Refused.java:",
        "BreachInALibrary | ch.qos.logback.core.status.StatusBase.<init> (StatusBase.java:",
        "GuardedArgument  | takes no parameter of a class that is guarded",
      })
  void whatCannotBeSimulatedIsRefused(String name, String said) throws ClassNotFoundException {
    Map<String, TestExecutionResult> results =
        run(Class.forName(Refused.class.getName() + "$" + name), Map.of());
    List<Throwable> failures =
        results.values().stream().flatMap(each -> each.getThrowable().stream()).toList();
    assertFalse(failures.isEmpty());
    assertContains(said, failures.get(0));
  }

  private static void assertContains(String said, Throwable failure) {
    assertTrue(String.valueOf(failure.getMessage()).contains(said), String.valueOf(failure));
  }
}
