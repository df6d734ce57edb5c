package dev.troupe.simulation.kernel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.actor.Scheduler;
import org.apache.pekko.actor.SchedulerException;
import org.jspecify.annotations.Nullable;
import scala.Function0;
import scala.concurrent.BlockContext;
import scala.concurrent.CanAwait;

/**
 * The heart of a simulation: what is ready, what is due when, the virtual time, the trace, and the
 * first failure.
 */
final class EventLoop {

  /** More events than this without time moving on is an endless loop of messages. */
  static final long MAX_EVENTS_AN_INSTANT = 10_000_000;

  /** What Pekko logs is kept up to this many entries. */
  static final int MAX_LOG_ENTRIES = 10_000;

  private static final ThreadLocal<EventLoop> BOOTING = new ThreadLocal<>();

  private final Thread owner = Thread.currentThread();
  private final String replay;
  private final ReadyQueue ready;
  private final PriorityQueue<Timer> timers = new PriorityQueue<>();
  private final AmbientRandomness ambient;
  private final Trace trace = new Trace();
  private final List<LogEntry> log = new ArrayList<>();
  private final AtomicReference<@Nullable SimulationFailure> failure = new AtomicReference<>();

  private long now;
  private long sequence;
  private long events;
  private long eventsThisInstant;
  private int cancelledTimers;
  private boolean entered;
  private boolean booting;
  private boolean tolerant;
  private boolean thrown;
  private volatile boolean closed;
  private @Nullable Consumer<LogEntry> logListener;

  EventLoop(long seed, Order order) {
    this.replay = "seed=" + seed + " order=" + order;
    this.ready =
        ReadyQueue.of(order, new java.util.SplittableRandom(Seeds.derive(seed, "kernel/order")));
    this.ambient = new AmbientRandomness(Seeds.derive(seed, "kernel/ambient"));
  }

  static EventLoop booting() {
    EventLoop loop = BOOTING.get();
    if (loop == null) {
      throw new IllegalStateException("VirtualScheduler only works in a SimulatedSystem");
    }
    return loop;
  }

  long now() {
    return now;
  }

  long events() {
    return events;
  }

  Trace trace() {
    return trace;
  }

  // --- entering ---------------------------------------------------------------------------------

  /** Boots the actor system: whoever blocks meanwhile gets the queue drained first. */
  <T> T boot(Supplier<T> body) {
    booting = true;
    BOOTING.set(this);
    try {
      return within(
          () -> {
            T result = body.get();
            drain();
            return result;
          });
    } finally {
      BOOTING.remove();
      booting = false;
      trace.reset();
      events = 0;
    }
  }

  /** Runs the body with the run's own ambient randomness, and with blocking forbidden. Nests. */
  <T> T within(Supplier<T> body) {
    checkOwner("the simulation's own API");
    if (entered) {
      return body.get();
    }
    throwFailure();
    entered = true;
    ambient.enter();
    try {
      Function0<T> thunk = body::get;
      return BlockContext.withBlockContext(new Unblocking(), thunk);
    } finally {
      ambient.exit();
      entered = false;
    }
  }

  /**
   * As {@link #within}, but not from inside an event: the loop does not nest. Throws what failed
   * meanwhile.
   */
  void drive(Runnable body) {
    if (entered) {
      throw new IllegalStateException(
          "the simulation is driven from outside, not from its own events");
    }
    within(
        () -> {
          body.run();
          return null;
        });
    throwFailure();
  }

  // --- running ----------------------------------------------------------------------------------

  /**
   * Runs one ready task, or fires the timers due now if none is ready. False if there is nothing to
   * do at this instant.
   */
  boolean step() {
    throwFailure();
    Runnable task = ready.poll();
    if (task == null) {
      return fireDue();
    }
    count();
    trace.turn(this, task);
    try {
      task.run();
    } catch (Throwable e) {
      fail("a task threw", e);
    }
    throwFailure();
    return true;
  }

  void drain() {
    while (step()) {
      // all of this instant
    }
  }

  /** The instant of the next timer, or {@link Long#MAX_VALUE}. */
  long nextTimer() {
    for (Timer timer = timers.peek(); timer != null; timer = timers.peek()) {
      if (!timer.cancelled) {
        return timer.due;
      }
      timers.poll();
      cancelledTimers--;
    }
    return Long.MAX_VALUE;
  }

  /**
   * Moves time on to the next timer, but not past the limit. False if the limit was reached first.
   */
  boolean moveToNextTimer(long limit) {
    long next = nextTimer();
    if (next > limit) {
      moveTo(limit);
      return false;
    }
    moveTo(next);
    return true;
  }

  private void moveTo(long instant) {
    if (instant > now) {
      now = instant;
      eventsThisInstant = 0;
    }
  }

  private boolean fireDue() {
    boolean fired = false;
    long last =
        sequence; // what a fired timer schedules for this same instant waits for the next round
    while (nextTimer() <= now && timers.element().sequence <= last) {
      Timer timer = timers.remove();
      count();
      trace.timer(this, timer.due);
      timer.fire();
      fired = true;
    }
    return fired;
  }

  private void count() {
    events++;
    if (++eventsThisInstant > MAX_EVENTS_AN_INSTANT) {
      fail(MAX_EVENTS_AN_INSTANT + " events and time does not move on: an endless loop", null);
      throwFailure();
    }
  }

  // --- tasks and timers
  // ---------------------------------------------------------------------------

  void enqueue(Runnable task) {
    checkOwner(task);
    ready.add(task);
  }

  void execute(String name, Runnable task) {
    enqueue(new Named(name, guarded(task)));
  }

  /**
   * An executor that runs its own tasks in order, one a turn, as the event loop of a connection
   * does.
   */
  SerialExecutor serial(String name) {
    return new Serial(name);
  }

  Cancellable schedule(long delayNanos, Runnable task, Executor executor) {
    Timer timer = new Timer(saturatedAdd(now, Math.max(0, delayNanos)), -1, task, executor);
    add(timer);
    return timer;
  }

  Cancellable scheduleAtFixedRate(
      long initialNanos, long intervalNanos, Runnable task, Executor executor) {
    if (intervalNanos <= 0) {
      throw new IllegalArgumentException(
          "an interval must be positive, not " + intervalNanos + " ns");
    }
    Timer timer =
        new Timer(saturatedAdd(now, Math.max(0, initialNanos)), intervalNanos, task, executor);
    add(timer);
    return timer;
  }

  private void add(Timer timer) {
    checkOwner(timer.task);
    if (closed) {
      throw new IllegalStateException("the simulated system is closed");
    }
    timer.sequence = ++sequence;
    timers.add(timer);
  }

  private void onCancelled() {
    // Lazily removed when due; swept when they are more than half, so that long runs do not pile
    // them up.
    if (++cancelledTimers > 1024 && cancelledTimers > timers.size() / 2) {
      timers.removeIf(timer -> timer.cancelled);
      cancelledTimers = 0;
    }
  }

  /** The contract of a Pekko scheduler: on close, run what dispatchers left to be run on close. */
  void closeTimers() {
    List<Timer> left = new ArrayList<>(timers);
    Collections.sort(left);
    timers.clear();
    cancelledTimers = 0;
    for (Timer timer : left) {
      if (!timer.cancelled && timer.task instanceof Scheduler.TaskRunOnClose) {
        timer.task.run();
      }
    }
  }

  private static long saturatedAdd(long a, long b) {
    long sum = a + b;
    return sum < 0 ? Long.MAX_VALUE : sum;
  }

  // --- failures ---------------------------------------------------------------------------------

  Runnable guarded(Runnable task) {
    return new Guarded(task);
  }

  void checkOwner(Object what) {
    if (Thread.currentThread() == owner) {
      return;
    }
    if (closed) {
      throw new RejectedExecutionException("the simulated system is closed");
    }
    String message =
        "thread '"
            + Thread.currentThread().getName()
            + "' handed work to the simulation ("
            + (what instanceof String text ? text : what.getClass().getName())
            + "); only '"
            + owner.getName()
            + "' may";
    IllegalStateException place = new IllegalStateException(message);
    fail(message, place);
    throw place;
  }

  /** Records the first failure of the run. Safe from any thread. */
  void fail(String message, @Nullable Throwable cause) {
    if (tolerant || failure.get() != null) {
      return;
    }
    if (cause instanceof SimulationFailure same) {
      failure.compareAndSet(null, same);
      return;
    }
    boolean mine = Thread.currentThread() == owner;
    String at = mine ? " at " + now + " ns of virtual time, event " + events : "";
    String why = cause == null ? "" : ": " + cause;
    failure.compareAndSet(
        null, new SimulationFailure(message + at + " (" + replay + ")" + why, cause));
  }

  /** Records a failure, and answers the first of the run. */
  SimulationFailure failed(String message) {
    fail(message, null);
    SimulationFailure first = failure.get();
    return first != null ? first : new SimulationFailure(message + " (" + replay + ")", null);
  }

  /** The failure that nobody has been told yet, or null. */
  @Nullable SimulationFailure untoldFailure() {
    return thrown ? null : failure.get();
  }

  void throwFailure() {
    SimulationFailure failed = failure.get();
    if (failed != null && !tolerant) {
      thrown = true;
      throw failed;
    }
  }

  String replay() {
    return replay + " at " + now + " ns, event " + events;
  }

  /** From here on the run is being taken down: failures no longer stop it. */
  void tolerate() {
    tolerant = true;
  }

  void close() {
    closed = true;
  }

  // --- log
  // ----------------------------------------------------------------------------------------

  void log(LogEntry entry) {
    if (log.size() < MAX_LOG_ENTRIES) {
      log.add(entry);
    }
    Consumer<LogEntry> listener = logListener;
    if (listener != null) {
      listener.accept(entry);
    }
  }

  List<LogEntry> log() {
    return List.copyOf(log);
  }

  void listenToLog(@Nullable Consumer<LogEntry> listener) {
    this.logListener = listener;
  }

  // --- parts
  // --------------------------------------------------------------------------------------

  /** A task with a name for the trace. */
  record Named(String name, Runnable task) implements Runnable {
    @Override
    public void run() {
      task.run();
    }
  }

  private final class Guarded implements Runnable {
    private final Runnable task;

    Guarded(Runnable task) {
      this.task = task;
    }

    @Override
    public void run() {
      try {
        task.run();
      } catch (Throwable e) {
        fail("a task threw (" + task.getClass().getName() + ")", e);
      }
    }
  }

  private final class Serial implements SerialExecutor, Runnable {
    private final String name;
    private final java.util.ArrayDeque<Runnable> tasks = new java.util.ArrayDeque<>();
    private boolean arriving;

    Serial(String name) {
      this.name = name;
    }

    @Override
    public void execute(Runnable task) {
      checkOwner(task);
      tasks.add(task);
      if (tasks.size() == 1) {
        EventLoop.this.execute(name, this);
      }
    }

    @Override
    public void arrive(Runnable task) {
      if (arriving || !tasks.isEmpty()) {
        execute(task);
        return;
      }
      checkOwner(task);
      arriving = true;
      try {
        task.run();
      } finally {
        arriving = false;
      }
    }

    @Override
    public void run() {
      try {
        tasks.element().run();
      } finally {
        tasks.remove();
        if (!tasks.isEmpty()) {
          EventLoop.this.execute(name, this);
        }
      }
    }
  }

  private final class Timer implements Cancellable, Comparable<Timer> {
    private long due;
    private final long interval;
    private final Runnable task;
    private final Executor executor;
    private long sequence;
    private boolean cancelled;
    private boolean done;

    Timer(long due, long interval, Runnable task, Executor executor) {
      this.due = due;
      this.interval = interval;
      this.task = task;
      this.executor = executor;
    }

    void fire() {
      if (interval < 0) {
        done = true;
        executor.execute(this::run);
      } else {
        executor.execute(this::repeat);
      }
    }

    private void run() {
      try {
        task.run();
      } catch (SchedulerException e) {
        done = true; // Pekko's way to end the timer of a stopped actor
      } catch (Throwable e) {
        done = true;
        fail("a timer threw (" + task.getClass().getName() + ")", e);
      }
    }

    private void repeat() {
      if (cancelled) {
        return;
      }
      run();
      if (!done && !cancelled && !closed) {
        due = saturatedAdd(due, interval);
        add(this);
      }
    }

    @Override
    public boolean cancel() {
      checkOwner(task);
      if (cancelled || done) {
        return false;
      }
      cancelled = true;
      onCancelled();
      return true;
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }

    @Override
    public int compareTo(Timer other) {
      int byDue = Long.compare(due, other.due);
      return byDue != 0 ? byDue : Long.compare(sequence, other.sequence);
    }
  }

  private final class Unblocking implements BlockContext {
    @Override
    public <T> T blockOn(Function0<T> thunk, CanAwait permission) {
      if (!booting) {
        IllegalStateException blocked =
            new IllegalStateException("blocked in a simulation: nothing else could ever run");
        fail("an actor or a task blocked", blocked);
        throw blocked;
      }
      drain();
      return thunk.apply();
    }
  }
}
