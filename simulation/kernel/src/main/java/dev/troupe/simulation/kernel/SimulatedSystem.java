package dev.troupe.simulation.kernel;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.ActorRefWithCell;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.InternalActorRef;
import org.apache.pekko.actor.RepointableActorRef;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.jspecify.annotations.Nullable;

/**
 * One Pekko actor system on virtual time, replayable from one seed: the same seed gives the same
 * trace, on every run and in every JVM of the same version. Nothing happens unless a test drives it
 * ({@link #advance}, {@link #runUntilIdle}, {@link #runUntil}), all on the thread that created it;
 * work handed in from any other thread, and blocking, fail the run with a {@link
 * SimulationFailure}.
 *
 * <p>Not thread-safe, on purpose: every method belongs to the creating thread.
 */
public final class SimulatedSystem implements AutoCloseable {

  /** The wall clock's reading when virtual time is 0. */
  public static final Instant EPOCH = Instant.parse("2024-01-01T00:00:00Z");

  private static final long CLOSING_LIMIT_NANOS = Duration.ofMinutes(5).toNanos();
  private static final Config CONFIG = configuration();

  private final long seed;
  private final EventLoop loop;
  private final org.apache.pekko.actor.ActorSystem classic;
  private final ActorSystem<Void> typed;
  private final InstantSource clock = this::instant;
  private final Map<String, RandomGenerator> randoms = new LinkedHashMap<>();
  private int probes;
  private boolean closed;

  private SimulatedSystem(long seed, Order order, Config overrides) {
    this.seed = seed;
    this.loop = new EventLoop(seed, order);
    ActorSystemSetup setup =
        ActorSystemSetup.create(
            BootstrapSetup.create(overrides.withFallback(CONFIG)), new SimulationSetup(loop));
    this.classic = loop.boot(() -> org.apache.pekko.actor.ActorSystem.create("simulation", setup));
    this.typed = loop.within(() -> Adapter.toTyped(classic));
  }

  /** A system with seed 0 that runs in {@link Order#FIFO}. */
  public static SimulatedSystem create() {
    return create(0, Order.FIFO);
  }

  /** A system whose every choice comes from the seed. */
  public static SimulatedSystem create(long seed, Order order) {
    return create(seed, order, ConfigFactory.empty());
  }

  /**
   * A system whose every choice comes from the seed.
   *
   * @param overrides settings of Pekko or of the code under test; they go before {@code
   *     reference.conf}, and must leave dispatchers, scheduler and loggers alone
   */
  public static SimulatedSystem create(long seed, Order order, Config overrides) {
    return new SimulatedSystem(seed, order, overrides);
  }

  /** A system with an actor named "guardian" already spawned, and run until idle. */
  public static SimulatedSystem create(Behavior<?> guardian, long seed, Order order) {
    SimulatedSystem system = create(seed, order);
    system.spawn(guardian, "guardian");
    system.runUntilIdle();
    return system;
  }

  /** The actor system itself, for what needs one: schedulers, materializers, extensions. */
  public ActorSystem<Void> system() {
    return typed;
  }

  // --- actors
  // -------------------------------------------------------------------------------------

  /**
   * Spawns a top-level actor. It starts when the simulation next runs. An actor that fails without
   * supervision is stopped.
   *
   * @throws org.apache.pekko.actor.InvalidActorNameException if a living actor has the name
   */
  public <T> ActorRef<T> spawn(Behavior<T> behavior, String name) {
    return loop.within(
        () -> {
          ActorRef<T> ref = Adapter.spawn(classic, behavior, name);
          // Until its supervisor has heard of it, Pekko would keep its messages in a place that
          // does
          // not go through the dispatcher, where nobody sees which thread they came from.
          if (Adapter.toClassic(ref) instanceof RepointableActorRef unstarted) {
            unstarted.point(false);
          }
          return ref;
        });
  }

  /** Stops a top-level actor, and runs until idle. */
  public void stop(ActorRef<?> ref) {
    loop.within(
        () -> {
          classic.stop(Adapter.toClassic(ref));
          return null;
        });
    runUntilIdle();
  }

  /** A new probe, named probe-1, probe-2 and so on. */
  public <T> Probe<T> probe() {
    return probe("probe-" + ++probes);
  }

  /** A new probe of the given name. */
  public <T> Probe<T> probe(String name) {
    return new Probe<>(this, name);
  }

  /** As {@link #probe()}; the class is only there to help type inference. */
  public <T> Probe<T> probe(Class<T> type) {
    return probe();
  }

  /** Whether an actor has stopped, with all its children. */
  public boolean hasStopped(ActorRef<?> ref) {
    return ((InternalActorRef) Adapter.toClassic(ref)).isTerminated();
  }

  /**
   * The living actor at each place below one, itself included, with the number of its living
   * children; parents come first.
   */
  public Map<String, Integer> children(ActorRef<?> root) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    count(Adapter.toClassic(root), counts);
    return counts;
  }

  /**
   * Crashes one actor, as by a bug: it throws from inside its behaviour, so that whatever
   * supervises it acts (restarts, resumes, stops it). Runs until idle before, so that what was sent
   * is accepted, and after, so that it has happened.
   *
   * @param root a living actor
   * @param path from there down to the actor that throws, names with {@code /} between them, such
   *     as {@code "peers/peer-0/dht"}; empty for the root itself
   * @throws IllegalArgumentException if there is no such actor; the message names those there are
   */
  public void crash(ActorRef<?> root, String path, RuntimeException bug) {
    runUntilIdle();
    String place =
        Adapter.toClassic(root).path().toStringWithoutAddress()
            + (path.isEmpty() ? "" : "/" + path);
    org.apache.pekko.actor.ActorRef found = find(Adapter.toClassic(root), place);
    if (found == null) {
      throw new IllegalArgumentException(
          "there is no actor " + place + ", but " + children(root).keySet());
    }
    loop.within(
        () -> {
          Bug.in(found, bug);
          return null;
        });
    runUntilIdle();
  }

  private static org.apache.pekko.actor.@Nullable ActorRef find(
      org.apache.pekko.actor.ActorRef ref, String place) {
    String here = ref.path().toStringWithoutAddress();
    if (!(ref instanceof ActorRefWithCell cell)
        || cell.isTerminated()
        || !(place + "/").startsWith(here + "/")) {
      return null;
    }
    if (here.equals(place)) {
      return ref;
    }
    List<org.apache.pekko.actor.ActorRef> children = new ArrayList<>();
    cell.underlying().childrenRefs().children().foreach(children::add);
    for (org.apache.pekko.actor.ActorRef child : children) {
      org.apache.pekko.actor.ActorRef found = find(child, place);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private static void count(org.apache.pekko.actor.ActorRef ref, Map<String, Integer> counts) {
    if (ref instanceof ActorRefWithCell cell && !cell.isTerminated()) {
      List<org.apache.pekko.actor.ActorRef> children = new ArrayList<>();
      cell.underlying().childrenRefs().children().foreach(children::add);
      counts.put(ref.path().toStringWithoutAddress(), children.size());
      children.forEach(child -> count(child, counts));
    }
  }

  // --- driving
  // --------------------------------------------------------------------------------------

  /**
   * Runs all that is ready, and what becomes ready by it, without moving time. Timers due at this
   * very instant fire.
   */
  public void runUntilIdle() {
    loop.drive(loop::drain);
  }

  /**
   * Moves virtual time on by the duration, and runs all that falls due on the way, in the order of
   * virtual time.
   */
  public void advance(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("time does not run backwards: " + duration);
    }
    long target = Math.addExact(loop.now(), duration.toNanos());
    loop.drive(
        () -> {
          loop.drain();
          while (loop.moveToNextTimer(target)) {
            loop.drain();
          }
        });
  }

  /**
   * Runs, moving time where nothing is ready, until the condition holds; checked after each event.
   *
   * @throws AssertionError if it does not hold within the limit of virtual time
   */
  public void runUntil(BooleanSupplier condition, Duration limit) {
    if (!tryRunUntil(condition, limit)) {
      throw new AssertionError(
          "the condition did not hold within " + limit + " (" + replay() + ")");
    }
  }

  /**
   * As {@link #runUntil}, but answers false when the limit is reached, or when nothing can ever
   * happen any more.
   */
  public boolean tryRunUntil(BooleanSupplier condition, Duration limit) {
    long target = Math.addExact(loop.now(), limit.toNanos());
    boolean[] held = {condition.getAsBoolean()};
    loop.drive(
        () -> {
          while (!held[0]) {
            if (!loop.step() && !loop.moveToNextTimer(target)) {
              held[0] = condition.getAsBoolean();
              return;
            }
            held[0] = condition.getAsBoolean();
          }
        });
    return held[0];
  }

  // --- time and chance
  // --------------------------------------------------------------------------------

  /** Virtual time in nanoseconds since the start of the run. */
  public long now() {
    return loop.now();
  }

  /** Virtual wall clock time: {@link #EPOCH} plus {@link #now()}. */
  public Instant instant() {
    return EPOCH.plusNanos(loop.now());
  }

  /** A monotonic clock in nanoseconds, to inject where code wants {@code System::nanoTime}. */
  public LongSupplier ticker() {
    return loop::now;
  }

  /** A wall clock, to inject where code wants one. */
  public InstantSource clock() {
    return clock;
  }

  /** The seed of the run. */
  public long seed() {
    return seed;
  }

  /**
   * The random stream of a purpose. Each purpose has its own, derived from the seed, so that one
   * more draw in one place does not change all others. The same purpose always answers the same
   * generator, which goes on where it was.
   */
  public RandomGenerator random(String purpose) {
    return randoms.computeIfAbsent(
        purpose, name -> new SplittableRandom(Seeds.derive(seed, "user/" + name)));
  }

  /**
   * As {@link #random}, but a new generator each time, which starts at the beginning of the
   * purpose's sequence.
   */
  public RandomGenerator newRandom(String purpose) {
    return new SplittableRandom(Seeds.derive(seed, "new/" + purpose));
  }

  // --- tasks, for simulated links
  // ---------------------------------------------------------------------

  /** Makes a task ready now. An exception from it fails the run. */
  public void execute(Runnable task) {
    loop.execute("task", task);
  }

  /** Makes a task ready after a delay of virtual time. An exception from it fails the run. */
  public Cancellable schedule(Duration delay, Runnable task) {
    return loop.schedule(delay.toNanos(), task, ready -> loop.execute("timed task", ready));
  }

  /**
   * Runs a task at an instant of virtual time, before what becomes ready then: for a network that
   * hands what arrives to the loop of its receiver. An exception from it fails the run.
   */
  public void arrange(Duration delay, Runnable task) {
    loop.schedule(delay.toNanos(), task, Runnable::run);
  }

  /**
   * An executor that runs its tasks one at a time and in the order given, in either {@link Order},
   * as the event loop of a connection does. The name appears in the trace.
   */
  public SerialExecutor serialExecutor(String name) {
    return loop.serial(name);
  }

  // --- what happened
  // -----------------------------------------------------------------------------------

  /**
   * A digest of every message, turn, task and timer since the start. Equal seeds give equal
   * digests.
   */
  public long traceHash() {
    return loop.trace().hash();
  }

  /**
   * Adds something to the trace that the kernel does not see, such as what a simulated link
   * carries. Described as messages are: best a record of text and numbers.
   */
  public void record(Record event) {
    loop.trace().event(loop, event);
  }

  /** How many turns, tasks and timers have run since the start. */
  public long eventCount() {
    return loop.events();
  }

  /**
   * Hands each line of the trace to a consumer from now on: to find where two runs part, print both
   * and compare.
   */
  public void onTrace(Consumer<String> consumer) {
    loop.trace().listen(consumer);
  }

  /** What Pekko logged so far; a snapshot, oldest first. */
  public List<LogEntry> log() {
    return loop.log();
  }

  /**
   * Hands each entry of Pekko's log to a consumer from now on, for example {@code
   * System.out::println}.
   */
  public void onLog(Consumer<LogEntry> consumer) {
    loop.listenToLog(consumer);
  }

  /**
   * Fails the run, as the breach of a rule does: whatever drives it throws the failure next, even
   * if the code that is running catches it. Only the first failure counts.
   *
   * @return the failure of the run, for whoever wants to throw it at once
   */
  public SimulationFailure fail(String message) {
    return loop.failed(message);
  }

  /** The seed, order, time and event of now, for messages that say how to replay. */
  public String replay() {
    return loop.replay();
  }

  /**
   * Stops all actors and the system. Throws what failed and was not thrown yet.
   *
   * @throws SimulationFailure if the run had failed, for example by a foreign thread, or if the
   *     system does not stop
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    SimulationFailure failed = loop.untoldFailure();
    loop.tolerate();
    loop.trace().listen(null);
    long limit = loop.now() + CLOSING_LIMIT_NANOS;
    loop.drive(
        () -> {
          classic.terminate();
          loop.drain();
          while (!classic.whenTerminated().isCompleted() && loop.nextTimer() <= limit) {
            loop.moveToNextTimer(limit);
            loop.drain();
          }
        });
    loop.close();
    if (failed != null) {
      throw failed;
    }
    if (!classic.whenTerminated().isCompleted()) {
      throw new SimulationFailure("the actor system did not stop (" + replay() + ")", null);
    }
  }

  // --- configuration
  // -------------------------------------------------------------------------------------

  /**
   * The reference configuration with every dispatcher, wherever it is defined, turned into ours.
   */
  private static Config configuration() {
    Config reference = ConfigFactory.load();
    String type = QueueDispatcherConfigurator.class.getName();
    StringBuilder text = new StringBuilder();
    dispatchers(
        reference.root(),
        "",
        path -> text.append(path).append(".type = \"").append(type).append("\"\n"));
    text.append("pekko.scheduler.implementation = \"")
        .append(VirtualScheduler.class.getName())
        .append("\"\n");
    text.append("pekko.loggers = [\"").append(SimulatedLogger.class.getName()).append("\"]\n");
    text.append("pekko.logging-filter = \"org.apache.pekko.event.DefaultLoggingFilter\"\n");
    text.append("pekko.use-slf4j = off\n");
    text.append("pekko.loglevel = INFO\n");
    text.append("pekko.stdout-loglevel = OFF\n");
    text.append("pekko.log-dead-letters = off\n");
    text.append("pekko.log-dead-letters-during-shutdown = off\n");
    text.append("pekko.jvm-shutdown-hooks = off\n");
    text.append("pekko.jvm-exit-on-fatal-error = off\n");
    text.append("pekko.coordinated-shutdown.run-by-jvm-shutdown-hook = off\n");
    text.append("pekko.coordinated-shutdown.run-by-actor-system-terminate = off\n");
    return ConfigFactory.parseString(text.toString()).withFallback(reference).resolve();
  }

  private static void dispatchers(ConfigObject object, String prefix, Consumer<String> found) {
    for (Map.Entry<String, ConfigValue> entry : object.entrySet()) {
      String path = prefix + com.typesafe.config.ConfigUtil.quoteString(entry.getKey());
      if (entry.getValue().valueType() == ConfigValueType.OBJECT) {
        ConfigObject child = (ConfigObject) entry.getValue();
        ConfigValue type = child.get("type");
        if (type != null
            && type.valueType() == ConfigValueType.STRING
            && (type.unwrapped().equals("Dispatcher")
                || type.unwrapped().equals("PinnedDispatcher"))) {
          found.accept(path);
        }
        dispatchers(child, path + ".", found);
      }
    }
  }
}
