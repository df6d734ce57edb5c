package dev.troupe.simulation.testkit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The calls that cannot be replayed, each with what to do instead. {@link Simulated} lists them.
 */
final class ForbiddenCalls {

  private static final String CLOCK = "reads the real clock; use World.ticker() or World.clock()";
  private static final String CHANCE =
      "draws from a source without the seed; use World.random or World.keyMaterial()";
  private static final String THREADS =
      "runs something on another thread; use actors and their timers";
  private static final String BLOCKING =
      "may block the only thread; tell, with a replyTo, or let time pass by the Simulation";
  private static final String ASK = "hops to another thread; tell, with a replyTo";
  private static final String NETWORK =
      "reaches for the real network; peers have the simulated one";

  private static final Predicate<String> ANY = descriptor -> true;
  private static final Predicate<String> WITHOUT_ARGUMENTS =
      descriptor -> descriptor.startsWith("()");

  private static final Predicate<String> WITH_A_TIMEOUT =
      descriptor -> descriptor.contains("Ljava/util/concurrent/TimeUnit;");

  private record Rule(String owner, Predicate<String> descriptor, String why) {}

  private static final Map<String, List<Rule>> RULES = new LinkedHashMap<>();

  private ForbiddenCalls() {}

  static {
    all(CLOCK, "java/lang/System", "nanoTime", "currentTimeMillis");
    all(CLOCK, "java/time/Clock", "systemUTC", "systemDefaultZone", "system");
    all(CLOCK, "java/time/Clock", "tickMillis", "tickSeconds", "tickMinutes");
    all(CLOCK, "java/time/InstantSource", "system");
    all(CLOCK, "java/util/Calendar", "getInstance");
    rule(CLOCK, "java/util/Date", "<init>", WITHOUT_ARGUMENTS);
    rule(
        CLOCK, "java/util/GregorianCalendar", "<init>", descriptor -> !descriptor.startsWith("(I"));

    rule(CHANCE, "java/util/Random", "<init>", WITHOUT_ARGUMENTS);
    rule(CHANCE, "java/util/SplittableRandom", "<init>", WITHOUT_ARGUMENTS);
    all(CHANCE, "java/util/random/RandomGenerator", "of", "getDefault");
    all(CHANCE, "java/util/random/RandomGeneratorFactory", "of", "getDefault");
    all(CHANCE, "java/util/concurrent/ThreadLocalRandom", "current");
    all(CHANCE, "java/lang/Math", "random");
    all(CHANCE, "java/lang/StrictMath", "random");
    all(CHANCE, "java/util/UUID", "randomUUID");
    all(CHANCE, "java/security/SecureRandom", "<init>", "getInstance", "getInstanceStrong");
    rule(
        CHANCE,
        "java/util/Collections",
        "shuffle",
        descriptor -> descriptor.equals("(Ljava/util/List;)V"));

    all(THREADS, "java/lang/Thread", "start", "startVirtualThread", "ofVirtual", "ofPlatform");
    all(THREADS, "java/util/Timer", "<init>");
    all(
        THREADS,
        "java/util/concurrent/Executors",
        "newCachedThreadPool",
        "newFixedThreadPool",
        "newScheduledThreadPool",
        "newSingleThreadExecutor",
        "newSingleThreadScheduledExecutor",
        "newThreadPerTaskExecutor",
        "newVirtualThreadPerTaskExecutor",
        "newWorkStealingPool");
    all(THREADS, "java/util/concurrent/ThreadPoolExecutor", "<init>");
    all(THREADS, "java/util/concurrent/ScheduledThreadPoolExecutor", "<init>");
    all(THREADS, "java/util/concurrent/ForkJoinPool", "<init>", "commonPool");
    all(THREADS, "java/util/concurrent/ForkJoinTask", "fork", "invoke", "invokeAll");
    all(
        THREADS,
        "java/util/concurrent/CompletableFuture",
        "orTimeout",
        "completeOnTimeout",
        "delayedExecutor");
    all(THREADS, "java/util/concurrent/SubmissionPublisher", "<init>");
    all(THREADS, "java/util/Arrays", "parallelPrefix", "parallelSetAll", "parallelSort");
    all(THREADS, "java/util/Collection", "parallelStream");
    all(THREADS, "java/util/stream/BaseStream", "parallel");
    all(THREADS, "java/lang/ProcessBuilder", "start");
    all(THREADS, "java/lang/Runtime", "exec");

    all(BLOCKING, "java/lang/Thread", "sleep", "join");
    all(BLOCKING, "java/lang/Object", "wait");
    all(BLOCKING, "java/util/concurrent/TimeUnit", "sleep", "timedJoin", "timedWait");
    all(BLOCKING, "java/util/concurrent/Future", "get");
    all(BLOCKING, "java/util/concurrent/CompletableFuture", "join");
    all(BLOCKING, "java/util/concurrent/ForkJoinTask", "join");
    all(BLOCKING, "java/util/concurrent/ExecutorService", "awaitTermination", "invokeAny");
    all(BLOCKING, "java/util/concurrent/ExecutorService", "invokeAll");
    all(BLOCKING, "java/util/concurrent/CountDownLatch", "await");
    all(BLOCKING, "java/util/concurrent/CyclicBarrier", "await");
    all(BLOCKING, "java/util/concurrent/Exchanger", "exchange");
    all(BLOCKING, "java/util/concurrent/Phaser", "arriveAndAwaitAdvance");
    all(BLOCKING, "java/util/concurrent/Phaser", "awaitAdvance", "awaitAdvanceInterruptibly");
    all(BLOCKING, "java/util/concurrent/Semaphore", "acquire", "acquireUninterruptibly");
    all(BLOCKING, "java/util/concurrent/BlockingQueue", "take", "put");
    all(BLOCKING, "java/util/concurrent/BlockingDeque", "takeFirst", "takeLast");
    all(BLOCKING, "java/util/concurrent/BlockingDeque", "putFirst", "putLast");
    rule(BLOCKING, "java/util/concurrent/BlockingQueue", "poll", WITH_A_TIMEOUT);
    rule(BLOCKING, "java/util/concurrent/BlockingQueue", "offer", WITH_A_TIMEOUT);
    rule(BLOCKING, "java/util/concurrent/Semaphore", "tryAcquire", WITH_A_TIMEOUT);
    rule(BLOCKING, "java/util/concurrent/locks/Lock", "tryLock", WITH_A_TIMEOUT);
    all(
        BLOCKING,
        "java/util/concurrent/locks/Condition",
        "await",
        "awaitNanos",
        "awaitUninterruptibly",
        "awaitUntil");
    all(BLOCKING, "java/util/concurrent/locks/LockSupport", "park", "parkNanos", "parkUntil");

    all(ASK, "org/apache/pekko/actor/typed/javadsl/ActorContext", "ask", "askWithStatus");
    all(ASK, "org/apache/pekko/actor/typed/javadsl/AskPattern", "ask", "askWithStatus");

    for (String socket : List.of("Socket", "ServerSocket", "DatagramSocket", "MulticastSocket")) {
      all(NETWORK, "java/net/" + socket, "<init>");
    }
    all(NETWORK, "java/net/InetAddress", "getByName", "getAllByName", "getLocalHost");
    all(NETWORK, "java/net/InetAddress", "getCanonicalHostName", "getHostName", "isReachable");
    rule(
        NETWORK,
        "java/net/InetSocketAddress",
        "<init>",
        descriptor -> descriptor.startsWith("(Ljava/lang/String;"));
    all(NETWORK, "java/net/URL", "openConnection", "openStream");
    all(NETWORK, "java/net/http/HttpClient", "newHttpClient", "newBuilder");
    for (String channel :
        List.of(
            "SocketChannel",
            "ServerSocketChannel",
            "DatagramChannel",
            "AsynchronousSocketChannel",
            "AsynchronousServerSocketChannel",
            "Selector")) {
      all(NETWORK, "java/nio/channels/" + channel, "open");
    }
  }

  private static void all(String why, String owner, String... names) {
    for (String name : names) {
      rule(why, owner, name, ANY);
    }
  }

  private static void rule(String why, String owner, String name, Predicate<String> descriptor) {
    RULES.computeIfAbsent(name, key -> new ArrayList<>()).add(new Rule(owner, descriptor, why));
  }

  /** Whether calls of methods of this name may be forbidden: asked before types are looked up. */
  static boolean isSuspect(String name) {
    return RULES.containsKey(name) || name.equals("now") || name.endsWith("Async");
  }

  /**
   * Why a call is forbidden, or null where it is not.
   *
   * @param owner one of the types that the method may be declared in, with slashes
   */
  static @Nullable String why(String owner, String name, String descriptor) {
    if (name.equals("now")) {
      return owner.startsWith("java/time/") && !descriptor.contains("Ljava/time/Clock;")
          ? CLOCK
          : null;
    }
    if (name.endsWith("Async")
        && (owner.equals("java/util/concurrent/CompletableFuture")
            || owner.equals("java/util/concurrent/CompletionStage"))) {
      return descriptor.contains("Ljava/util/concurrent/Executor;") ? null : THREADS;
    }
    for (Rule rule : RULES.getOrDefault(name, List.of())) {
      if (rule.owner().equals(owner) && rule.descriptor().test(descriptor)) {
        return rule.why();
      }
    }
    return null;
  }
}
