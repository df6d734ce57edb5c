package example.guarded;

import dev.troupe.simulation.testkit.Simulated;
import dev.troupe.simulation.testkit.Simulation;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.Timer;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each forbidden call, from inside an actor that is restarted whatever it throws. */
@Simulated(seed = 5)
public class Breaches {

  /** A call, and what the breach must name. */
  enum Call {
    NANO_TIME("java.lang.System.nanoTime", System::nanoTime),
    MILLIS("java.lang.System.currentTimeMillis", () -> System.currentTimeMillis()),
    INSTANT("java.time.Instant.now", () -> Instant.now()),
    LOCAL("java.time.LocalDateTime.now", () -> LocalDateTime.now()),
    ZONED("java.time.ZonedDateTime.now", () -> ZonedDateTime.now(ZoneOffset.UTC)),
    CLOCK("java.time.Clock.systemUTC", () -> Clock.systemUTC()),
    SOURCE("java.time.InstantSource.system", () -> InstantSource.system()),
    DATE("new java.util.Date", () -> new Date()),
    CALENDAR("java.util.Calendar.getInstance", () -> Calendar.getInstance()),
    RANDOM("new java.util.Random", () -> new Random()),
    RANDOM_REFERENCE("new java.util.Random", Random::new),
    SPLITTABLE("new java.util.SplittableRandom", () -> new SplittableRandom()),
    THREAD_LOCAL("java.util.concurrent.ThreadLocalRandom.current", ThreadLocalRandom::current),
    MATH("java.lang.Math.random", () -> Math.random()),
    UUIDS("java.util.UUID.randomUUID", () -> UUID.randomUUID()),
    SECURE("new java.security.SecureRandom", () -> new SecureRandom()),
    SHUFFLE(
        "java.util.Collections.shuffle",
        () -> {
          List<Integer> list = new ArrayList<>(List.of(1, 2));
          Collections.shuffle(list);
          return list;
        }),
    SLEEP(
        "java.lang.Thread.sleep",
        () -> {
          Thread.sleep(1);
          return "";
        }),
    UNIT_SLEEP(
        "java.util.concurrent.TimeUnit.sleep",
        () -> {
          TimeUnit.MILLISECONDS.sleep(1);
          return "";
        }),
    START(
        "java.lang.Thread.start",
        () -> {
          new Thread(() -> {}).start();
          return "";
        }),
    START_OWN(
        "example.guarded.Breaches$OwnThread.start",
        () -> {
          new OwnThread().start();
          return "";
        }),
    START_REFERENCE(
        "java.lang.Thread.start",
        () -> {
          List.of(new Thread(() -> {})).forEach(Thread::start);
          return "";
        }),
    TIMER("new java.util.Timer", () -> new Timer()),
    EXECUTOR(
        "java.util.concurrent.Executors.newSingleThreadExecutor",
        () -> Executors.newSingleThreadExecutor()),
    POOL("java.util.concurrent.ForkJoinPool.commonPool", () -> ForkJoinPool.commonPool()),
    SUPPLY_ASYNC(
        "java.util.concurrent.CompletableFuture.supplyAsync",
        () -> CompletableFuture.supplyAsync(() -> 1)),
    THEN_ASYNC(
        "java.util.concurrent.CompletableFuture.thenApplyAsync",
        () -> new CompletableFuture<String>().thenApplyAsync(text -> text)),
    TIMEOUT(
        "java.util.concurrent.CompletableFuture.orTimeout",
        () -> new CompletableFuture<String>().orTimeout(1, TimeUnit.DAYS)),
    PUBLISHER(
        "new java.util.concurrent.SubmissionPublisher", () -> new SubmissionPublisher<String>()),
    SORT(
        "java.util.Arrays.parallelSort",
        () -> {
          Arrays.parallelSort(new int[] {2, 1});
          return "";
        }),
    PARALLEL("java.util.List.parallelStream", () -> List.of(1).parallelStream()),
    PARALLEL_STREAM(
        "java.util.stream.Stream.parallel", () -> List.of(1).stream().parallel().count()),
    JOIN(
        "java.util.concurrent.CompletableFuture.join",
        () -> CompletableFuture.completedFuture(1).join()),
    GET(
        "java.util.concurrent.CompletableFuture.get",
        () -> CompletableFuture.completedFuture(1).get()),
    LATCH(
        "java.util.concurrent.CountDownLatch.await",
        () -> {
          new CountDownLatch(0).await();
          return "";
        }),
    SEMAPHORE(
        "java.util.concurrent.Semaphore.acquire",
        () -> {
          new Semaphore(1).acquire();
          return "";
        }),
    QUEUE(
        "java.util.concurrent.LinkedBlockingQueue.take",
        () -> new LinkedBlockingQueue<>(List.of(1)).take()),
    POLL(
        "java.util.concurrent.BlockingQueue.poll",
        () -> {
          BlockingQueue<Integer> queue = new LinkedBlockingQueue<>(List.of(1));
          return queue.poll(1, TimeUnit.DAYS);
        }),
    LOCK(
        "java.util.concurrent.locks.ReentrantLock.tryLock",
        () -> new ReentrantLock().tryLock(1, TimeUnit.DAYS)),
    WAIT(
        "java.lang.Object.wait",
        () -> {
          "".wait(1);
          return "";
        }),
    PARK(
        "java.util.concurrent.locks.LockSupport.parkNanos",
        () -> {
          LockSupport.parkNanos(1);
          return "";
        }),
    SOCKET("new java.net.Socket", () -> new Socket()),
    RESOLVE("new java.net.InetSocketAddress", () -> new InetSocketAddress("localhost", 80)),
    CANONICAL_NAME(
        "java.net.InetAddress.getCanonicalHostName",
        () -> InetAddress.getLoopbackAddress().getCanonicalHostName()),
    NAME("java.net.InetAddress.getHostName", () -> InetAddress.getLoopbackAddress().getHostName()),
    REACH(
        "java.net.InetAddress.isReachable", () -> InetAddress.getLoopbackAddress().isReachable(1));

    private final String name;
    private final Callable<Object> body;

    Call(String name, Callable<Object> body) {
      this.name = name;
      this.body = body;
    }
  }

  private static final class OwnThread extends Thread {}

  private static Behavior<Call> calling() {
    return Behaviors.receiveMessage(
        call -> {
          try {
            call.body.call();
          } catch (Throwable swallowed) {
            return Behaviors.same();
          }
          return Behaviors.same();
        });
  }

  /** The display name of each call is what the breach must name. */
  @ParameterizedTest(name = "{0}")
  @EnumSource
  void breach(Call call, Simulation sim) {
    sim.machine("here")
        .start(
            "service",
            () ->
                Behaviors.supervise(calling())
                    .onFailure(Throwable.class, SupervisorStrategy.restart()))
        .tell(call);
    sim.advance(Duration.ofSeconds(1));
  }

  /** What each breach must name, by the constant's name. */
  public static Map<String, String> expected() {
    Map<String, String> names = new LinkedHashMap<>();
    for (Call call : Call.values()) {
      names.put(call.name(), call.name);
    }
    return names;
  }
}
