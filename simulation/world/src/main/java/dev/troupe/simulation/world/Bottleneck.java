package dev.troupe.simulation.world;

/** What passes so many bytes in a virtual second, one parcel after the other; a queue of time. */
final class Bottleneck {

  private static final long SECOND = 1_000_000_000L;

  private long bytesPerSecond;
  private long busyUntil;

  /** 0 for no limit. What is passing goes on as it was. */
  void limit(long newBytesPerSecond) {
    if (newBytesPerSecond < 0) {
      throw new IllegalArgumentException("bytes a second: 0 or more, not " + newBytesPerSecond);
    }
    bytesPerSecond = newBytesPerSecond;
  }

  /** Nothing passes until then. */
  void close(long until) {
    busyUntil = Math.max(busyUntil, until);
  }

  /** Nothing is in the way any more. */
  void free() {
    bytesPerSecond = 0;
    busyUntil = 0;
  }

  /** When a parcel that comes now has passed. */
  long pass(long now, long bytes) {
    long from = Math.max(now, busyUntil);
    if (bytesPerSecond == 0) {
      return from;
    }
    busyUntil = from + Math.max(1, bytes * SECOND / bytesPerSecond);
    return busyUntil;
  }
}
