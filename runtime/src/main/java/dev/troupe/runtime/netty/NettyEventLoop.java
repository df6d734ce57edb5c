package dev.troupe.runtime.netty;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.link.EventLoop;
import io.netty.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * One of Netty's event loops; equal for equal loops. Tasks that come after its shutdown are
 * dropped.
 */
record NettyEventLoop(io.netty.channel.EventLoop netty) implements EventLoop {

  @Override
  public boolean inLoop() {
    return netty.inEventLoop();
  }

  @Override
  public void execute(Runnable task) {
    try {
      netty.execute(task);
    } catch (RejectedExecutionException e) {
      // The group has been shut down: what the task was for is gone.
      assert netty.isShuttingDown();
    }
  }

  @Override
  public long nanos() {
    return System.nanoTime();
  }

  @Override
  public Cancellable schedule(long delayNanos, Runnable task) {
    try {
      Future<?> timer = netty.schedule(task, Math.max(0, delayNanos), TimeUnit.NANOSECONDS);
      return () -> timer.cancel(false);
    } catch (RejectedExecutionException e) {
      assert netty.isShuttingDown();
      return () -> {};
    }
  }
}
