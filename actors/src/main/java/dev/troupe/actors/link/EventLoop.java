package dev.troupe.actors.link;

import dev.troupe.actors.host.Cancellable;

/**
 * One thread of control that runs tasks in order, with its own monotonic time: a Netty event loop,
 * or the queue of a simulator. Everything of one link happens on its loop. Thread-safe.
 */
public interface EventLoop {

  /** Whether the caller runs on this loop. */
  boolean inLoop();

  /**
   * Runs a task on the loop, never before this method has returned; tasks keep the order in which
   * they came.
   */
  void execute(Runnable task);

  /**
   * Monotonic time in nanoseconds; only differences mean something. Meant to be read on the loop.
   */
  long nanos();

  /**
   * Runs a task on the loop after a delay.
   *
   * @param delayNanos in nanoseconds; zero or less means as soon as possible
   * @return calls it off if it has not run
   */
  Cancellable schedule(long delayNanos, Runnable task);
}
