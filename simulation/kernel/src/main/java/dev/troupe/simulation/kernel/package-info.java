/**
 * The kernel of the simulator: one Pekko actor system on one thread and in virtual time, replayable
 * from one seed. It knows Pekko and nothing of Troupe, so that the tests of the actors can run on
 * it.
 *
 * <pre>{@code
 * @Test
 * void answersAfterFiveSeconds() {
 *   try (SimulatedSystem system = SimulatedSystem.create(42, Order.FIFO)) {
 *     Probe<Clock.Reply> probe = system.probe();
 *     ActorRef<Clock.Command> clock = system.spawn(Clock.create(system.ticker()), "clock");
 *
 *     clock.tell(new Clock.WakeMe(Duration.ofSeconds(5), probe.ref()));
 *     probe.expectNone(Duration.ofMillis(4_999));    // runs 4.999 s of virtual time
 *     system.advance(Duration.ofMillis(1));
 *     probe.expect(Clock.Rang.class);
 *   }
 * }
 * }</pre>
 *
 * <p>Nothing runs by itself: {@code tell} only enqueues, and {@code runUntilIdle}, {@code advance},
 * {@code runUntil} or an expectation of a {@link dev.troupe.simulation.kernel.Probe} lets the
 * system run. Always inject {@code ticker()}, {@code clock()} and {@code random(purpose)}, and use
 * the timers of Pekko: whatever reads the real clock or draws from an unseeded source is not
 * replayed. {@code ctx.ask} and callbacks on a {@code CompletionStage} of a Pekko future hop to
 * another thread, which fails the run, as blocking does. So that it is not only the order of a
 * queue that makes a test pass, run it with {@code Order.RANDOM} and some seeds, too.
 *
 * <p>Read {@link dev.troupe.simulation.kernel.SimulatedSystem} first (what tests see), then {@code
 * EventLoop} (the queue, the timers, the failures), {@code QueueDispatcherConfigurator} and {@code
 * VirtualScheduler} (how Pekko is made to use it), {@code Trace} and {@code AmbientRandomness}
 * (what makes two runs equal, and what would make them differ).
 */
@NullMarked
package dev.troupe.simulation.kernel;

import org.jspecify.annotations.NullMarked;
