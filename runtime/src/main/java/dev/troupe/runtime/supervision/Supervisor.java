package dev.troupe.runtime.supervision;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one child process running: started again whenever it ends, as often as the {@link
 * RestartPolicy} says.
 *
 * <p>The child writes where this process writes. Its standard input is a pipe that nobody writes to
 * and that ends with this process, however that ends: a child that heeds the end of it outlives
 * nobody.
 *
 * <p>{@link #run} belongs to one thread; {@link #stop} may be called from any.
 */
public final class Supervisor {

  /** How long a child may take to end in order, before it is killed. */
  public static final Duration GRACE = Duration.ofSeconds(20);

  /** The exit code of a child that did not understand its command line: it never will. */
  public static final int USAGE = 2;

  /** How it ended. */
  public enum Ending {
    /** It was stopped, and the child has ended. */
    STOPPED,
    /** The child died too often. */
    GAVE_UP,
    /** The child did not understand its command line. */
    MISUSED,
    /** There is no way to start the child. */
    NOT_STARTED
  }

  /** Hears what happens, on the thread that runs the supervisor. */
  public interface Listener {

    /**
     * A child was started.
     *
     * @param restarts within the window of the policy, this one included
     */
    void started(long pid, int restarts);

    /**
     * It ended without having been stopped.
     *
     * @param exitCode as the system has it: on Unix 128 and the number of a signal that killed it
     */
    void died(long pid, int exitCode);

    /** A child cannot be started. */
    void notStarted(IOException failure);
  }

  private final List<String> command;
  private final RestartPolicy policy;
  private final LongSupplier ticker;
  private final Listener listener;
  private final Duration grace;

  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable Process child;
  private boolean stopping;

  /**
   * Starts nothing yet.
   *
   * @param command of the child
   * @param ticker monotonic time, in nanoseconds
   */
  public Supervisor(
      List<String> command, RestartPolicy policy, LongSupplier ticker, Listener listener) {
    this(command, policy, ticker, listener, GRACE);
  }

  Supervisor(
      List<String> command,
      RestartPolicy policy,
      LongSupplier ticker,
      Listener listener,
      Duration grace) {
    this.grace = grace;
    this.command = List.copyOf(command);
    this.policy = policy;
    this.ticker = ticker;
    this.listener = listener;
  }

  /** Runs the child until there is none any more; called once. */
  public Ending run() throws InterruptedException {
    while (true) {
      Process started;
      try {
        started = start();
      } catch (IOException e) {
        listener.notStarted(e);
        return Ending.NOT_STARTED;
      }
      if (started == null) {
        return Ending.STOPPED;
      }
      listener.started(started.pid(), policy.restarts());
      int exitCode = started.waitFor();
      if (isStopping()) {
        return Ending.STOPPED;
      }
      listener.died(started.pid(), exitCode);
      if (exitCode == USAGE) {
        return Ending.MISUSED;
      }
      if (!policy.mayRestart(ticker.getAsLong())) {
        return Ending.GAVE_UP;
      }
    }
  }

  /** Null where it has been stopped: from then on nothing is started. */
  private @Nullable Process start() throws IOException {
    lock.lock();
    try {
      if (stopping) {
        return null;
      }
      child =
          new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      return child;
    } finally {
      lock.unlock();
    }
  }

  private boolean isStopping() {
    lock.lock();
    try {
      return stopping;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends the child: in order, and by force after {@link #GRACE}. Returns when it has ended, and no
   * other will be started.
   */
  public void stop() throws InterruptedException {
    Process last;
    lock.lock();
    try {
      stopping = true;
      last = child;
    } finally {
      lock.unlock();
    }
    if (last == null) {
      return;
    }
    endInOrder(last);
    if (!last.waitFor(grace.toMillis(), TimeUnit.MILLISECONDS)) {
      last.destroyForcibly().waitFor();
    }
  }

  private static void endInOrder(Process process) {
    if (process.supportsNormalTermination()) {
      process.destroy();
      return;
    }
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      process.destroyForcibly();
    }
  }
}
