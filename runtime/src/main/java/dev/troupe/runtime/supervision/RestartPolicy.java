package dev.troupe.runtime.supervision;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * How often what dies is started again: at most so many times within any window of time; when it
 * dies once more within it, never. Pure; not thread-safe.
 */
public final class RestartPolicy {

  /** So many restarts within {@link #WINDOW}; the next death is the last. */
  public static final int MOST_RESTARTS = 3;

  /** A restart counts for so long. */
  public static final Duration WINDOW = Duration.ofMinutes(5);

  private final int most;
  private final Duration window;

  /** When there was a restart that counts, the oldest first; {@code most} of them at most. */
  private final Deque<Long> restarts = new ArrayDeque<>();

  private boolean over;

  /**
   * A policy under which there has been no restart.
   *
   * @param most how many restarts within a window; 0 for none at all
   * @param window more than nothing
   */
  public RestartPolicy(int most, Duration window) {
    if (most < 0 || window.isZero() || window.isNegative()) {
      throw new IllegalArgumentException("not a policy: " + most + " within " + window);
    }
    this.most = most;
    this.window = window;
  }

  /** Three restarts within five minutes. */
  public static RestartPolicy usual() {
    return new RestartPolicy(MOST_RESTARTS, WINDOW);
  }

  /**
   * It died. Once the answer was no, it stays no.
   *
   * @param now monotonic, in nanoseconds, no earlier than at the call before
   * @return whether it is to be started again, at once
   */
  public boolean mayRestart(long now) {
    while (!restarts.isEmpty() && now - restarts.element() >= window.toNanos()) {
      restarts.remove();
    }
    over |= restarts.size() >= most;
    if (!over) {
      restarts.add(now);
    }
    return !over;
  }

  /** How many restarts within the window there were, as of the last death. */
  public int restarts() {
    return restarts.size();
  }
}
