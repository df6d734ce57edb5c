package dev.troupe.protocol.kademlia;

/**
 * How long answers take, reckoned as TCP does it (RFC 6298, sections 2 and 5): a smoothed time, how
 * much it varies, and how often in a row nothing came within what followed from these. Immutable.
 *
 * @param smoothed in nanoseconds; negative before anything was measured
 * @param variation the smoothed deviation from that, in nanoseconds
 * @param doublings timeouts since the last measurement
 */
record RoundTrip(long smoothed, long variation, int doublings) {

  /** Nothing is known. */
  static final RoundTrip UNKNOWN = new RoundTrip(-1, 0, 0);

  /** More would shift any time out of range; the ceiling is reached long before. */
  private static final int MAX_DOUBLINGS = 32;

  boolean isMeasured() {
    return smoothed >= 0;
  }

  /** An answer has come after so long; that ends the doubling. */
  RoundTrip measured(long took) {
    if (!isMeasured()) {
      return new RoundTrip(took, took / 2, 0);
    }
    long deviation = Math.abs(smoothed - took);
    return new RoundTrip(
        smoothed + (took - smoothed) / 8, variation + (deviation - variation) / 4, 0);
  }

  /** No answer came in time, so many times: each time, the next may take twice as long. */
  RoundTrip timedOut(int times) {
    return new RoundTrip(smoothed, variation, Math.min(MAX_DOUBLINGS, doublings + times));
  }

  /**
   * How long to wait for an answer.
   *
   * @param floor no less, before the doubling
   * @param ceiling no more, and so long while nothing is known
   */
  long timeout(long floor, long ceiling) {
    if (!isMeasured()) {
      return ceiling;
    }
    long timeout = Math.min(ceiling, Math.max(floor, smoothed + 4 * variation));
    for (int i = 0; i < doublings && timeout < ceiling; i++) {
      timeout = timeout > ceiling / 2 ? ceiling : 2 * timeout;
    }
    return timeout;
  }
}
