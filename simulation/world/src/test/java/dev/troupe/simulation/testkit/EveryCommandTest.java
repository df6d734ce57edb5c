package dev.troupe.simulation.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

class EveryCommandTest {

  private record Command(String what, ActorRef<String> replyTo) {}

  private static final Duration SECOND = Duration.ofSeconds(1);

  private static Behavior<Command> answeringOnlyOnce(String unanswered, String twice) {
    return Behaviors.receiveMessage(
        command -> {
          if (!command.what().equals(unanswered)) {
            command.replyTo().tell("done");
          }
          if (command.what().equals(twice)) {
            command.replyTo().tell("done again");
          }
          return Behaviors.same();
        });
  }

  private static EveryCommand<Command> every() {
    return EveryCommand.<Command>of()
        .with("open", (ActorRef<String> to) -> new Command("open", to))
        .with("close", (ActorRef<String> to) -> new Command("close", to));
  }

  @Simulated
  void itPassesWhenEachIsAnsweredOnce(Simulation sim) {
    every()
        .in("new", () -> sim.spawn(answeringOnlyOnce("", ""), "new"))
        .in("old", () -> sim.spawn(answeringOnlyOnce("", ""), "old"))
        .assertAnswered(sim, SECOND);
    assertEquals(Duration.ofSeconds(2), sim.now());
  }

  @Simulated
  void itNamesEachStateAndCommandThatWasNot(Simulation sim) {
    AssertionError wrong =
        assertThrows(
            AssertionError.class,
            () ->
                every()
                    .in("good", () -> sim.spawn(answeringOnlyOnce("", ""), "good"))
                    .in("bad", () -> sim.spawn(answeringOnlyOnce("open", "close"), "bad"))
                    .assertAnswered(sim, SECOND));
    List<String> lines = wrong.getMessage().lines().map(String::strip).toList();
    assertTrue(lines.get(0).contains("seed=0"), wrong.getMessage());
    assertEquals(
        List.of(
            "bad: open was not answered", "bad: close was answered 2 times: [done, done again]"),
        lines.subList(1, lines.size()));
  }

  @Simulated
  void theAnswersCanBeLookedAt(Simulation sim) {
    EveryCommand.Asked asked = every().ask(sim, sim.spawn(answeringOnlyOnce("", ""), "actor"));
    assertEquals(List.of(), asked.answers("open"));
    asked.assertAnswered(SECOND);
    assertEquals(List.of("done"), asked.answers("open"));
    assertThrows(IllegalArgumentException.class, () -> asked.answers("shut"));
  }

  @Simulated
  void twoOfOneNameAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> every().with("open", (ActorRef<String> to) -> new Command("open", to)));
  }
}
