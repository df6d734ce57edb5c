package dev.troupe.simulation.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An actor that throws as by a bug is dealt with by whatever supervises it. */
class CrashTest {

  /** The ways to write a behaviour. */
  enum Style {
    BUILT,
    CLASS,
    LAMBDA
  }

  private final SimulatedSystem system = SimulatedSystem.create();
  private final Probe<String> heard = system.probe("heard");

  @AfterEach
  void close() {
    system.close();
  }

  private Behavior<String> child(Style style) {
    return Behaviors.setup(
        context -> {
          heard.ref().tell("started");
          return switch (style) {
            case BUILT ->
                Behaviors.receive(String.class)
                    .onMessage(String.class, this::hear)
                    .onSignal(PreRestart.class, signal -> restarting())
                    .onSignal(PostStop.class, signal -> stopped())
                    .build();
            case CLASS -> new Child(context);
            case LAMBDA -> Behaviors.receiveMessage(this::hear);
          };
        });
  }

  private final class Child extends AbstractBehavior<String> {
    Child(ActorContext<String> context) {
      super(context);
    }

    @Override
    public Receive<String> createReceive() {
      return newReceiveBuilder()
          .onMessage(String.class, CrashTest.this::hear)
          .onSignal(PreRestart.class, signal -> restarting())
          .onSignal(PostStop.class, signal -> stopped())
          .build();
    }
  }

  private Behavior<String> hear(String message) {
    heard.ref().tell(message);
    return Behaviors.same();
  }

  private Behavior<String> restarting() {
    heard.ref().tell("restarting");
    return Behaviors.same();
  }

  private Behavior<String> stopped() {
    heard.ref().tell("stopped");
    return Behaviors.same();
  }

  private ActorRef<String> parentOf(Behavior<String> child) {
    return system.spawn(
        Behaviors.setup(
            context -> {
              ActorRef<String> ref = context.spawn(child, "child");
              return Behaviors.receiveMessage(
                  message -> {
                    ref.tell(message);
                    return Behaviors.same();
                  });
            }),
        "parent");
  }

  @ParameterizedTest
  @EnumSource
  void aSupervisedChildIsRestartedAsOftenAsItCrashes(Style style) {
    ActorRef<String> parent =
        parentOf(
            Behaviors.supervise(child(style))
                .onFailure(IllegalStateException.class, SupervisorStrategy.restart()));
    for (int i = 0; i < 3; i++) {
      heard.expect("started");
      parent.tell("accepted before " + i);
      system.crash(parent, "child", new IllegalStateException("a bug"));
      heard.expect("accepted before " + i);
      if (style != Style.LAMBDA) {
        heard.expect("restarting");
      }
    }
    heard.expect("started");
    heard.expectNone();
    assertEquals(2, system.children(parent).size());
  }

  @ParameterizedTest
  @EnumSource
  void aChildThatResumesGoesOn(Style style) {
    ActorRef<String> parent =
        parentOf(
            Behaviors.supervise(child(style))
                .onFailure(IllegalStateException.class, SupervisorStrategy.resume()));
    system.crash(parent, "child", new IllegalStateException("a bug"));
    system.crash(parent, "child", new IllegalStateException("another"));
    parent.tell("still here");
    heard.expect("started");
    heard.expect("still here");
    heard.expectNone();
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNotSupervisedStops(Style style) {
    ActorRef<String> parent = parentOf(child(style));
    system.crash(parent, "child", new IllegalStateException("a bug"));
    assertEquals(1, system.children(parent).size());
    system.crash(parent, "", new IllegalStateException("a bug"));
    assertTrue(system.hasStopped(parent));
  }

  @Test
  void supervisionOfOtherExceptionsDoesNotAct() {
    ActorRef<String> parent =
        parentOf(
            Behaviors.supervise(child(Style.BUILT))
                .onFailure(IllegalStateException.class, SupervisorStrategy.restart()));
    system.crash(parent, "child", new IllegalArgumentException("another bug"));
    assertEquals(1, system.children(parent).size());
  }

  @Test
  void anActorThatIsNotThereIsRefusedWithThoseThatAre() {
    ActorRef<String> parent = parentOf(child(Style.BUILT));
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> system.crash(parent, "chil", new IllegalStateException()));
    assertEquals(
        "there is no actor /user/parent/chil, but [/user/parent, /user/parent/child]",
        refused.getMessage());
    assertFalse(system.hasStopped(parent));
  }

  @Test
  void aFailedRunIsToldOnceItIsDriven() {
    SimulatedSystem failed = SimulatedSystem.create(7, Order.FIFO);
    failed.fail("something is not replayable");
    SimulationFailure failure = assertThrows(SimulationFailure.class, failed::runUntilIdle);
    assertTrue(failure.getMessage().startsWith("something is not replayable at 0 ns"));
    assertTrue(failure.getMessage().contains("seed=7"));
    failed.close();
  }
}
