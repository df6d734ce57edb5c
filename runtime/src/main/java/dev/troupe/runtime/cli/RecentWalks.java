package dev.troupe.runtime.cli;

import dev.troupe.actors.world.Measurements;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The last {@value #MAX} walks of the DHT towards a key, of all peers of a process; passes on all
 * that it hears. Thread-safe.
 */
final class RecentWalks implements Measurements {

  /** How many are remembered; the oldest goes first. */
  static final int MAX = 16;

  /**
   * One walk.
   *
   * @param ago since it was over
   */
  record Walk(int asked, int hops, Duration took, Duration ago) {}

  private record Ended(int asked, int hops, Duration took, long at) {}

  private final Measurements next;
  private final LongSupplier ticker;
  private final Deque<Ended> walks = new ArrayDeque<>();

  RecentWalks(Measurements next, LongSupplier ticker) {
    this.next = next;
    this.ticker = ticker;
  }

  /** The latest first. */
  synchronized List<Walk> latest() {
    long now = ticker.getAsLong();
    return walks.stream()
        .map(
            each ->
                new Walk(each.asked(), each.hops(), each.took(), Duration.ofNanos(now - each.at())))
        .toList();
  }

  @Override
  public void onWalked(int asked, int hops, Duration took) {
    synchronized (this) {
      if (walks.size() == MAX) {
        walks.removeLast();
      }
      walks.addFirst(new Ended(asked, hops, took, ticker.getAsLong()));
    }
    next.onWalked(asked, hops, took);
  }

  @Override
  public void onOperationBegun(DhtOperation operation, Duration waited) {
    next.onOperationBegun(operation, waited);
  }

  @Override
  public void onOperationEnded(DhtOperation operation, @Nullable Enum<?> failure) {
    next.onOperationEnded(operation, failure);
  }
}
