package dev.troupe.simulation.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What of a message decides the trace. */
class TraceTest {

  private record Said(@Nullable Object what) {}

  private record Inner(String name, long number) {}

  private enum Colour {
    RED,
    BLUE
  }

  /** Comparable and hashed by its value, as identities and addresses are. */
  private static final class Address implements Comparable<Address> {
    private final String text;

    Address(String text) {
      this.text = text;
    }

    @Override
    public int compareTo(Address other) {
      return text.compareTo(other.text);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Address that && text.equals(that.text);
    }

    @Override
    public int hashCode() {
      return Objects.hash(text);
    }
  }

  private static long traceOf(@Nullable Object what) {
    try (SimulatedSystem system = SimulatedSystem.create()) {
      Probe<Said> probe = system.probe();
      probe.ref().tell(new Said(what));
      system.runUntilIdle();
      return system.traceHash();
    }
  }

  static Stream<Arguments> whatDiffers() {
    return Stream.of(
        Arguments.of(1, 2),
        Arguments.of(1L, 2L),
        Arguments.of(0.1, 0.2),
        Arguments.of("a", "b"),
        Arguments.of(Colour.RED, Colour.BLUE),
        Arguments.of(new byte[] {1, 2}, new byte[] {2, 1}),
        Arguments.of(ByteBuffer.wrap(new byte[] {1}), ByteBuffer.wrap(new byte[] {2})),
        Arguments.of(ByteString.fromArray(new byte[] {1}), ByteString.fromArray(new byte[] {2})),
        Arguments.of(new Inner("a", 1), new Inner("a", 2)),
        Arguments.of(true, false),
        Arguments.of(new Address("/ip4/1.2.3.4"), new Address("/ip4/1.2.3.5")),
        Arguments.of(List.of(new Address("/ip4/1.2.3.4")), List.of(new Address("/ip4/1.2.3.5"))),
        Arguments.of(Duration.ofSeconds(1), Duration.ofSeconds(2)),
        Arguments.of(Optional.of(1), Optional.of(2)),
        Arguments.of(Optional.of(1), Optional.empty()),
        Arguments.of(List.of(1, 2), List.of(2, 1)),
        Arguments.of(new LinkedHashSet<>(List.of(1, 2)), new LinkedHashSet<>(List.of(1, 3))),
        Arguments.of(Map.of("a", 1), Map.of("b", 1)),
        Arguments.of(Map.of("a", 1), Map.of("a", 2)),
        Arguments.of(Map.of("a", 1, "b", 2), Map.of("a", 2, "b", 1)),
        Arguments.of(null, "a"));
  }

  @ParameterizedTest
  @MethodSource("whatDiffers")
  void messagesThatDifferHaveOtherTraces(@Nullable Object one, @Nullable Object other) {
    assertEquals(traceOf(one), traceOf(one));
    assertNotEquals(traceOf(one), traceOf(other));
  }

  @Test
  void theOrderOfSetsAndMapsIsNoPartOfIt() {
    assertEquals(
        traceOf(new LinkedHashSet<>(List.of("a", "b", "c"))),
        traceOf(new LinkedHashSet<>(List.of("c", "a", "b"))));
    Map<String, Integer> turned = new LinkedHashMap<>();
    turned.put("b", 2);
    turned.put("a", 1);
    Map<String, Integer> straight = new LinkedHashMap<>();
    straight.put("a", 1);
    straight.put("b", 2);
    assertEquals(traceOf(straight), traceOf(turned));
  }

  @Test
  void whatHasNoValueIsItsClass() {
    assertEquals(traceOf(new Object()), traceOf(new Object()));
    assertNotEquals(traceOf(new Object()), traceOf(new Thread()));
  }

  @Test
  void withoutASeedThereIsNoRun() {
    IllegalStateException refused =
        assertThrows(IllegalStateException.class, () -> new AmbientRandomness(1, null));
    assertTrue(String.valueOf(refused.getMessage()).contains("sun-misc-unsafe-memory-access"));
  }
}
