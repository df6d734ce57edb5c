package dev.troupe.runtime.cli;

import java.util.concurrent.CountDownLatch;

/**
 * The end of a command that runs until it is told: by {@link #ask}, or by a signal. The JVM that a
 * signal ends waits until this is closed, so that everything comes to its end in order.
 */
final class Ending implements AutoCloseable {

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);

  Ending() {
    Runtime.getRuntime().addShutdownHook(new Thread(this::onSignal, "troupe-signal"));
  }

  private void onSignal() {
    asked.countDown();
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Asks for the end. */
  void ask() {
    asked.countDown();
  }

  /** Waits until somebody asks for the end. */
  void await() throws InterruptedException {
    asked.await();
  }

  /** Everything is in order. */
  @Override
  public void close() {
    closed.countDown();
  }
}
