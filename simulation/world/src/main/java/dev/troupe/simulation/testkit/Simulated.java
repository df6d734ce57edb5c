package dev.troupe.simulation.testkit;

import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.ClassTemplate;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test in a simulated world: takes a {@link Simulation} as a parameter.
 *
 * <p>On a method it stands in place of {@code @Test}, and the method is run once for each seed. On
 * a class it holds for all its {@code @Test} methods, and the whole class is run once for each
 * seed; a method of it with an annotation of its own follows that one. Each test of each seed has a
 * world of its own.
 *
 * <p>A test that fails says with which seed, and one line that plays that again, such as {@code
 * -Dtroupe.simulated=7/random/host}: that property replaces the seeds, the order and the fidelity
 * of every simulated test. The same seed gives the same run in every JVM of the same version, if
 * its thread has the same id: the main thread of the JVM, where build tools run tests, has. Leave
 * JUnit's parallel execution off.
 *
 * <p><b>What may not be called.</b> The test class, and every class of yours that it uses, is
 * loaded anew for each run by a class loader that lets each of these calls fail the run, naming the
 * call and its place:
 *
 * <ul>
 *   <li>the clock: {@code System.nanoTime}, {@code System.currentTimeMillis}, {@code now()} of all
 *       of {@code java.time} without a clock, {@code Clock.system…}, {@code new Date()}, {@code
 *       Calendar.getInstance}. Use {@code World.ticker()} and {@code World.clock()};
 *   <li>unseeded randomness: {@code new Random()}, {@code new SplittableRandom()}, {@code
 *       ThreadLocalRandom}, {@code Math.random}, {@code UUID.randomUUID}, {@code SecureRandom},
 *       {@code Collections.shuffle} of a list alone. Use {@code World.random} and {@code
 *       World.keyMaterial()};
 *   <li>threads: {@code Thread.start}, executors, timers, {@code CompletableFuture}'s {@code
 *       …Async} without an executor and its timeouts, parallel streams, processes. Use actors and
 *       their timers;
 *   <li>blocking: {@code Thread.sleep}, {@code join}, {@code Future.get}, {@code Object.wait},
 *       {@code await} and {@code acquire} of locks and latches, blocking queues. Let time pass by
 *       the {@link Simulation} instead;
 *   <li>{@code ActorContext.ask} and {@code AskPattern.ask}, which hop to another thread: tell with
 *       a {@code replyTo};
 *   <li>the network: sockets, channels, HTTP clients, and what looks names up or waits for an
 *       answer: {@code InetAddress.getByName}, {@code getHostName}, {@code isReachable} and their
 *       like, {@code new InetSocketAddress} of a host given as text. Addresses made of bytes, and
 *       {@code InetSocketAddress.createUnresolved}, are fine.
 * </ul>
 *
 * <p>Your classes are those in directories of the class path, and in the jar of the test class;
 * {@link #guard} adds others. Not among them are Troupe, Pekko, Scala, JUnit and the JDK. The
 * kernel moreover notices work that another thread hands to an actor, and Pekko's own blocking.
 *
 * <p><b>What is not caught</b>: calls by reflection, method handles or native code, and those
 * inside a library that is not guarded, or inside the JDK, whose key generators and ciphers draw
 * randomness of their own; an order that differs between JVMs, as of the iteration of {@code
 * Set.of}, {@code Map.of} and of hash sets whose elements have no hash code of their own; {@code
 * System.identityHashCode} and texts made of it; what is read from files, the environment and
 * system properties; locks that are held, a loop that never ends; static state of classes that are
 * not guarded.
 *
 * <p>{@code @BeforeAll}, {@code @AfterAll} and {@code @TestInstance(PER_CLASS)} are refused: what
 * one run leaves to the next cannot be replayed. The constructor of the test class runs twice, once
 * outside for JUnit, once inside.
 */
@Documented
@Inherited
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ClassTemplate
@ExtendWith(SimulatedExtension.class)
public @interface Simulated {

  /** The seed of every choice, where there is one only. */
  long seed() default 0;

  /** Several seeds, such as {@code "1..20"} or {@code "3,7,100..120"}; replaces {@link #seed}. */
  String seeds() default "";

  /** How what is ready at the same time is interleaved. */
  Order order() default Order.RANDOM;

  /** How much of the peers is real below their actors. */
  Fidelity fidelity() default Fidelity.HOST;

  /**
   * Packages and classes in jars that are guarded as well, each by the beginning of its name, such
   * as {@code "com.example.lib."}.
   */
  String[] guard() default {};
}
