package dev.troupe.simulation.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.Test;
import scala.concurrent.Await;
import scala.concurrent.Promise;

final class SimulatedSystemTest {

  record Ping(int number, ActorRef<String> replyTo) {}

  private static Behavior<Ping> echo() {
    return Behaviors.receiveMessage(
        ping -> {
          if (ping.number() < 0) {
            throw new IllegalArgumentException("negative");
          }
          ping.replyTo().tell("pong " + ping.number());
          return Behaviors.same();
        });
  }

  @Test
  void nothingRunsUntilDriven() {
    try (SimulatedSystem system = SimulatedSystem.create()) {
      Probe<String> probe = system.probe();
      ActorRef<Ping> echo = system.spawn(echo(), "echo");
      echo.tell(new Ping(1, probe.ref()));
      assertEquals(List.of(), probe.received());
      assertEquals("pong 1", probe.expect(String.class));
      probe.expectNone();
      assertEquals(0, system.now());
    }
  }

  @Test
  void timersFireInOrderOfTimeAndTiesInOrderOfScheduling() {
    try (SimulatedSystem system = SimulatedSystem.create()) {
      List<String> fired = new ArrayList<>();
      system.schedule(Duration.ofSeconds(2), () -> fired.add("c"));
      system.schedule(Duration.ofSeconds(1), () -> fired.add("a"));
      system.schedule(Duration.ofSeconds(1), () -> fired.add("b"));
      system.schedule(Duration.ofSeconds(2).plusNanos(1), () -> fired.add("d"));
      Cancellable cancelled = system.schedule(Duration.ofSeconds(1), () -> fired.add("x"));
      assertTrue(cancelled.cancel());
      assertFalse(cancelled.cancel());
      system.advance(Duration.ofSeconds(2));
      assertEquals(List.of("a", "b", "c"), fired);
      assertEquals(TimeUnit.SECONDS.toNanos(2), system.now());
      assertEquals(SimulatedSystem.EPOCH.plusSeconds(2), system.clock().instant());
      system.advance(Duration.ofNanos(1));
      assertEquals(List.of("a", "b", "c", "d"), fired);
    }
  }

  @Test
  void manyCancelledTimersDoNotPileUp() {
    try (SimulatedSystem system = SimulatedSystem.create()) {
      List<String> fired = new ArrayList<>();
      system.schedule(Duration.ofHours(1), () -> fired.add("kept"));
      for (int i = 0; i < 100_000; i++) {
        system.schedule(Duration.ofHours(2), () -> fired.add("cancelled")).cancel();
      }
      system.advance(Duration.ofHours(3));
      assertEquals(List.of("kept"), fired);
    }
  }

  @Test
  void actorTimersAndReceiveTimeoutsAndFixedRatesRunOnVirtualTime() {
    try (SimulatedSystem system = SimulatedSystem.create()) {
      Probe<Long> probe = system.probe();
      system.spawn(
          Behaviors.<String>withTimers(
              timers -> {
                timers.startTimerAtFixedRate("tick", Duration.ofMillis(250));
                return Behaviors.receiveMessage(
                    tick -> {
                      probe.ref().tell(TimeUnit.NANOSECONDS.toMillis(system.now()));
                      return probe.received().size() == 3 ? Behaviors.stopped() : Behaviors.same();
                    });
              }),
          "ticker");
      system.advance(Duration.ofSeconds(10));
      assertEquals(List.of(250L, 500L, 750L, 1000L), probe.received());
      Probe<Object> timeout = system.probe();
      system.spawn(
          Behaviors.setup(
              context -> {
                context.setReceiveTimeout(Duration.ofSeconds(3), "idle");
                return Behaviors.receiveMessage(
                    message -> {
                      timeout.ref().tell(message);
                      return Behaviors.stopped();
                    });
              }),
          "idle");
      timeout.expectNone(Duration.ofMillis(2_999));
      system.advance(Duration.ofMillis(1));
      timeout.expect("idle");
    }
  }

  @Test
  void aForeignThreadFailsTheRunAndIsNamed() throws InterruptedException {
    SimulatedSystem system = SimulatedSystem.create(7, Order.FIFO);
    Probe<String> probe = system.probe();
    system.runUntilIdle();
    ActorRef<String> ref = probe.ref();
    List<Throwable> thrown = new ArrayList<>();
    Thread thread = new Thread(() -> ref.tell("from outside"), "an-intruder");
    thread.setUncaughtExceptionHandler((t, e) -> thrown.add(e));
    thread.start();
    thread.join();
    assertEquals(1, thrown.size());
    SimulationFailure failure = assertThrows(SimulationFailure.class, system::runUntilIdle);
    assertTrue(failure.getMessage().contains("an-intruder"), failure::getMessage);
    assertTrue(failure.getMessage().contains("seed=7"), failure::getMessage);
    assertInstanceOf(IllegalStateException.class, failure.getCause());
    assertEquals(List.of(), probe.received());
    system.close();
  }

  @Test
  void aCallbackThatHopsToTheCommonPoolFailsTheRun() {
    SimulatedSystem system = SimulatedSystem.create();
    Probe<String> probe = system.probe();
    system.runUntilIdle();
    java.util.concurrent.CompletableFuture<Void> hop =
        java.util.concurrent.CompletableFuture.runAsync(() -> probe.ref().tell("hop"));
    assertThrows(java.util.concurrent.CompletionException.class, hop::join);
    assertThrows(SimulationFailure.class, () -> system.advance(Duration.ofSeconds(1)));
    system.close();
  }

  @Test
  void blockingFailsTheRunEvenUnderSupervision() {
    SimulatedSystem system = SimulatedSystem.create();
    ActorRef<String> blocking =
        system.spawn(
            Behaviors.supervise(
                    Behaviors.<String>receiveMessage(
                        message -> {
                          Await.result(
                              Promise.<String>apply().future(),
                              scala.concurrent.duration.Duration.create(1, TimeUnit.HOURS));
                          return Behaviors.same();
                        }))
                .onFailure(SupervisorStrategy.resume()),
            "blocking");
    blocking.tell("go");
    SimulationFailure failure = assertThrows(SimulationFailure.class, system::runUntilIdle);
    assertTrue(failure.getMessage().contains("blocked"), failure::getMessage);
    system.close();
  }

  @Test
  void anExceptionInATaskFailsTheRun() {
    SimulatedSystem system = SimulatedSystem.create();
    system.schedule(
        Duration.ofSeconds(1),
        () -> {
          throw new IllegalStateException("broken link");
        });
    system.runUntilIdle();
    SimulationFailure failure =
        assertThrows(SimulationFailure.class, () -> system.advance(Duration.ofSeconds(2)));
    assertTrue(failure.getMessage().contains("broken link"), failure::getMessage);
    system.close();
  }

  @Test
  void aFailureIsToldOnceSoThatTryWithResourcesKeepsIt() {
    SimulationFailure failure =
        assertThrows(
            SimulationFailure.class,
            () -> {
              try (SimulatedSystem system = SimulatedSystem.create()) {
                system.execute(
                    () -> {
                      throw new IllegalStateException("broken link");
                    });
                system.runUntilIdle();
              }
            });
    assertTrue(failure.getMessage().contains("broken link"), failure::getMessage);
  }

  @Test
  void aFailureThatNobodyWasToldIsThrownOnClose() throws InterruptedException {
    SimulatedSystem system = SimulatedSystem.create();
    Probe<String> probe = system.probe();
    ActorRef<String> ref = probe.ref();
    Thread thread = new Thread(() -> ref.tell("late"), "late-intruder");
    thread.setUncaughtExceptionHandler((t, e) -> {});
    thread.start();
    thread.join();
    assertThrows(SimulationFailure.class, system::close);
    system.close();
  }

  @Test
  void theSimulationIsNotDrivenFromItsOwnEvents() {
    SimulatedSystem system = SimulatedSystem.create();
    system.execute(() -> system.advance(Duration.ofSeconds(1)));
    assertThrows(SimulationFailure.class, system::runUntilIdle);
    system.close();
  }

  @Test
  void anActorThatFailsUnsupervisedStopsAndTheRunGoesOn() {
    try (SimulatedSystem system = SimulatedSystem.create()) {
      Probe<String> probe = system.probe();
      ActorRef<Ping> echo = system.spawn(echo(), "echo");
      probe.watch(echo);
      echo.tell(new Ping(-1, probe.ref()));
      probe.expectTerminated(echo);
      ActorRef<Ping> again = system.spawn(echo(), "echo");
      again.tell(new Ping(2, probe.ref()));
      probe.expect("pong 2");
      probe.watch(again);
      system.stop(again);
      probe.expectTerminated(again);
    }
  }

  @Test
  void restartsWithBackoffOnVirtualTime() {
    try (SimulatedSystem system = SimulatedSystem.create()) {
      Probe<Object> probe = system.probe();
      ActorRef<String> ref =
          system.spawn(
              Behaviors.supervise(
                      Behaviors.<String>setup(
                          context -> {
                            probe.ref().tell("started");
                            return Behaviors.receiveMessage(
                                message -> {
                                  if (message.equals("crash")) {
                                    throw new IllegalStateException("crash");
                                  }
                                  probe.ref().tell(message);
                                  return Behaviors.same();
                                });
                          }))
                  .onFailure(
                      SupervisorStrategy.restartWithBackoff(
                          Duration.ofSeconds(1), Duration.ofSeconds(8), 0.0)),
              "restarting");
      probe.expect("started");
      ref.tell("crash");
      ref.tell("kept meanwhile");
      probe.expectNone(Duration.ofMillis(999));
      system.advance(Duration.ofMillis(1));
      probe.expect("started");
      probe.expect("kept meanwhile");
      ref.tell("crash");
      probe.expectNone(Duration.ofMillis(1_999));
      system.advance(Duration.ofMillis(1));
      probe.expect("started");
    }
  }

  @Test
  void stashedMessagesKeepTheirOrder() {
    for (Order order : Order.values()) {
      try (SimulatedSystem system = SimulatedSystem.create(3, order)) {
        Probe<String> probe = system.probe();
        ActorRef<String> ref =
            system.spawn(
                Behaviors.<String>withStash(
                    100,
                    stash ->
                        Behaviors.receiveMessage(
                            message -> {
                              if (message.equals("open")) {
                                return stash.unstashAll(
                                    Behaviors.receiveMessage(
                                        later -> {
                                          probe.ref().tell(later);
                                          return Behaviors.same();
                                        }));
                              }
                              stash.stash(message);
                              return Behaviors.same();
                            })),
                "stashing");
        for (String message : List.of("a", "b", "c", "open", "d")) {
          ref.tell(message);
        }
        system.runUntilIdle();
        assertEquals(List.of("a", "b", "c", "d"), probe.received());
      }
    }
  }

  @Test
  void streamsWithAsyncIslandsRun() {
    try (SimulatedSystem system = SimulatedSystem.create(5, Order.RANDOM)) {
      Probe<Integer> probe = system.probe();
      system.execute(
          () ->
              Source.range(1, 100)
                  .map(i -> i * 2)
                  .async()
                  .grouped(10)
                  .async()
                  .map(List::size)
                  .to(Sink.foreach(size -> probe.ref().tell(size)))
                  .run(system.system()));
      system.runUntilIdle();
      assertEquals(10, probe.received().size());
    }
  }

  @Test
  void serialExecutorsKeepOrderAndSurviveAFailingNeighbour() {
    try (SimulatedSystem system = SimulatedSystem.create(11, Order.RANDOM)) {
      Executor a = system.serialExecutor("a");
      Executor b = system.serialExecutor("b");
      List<String> ran = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        int number = i;
        a.execute(() -> ran.add("a" + number));
        b.execute(() -> ran.add("b" + number));
      }
      system.runUntilIdle();
      List<String> onlyA = ran.stream().filter(s -> s.startsWith("a")).toList();
      List<String> sorted = new ArrayList<>(onlyA);
      sorted.sort(java.util.Comparator.comparingInt(s -> Integer.parseInt(s.substring(1))));
      assertEquals(sorted, onlyA);
      assertEquals(100, ran.size());
      assertNotEquals(
          java.util.stream.IntStream.range(0, 50)
              .boxed()
              .flatMap(i -> java.util.stream.Stream.of("a" + i, "b" + i))
              .toList(),
          ran);
    }
  }

  @Test
  void runUntilStopsAtTheEventThatMakesItTrue() {
    try (SimulatedSystem system = SimulatedSystem.create()) {
      int[] ticks = {0};
      Runnable[] tick = new Runnable[1];
      tick[0] =
          () -> {
            ticks[0]++;
            system.schedule(Duration.ofSeconds(1), tick[0]);
          };
      system.execute(tick[0]);
      system.runUntil(() -> ticks[0] == 5, Duration.ofSeconds(10));
      assertEquals(TimeUnit.SECONDS.toNanos(4), system.now());
      assertFalse(system.tryRunUntil(() -> ticks[0] == 100, Duration.ofSeconds(10)));
      assertEquals(TimeUnit.SECONDS.toNanos(14), system.now());
      assertThrows(
          AssertionError.class,
          () -> system.runUntil(() -> ticks[0] == 100, Duration.ofSeconds(1)));
    }
  }

  @Test
  void randomStreamsAreIndependentAndReplayable() {
    try (SimulatedSystem one = SimulatedSystem.create(1, Order.FIFO);
        SimulatedSystem same = SimulatedSystem.create(1, Order.FIFO);
        SimulatedSystem other = SimulatedSystem.create(2, Order.FIFO)) {
      same.random("unrelated").nextLong();
      long a = one.random("latency").nextLong();
      assertEquals(a, same.random("latency").nextLong());
      assertNotEquals(a, other.random("latency").nextLong());
      assertNotEquals(a, one.random("latency").nextLong());
      assertNotEquals(a, one.random("jitter").nextLong());
    }
  }

  @Test
  void sameSeedGivesTheSameTraceAndOtherSeedsOtherTraces() {
    long expected = busyRun(42, Order.RANDOM);
    for (int i = 0; i < 20; i++) {
      assertEquals(expected, busyRun(42, Order.RANDOM));
    }
    Set<Long> distinct = new LinkedHashSet<>();
    for (int seed = 0; seed < 10; seed++) {
      distinct.add(busyRun(seed, Order.RANDOM));
    }
    assertEquals(10, distinct.size());
    long fifo = busyRun(42, Order.FIFO);
    for (int i = 0; i < 5; i++) {
      assertEquals(fifo, busyRun(42, Order.FIFO));
    }
  }

  /**
   * Actors, anonymous children, timers, a stash, many watchers of one actor, a restart, streams.
   */
  private static long busyRun(long seed, Order order) {
    try (SimulatedSystem system = SimulatedSystem.create(seed, order)) {
      Probe<Object> probe = system.probe();
      ActorRef<String> watched =
          system.spawn(
              Behaviors.receiveMessage(
                  message -> message.equals("stop") ? Behaviors.stopped() : Behaviors.same()),
              "watched");
      system.spawn(
          Behaviors.setup(
              context -> {
                for (int i = 0; i < 20; i++) {
                  context.spawnAnonymous(watcher(watched, probe.ref()));
                }
                return Behaviors.empty();
              }),
          "parent");
      ActorRef<Ping> echo =
          system.spawn(Behaviors.supervise(echo()).onFailure(SupervisorStrategy.restart()), "echo");
      for (int i = -2; i < 10; i++) {
        echo.tell(new Ping(i, probe.ref().narrow()));
      }
      system.execute(
          () ->
              Source.range(1, 50)
                  .async()
                  .map(i -> i + 1)
                  .async()
                  .to(Sink.foreach(i -> probe.ref().tell(i)))
                  .run(system.system()));
      system.advance(Duration.ofSeconds(2));
      watched.tell("stop");
      system.advance(Duration.ofSeconds(2));
      assertEquals(10 + 50 + 20 + 20 * 4, probe.received().size());
      return system.traceHash();
    }
  }

  private static Behavior<String> watcher(ActorRef<String> watched, ActorRef<Object> report) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  context.watch(watched);
                  timers.startTimerAtFixedRate("tick", Duration.ofSeconds(1));
                  return Behaviors.receive(String.class)
                      .onMessage(
                          String.class,
                          tick -> {
                            report.tell(tick);
                            return Behaviors.same();
                          })
                      .onSignal(
                          org.apache.pekko.actor.typed.Terminated.class,
                          terminated -> {
                            report.tell(terminated.getRef());
                            return Behaviors.same();
                          })
                      .build();
                }));
  }

  @Test
  void bootsAndStopsQuickly() {
    for (int i = 0; i < 5; i++) {
      SimulatedSystem.create().close();
    }
    long start = System.nanoTime();
    int runs = 20;
    for (int i = 0; i < runs; i++) {
      SimulatedSystem.create(i, Order.FIFO).close();
    }
    long each = TimeUnit.NANOSECONDS.toMillis((System.nanoTime() - start) / runs);
    System.out.println("boot and stop of a simulated system: " + each + " ms");
    assertTrue(each < 2_000, () -> each + " ms");
  }
}
