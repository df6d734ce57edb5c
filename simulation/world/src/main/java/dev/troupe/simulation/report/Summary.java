package dev.troupe.simulation.report;

/** The middle and the ends of some numbers. */
record Summary(int count, long min, long median, long p90, long p99, long max) {

  /**
   * Of numbers in ascending order.
   *
   * @param sorted at least one
   */
  static Summary of(long[] sorted) {
    return new Summary(
        sorted.length,
        sorted[0],
        quantile(sorted, 0.5),
        quantile(sorted, 0.9),
        quantile(sorted, 0.99),
        sorted[sorted.length - 1]);
  }

  /** The least of the numbers that so many, as a part of 1, do not exceed. */
  static long quantile(long[] sorted, double part) {
    return sorted[Math.max(0, (int) Math.ceil(part * sorted.length) - 1)];
  }
}
