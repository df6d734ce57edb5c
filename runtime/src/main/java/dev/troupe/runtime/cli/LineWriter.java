package dev.troupe.runtime.cli;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Writes lines on a thread of its own, so that nobody who has something to say waits for whoever
 * reads it.
 *
 * <p>Lines wait in a queue of at most {@value #MAX_LINES} lines and {@value #MAX_CHARS} characters.
 * When it is full, an event is dropped and counted, and a line says how many as soon as there is
 * room. A reply is never dropped: replies are bounded where commands are read, by {@link
 * #awaitRoom}. Thread-safe.
 */
final class LineWriter implements AutoCloseable {

  /** The most lines that wait, but for replies. */
  static final int MAX_LINES = 4096;

  /** The most characters that wait, but for replies and one event. */
  static final int MAX_CHARS = 16 * 1024 * 1024;

  /** How long {@link #close} waits for what has not been written, in seconds. */
  private static final long CLOSING_SECONDS = 5;

  private final LongFunction<String> dropped;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<String> lines = new ArrayDeque<>();
  private long chars;
  private long drops;
  private boolean closed;
  private boolean idle;

  /** Held while a line is written. */
  private final ReentrantLock writing = new ReentrantLock();

  private Consumer<String> sink;

  /**
   * Starts the thread.
   *
   * @param sink takes a line, and may block
   * @param dropped the line that says how many events were dropped
   */
  LineWriter(Consumer<String> sink, LongFunction<String> dropped) {
    this.sink = sink;
    this.dropped = dropped;
    this.thread = new Thread(this::write, "troupe-output");
    thread.setDaemon(true);
    thread.start();
  }

  /** From now on lines go there; waits for the line that is being written. */
  void redirect(Consumer<String> other) {
    writing.lock();
    try {
      sink = other;
    } finally {
      writing.unlock();
    }
  }

  /** A line that may be dropped. */
  void event(String line) {
    lock.lock();
    try {
      if (isFull()) {
        drops++;
      } else {
        add(line);
      }
    } finally {
      lock.unlock();
    }
  }

  /** A line that may not. */
  void reply(String line) {
    lock.lock();
    try {
      add(line);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the queue is not full: for the one who reads what is to be replied to. */
  void awaitRoom() {
    lock.lock();
    try {
      while (isFull() && !closed) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean isFull() {
    return lines.size() >= MAX_LINES || chars >= MAX_CHARS;
  }

  private void add(String line) {
    noteDrops();
    lines.add(line);
    chars += line.length();
    changed.signalAll();
  }

  private void noteDrops() {
    if (drops > 0 && !isFull()) {
      String note = dropped.apply(drops);
      drops = 0;
      lines.add(note);
      chars += note.length();
    }
  }

  private void write() {
    for (String line = next(); line != null; line = next()) {
      writing.lock();
      try {
        sink.accept(line);
      } finally {
        writing.unlock();
      }
    }
  }

  private @Nullable String next() {
    lock.lock();
    try {
      noteDrops();
      while (lines.isEmpty() && !closed) {
        idle = true;
        changed.signalAll();
        changed.awaitUninterruptibly();
      }
      idle = false;
      String line = lines.poll();
      if (line == null) {
        idle = true;
      } else {
        chars -= line.length();
      }
      changed.signalAll();
      return line;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for what has not been written, but not for ever. */
  @Override
  public void close() {
    lock.lock();
    try {
      long left = TimeUnit.SECONDS.toNanos(CLOSING_SECONDS);
      while (!(idle && lines.isEmpty()) && left > 0) {
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      closed = true;
      changed.signalAll();
      lock.unlock();
    }
  }
}
