package dev.troupe.simulation.scenarios;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ScenariosTest {

  static Stream<String> names() {
    return Scenarios.all().stream().map(Scenario::name);
  }

  @Test
  void whereAllOfTheNearestLieTheScenarioSaysSo() {
    Scenario scenario = new SybilNeighbours(20);
    Parameters parameters =
        new Parameters(
            scenario.name(),
            20,
            1,
            scenario.length(),
            Fidelity.HOST,
            Order.RANDOM,
            Parameters.ALL_FAULTS);
    Result result = Run.of(scenario, parameters);
    assertTrue(
        result.violations().get(0).toString().contains("ended with"),
        result.violations()::toString);
  }

  @Test
  void whereNobodyHasRoomForRecordsTheScenarioSaysHowFewAreFound() {
    DhtSettings.Limits one = new DhtSettings.Limits(1000, 64, 200, 5000, 128, 1, 1);
    Scenario scenario =
        new HalfReplaced(settings -> settings.withDht(settings.dht().withLimits(one)));
    Parameters parameters =
        new Parameters(
            scenario.name(),
            40,
            1,
            Duration.ofMinutes(10),
            Fidelity.HOST,
            Order.RANDOM,
            Parameters.ALL_FAULTS);
    Result result = Run.of(scenario, parameters);
    assertTrue(
        result.violations().get(0).toString().contains("lookups found what is there"),
        result.violations()::toString);
  }

  @Test
  void whereNothingCanBePutTheScenarioSaysSo() {
    Namespace refusing =
        new Namespace() {
          @Override
          public void validate(Bytes key, Bytes value) throws InvalidRecordException {
            throw new InvalidRecordException("nothing is valid here");
          }

          @Override
          public int select(Bytes key, List<Bytes> values) {
            return 0;
          }
        };
    Namespaces namespaces = Namespaces.BUILT_IN.with("test", refusing);
    Scenario scenario =
        new HalfReplaced(settings -> settings.withDht(settings.dht().withNamespaces(namespaces)));
    Result result = Run.of(scenario, Parameters.parse("half-replaced/20/1/120s/host/random/all"));
    assertTrue(
        result.violations().get(0).toString().contains("values and providers were published"),
        result.violations()::toString);
  }

  @Test
  void whereValuesAreNotLookedUpTheScenarioSaysSo() {
    Result result =
        Run.of(new HalfReplaced(), Parameters.parse("half-replaced/20/1/1s/host/random/all"));
    assertTrue(
        result.violations().get(0).toString().contains("only 1 of 3 kinds were looked up"),
        result.violations()::toString);
  }

  @Test
  void theBoundOfHopsIsTheLogarithmRoundedUp() {
    assertEquals(
        List.of(1, 2, 2, 10, 10, 11),
        Stream.of(2, 3, 4, 1000, 1024, 1025).map(HalfReplaced::bound).toList());
  }

  @Test
  void everythingFailsWithTwoPeersAsWell() {
    for (long seed = 1; seed <= 10; seed++) {
      Result result =
          Run.of(
              Scenarios.named("everything-fails"),
              Parameters.parse("everything-fails/2/" + seed + "/60s/host/random/all"));
      assertEquals(List.of(), result.violations(), "seed " + seed);
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void isCleanAndReplays(String name) {
    Scenario scenario = Scenarios.named(name);
    Parameters parameters =
        new Parameters(
            name,
            Math.min(25, scenario.peers()),
            1,
            scenario.length(),
            Fidelity.HOST,
            Order.RANDOM,
            Parameters.ALL_FAULTS);
    Result first = Run.of(scenario, parameters);
    assertEquals(List.of(), first.violations(), parameters.token());
    assertEquals(first, Run.of(scenario, Parameters.parse(parameters.token())));
  }
}
