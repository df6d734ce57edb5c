package dev.troupe.simulation.kernel;

import com.typesafe.config.Config;
import java.io.Closeable;
import java.util.concurrent.ThreadFactory;
import org.apache.pekko.actor.AbstractScheduler;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.event.LoggingAdapter;
import scala.concurrent.ExecutionContext;
import scala.concurrent.duration.FiniteDuration;

/**
 * Pekko's scheduler on virtual time: hands every timer to the {@link EventLoop}, to the nanosecond,
 * ties in order of scheduling.
 */
final class VirtualScheduler extends AbstractScheduler implements Closeable {

  private final EventLoop loop;

  /** Called by Pekko, by reflection, on the thread that boots the system. */
  public VirtualScheduler(Config config, LoggingAdapter log, ThreadFactory threads) {
    this.loop = EventLoop.booting();
  }

  @Override
  public Cancellable scheduleOnce(FiniteDuration delay, Runnable task, ExecutionContext executor) {
    return loop.schedule(delay.toNanos(), task, executor::execute);
  }

  @Override
  @SuppressWarnings("deprecation") // Pekko's own fixed rates come through it
  public Cancellable schedule(
      FiniteDuration initialDelay,
      FiniteDuration interval,
      Runnable task,
      ExecutionContext executor) {
    return loop.scheduleAtFixedRate(
        initialDelay.toNanos(), interval.toNanos(), task, executor::execute);
  }

  @Override
  public double maxFrequency() {
    return 1e9;
  }

  @Override
  public void close() {
    loop.closeTimers();
  }
}
