package dev.troupe.simulation.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.simulation.kernel.Order;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What a scenario can do to its network. */
class RunTest {

  private static void play(int faults, Consumer<Run> what) {
    Parameters parameters =
        new Parameters("play", 2, 1, Duration.ofMinutes(1), Fidelity.HOST, Order.FIFO, faults);
    Result result = Run.of(new Play("play", what), parameters, List.of(), run -> {}, run -> {});
    assertTrue(result.isClean(), () -> result.violations().toString());
  }

  @Test
  void aBouncedPeerIsBackAfterTheOutageInItsTopics() {
    play(
        Parameters.ALL_FAULTS,
        run -> {
          Node node = run.cluster().start("alice", UnaryOperator.identity());
          run.cluster().subscribe(node, "lobby");
          run.advance(Duration.ofSeconds(5));
          long failed = run.cluster().system().now();
          run.bounce(node, Duration.ofSeconds(7));
          run.advance(Duration.ofSeconds(7).minusNanos(1));
          assertFalse(node.isUp());
          run.advance(Duration.ofNanos(1));
          assertTrue(node.isUp());
          assertEquals(failed + Duration.ofSeconds(7).toNanos(), node.startedAt());
          assertEquals(Set.of("lobby"), Set.copyOf(node.topics()));
        });
  }

  @Test
  void churnReplacesAtItsRateUntilItsEnd() {
    play(
        Parameters.ALL_FAULTS,
        run -> {
          Node victim = run.cluster().start("alice", UnaryOperator.identity());
          List<Long> times = new ArrayList<>();
          List<Integer> numbers = new ArrayList<>();
          Duration length = Duration.ofMinutes(20);
          long end = run.cluster().system().now() + length.toNanos();
          run.churn(
              30,
              length,
              () -> victim,
              number -> {
                assertFalse(victim.isUp());
                times.add(run.cluster().system().now());
                numbers.add(number);
                run.cluster().restart(victim);
              });
          run.advance(length.plusMinutes(5));
          // Six hundred on average; four standard deviations of a Poisson process are a hundred.
          assertTrue(Math.abs(times.size() - 600) < 100, () -> times.size() + " replaced");
          assertTrue(times.stream().allMatch(time -> time < end));
          for (int i = 0; i < numbers.size(); i++) {
            assertEquals(i + 1, numbers.get(i));
          }
          assertTrue(victim.isUp());
        });
  }

  @Test
  void faultsBeyondTheParametersAreLeftOutAndCounted() {
    List<String> happened = new ArrayList<>();
    play(
        1,
        run -> {
          run.fault(() -> happened.add("first"));
          run.fault(() -> happened.add("second"));
          assertEquals(2, run.faults());
        });
    assertEquals(List.of("first"), happened);
  }

  @Test
  void theAgendaIsKeptInOrderOfTimeAndOfEntry() {
    List<String> happened = new ArrayList<>();
    play(
        Parameters.ALL_FAULTS,
        run -> {
          run.after(Duration.ofSeconds(2), () -> happened.add("third"));
          run.after(Duration.ofSeconds(1), () -> happened.add("first"));
          run.after(
              Duration.ofSeconds(1),
              () -> {
                happened.add("second");
                run.after(Duration.ZERO, () -> happened.add("at once"));
              });
          run.advance(Duration.ofSeconds(3));
        });
    assertEquals(List.of("first", "second", "at once", "third"), happened);
  }
}
