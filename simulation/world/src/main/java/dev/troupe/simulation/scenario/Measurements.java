package dev.troupe.simulation.scenario;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IntSummaryStatistics;
import java.util.List;

/**
 * What is noted of a run while it goes on, for those who want to see more of it than whether it was
 * clean. Noting sends no message and draws no chance: the trace is the same with and without.
 */
public final class Measurements {

  /** Of this many deliveries the times are kept; of more, only how many there were. */
  static final int MAX_DELIVERIES = 1_000_000;

  /** One start of a peer. */
  public static final class Start {
    private final String node;
    private final int incarnation;
    private final long startedAt;
    private long readyAt = -1;

    Start(String node, int incarnation, long startedAt) {
      this.node = node;
      this.incarnation = incarnation;
      this.startedAt = startedAt;
    }

    /** Whose. */
    public String node() {
      return node;
    }

    /** Its first start is 1. */
    public int incarnation() {
      return incarnation;
    }

    /** When, in virtual nanoseconds. */
    public long startedAt() {
      return startedAt;
    }

    /** How long until its DHT was ready with somebody in the table, in nanoseconds; or -1. */
    public long toReady() {
      return readyAt < 0 ? -1 : readyAt - startedAt;
    }

    void ready(long now) {
      readyAt = now;
    }
  }

  /**
   * One look at all meshes of all topics.
   *
   * @param at in virtual nanoseconds
   * @param meshes how many: one for each subscription that has been answered
   */
  public record MeshLook(long at, long meshes, int min, double mean, int max) {}

  /**
   * A lookup of something that was there to be found, from when it was asked for until the answer.
   *
   * @param kind the first word of what was asked
   * @param askedAt in virtual nanoseconds
   * @param found whether the answer was what is there
   * @param hops see {@link Operation#hops}
   * @param took in nanoseconds
   */
  public record LiveLookup(String kind, long askedAt, boolean found, int hops, long took) {}

  private final int maxDeliveries;
  private final List<Start> starts = new ArrayList<>();
  private final List<MeshLook> meshLooks = new ArrayList<>();
  private final List<LiveLookup> liveLookups = new ArrayList<>();
  private long[] publishedAt = new long[64];
  private long[] latencies = new long[64];
  private int kept;
  private long deliveries;

  Measurements() {
    this(MAX_DELIVERIES);
  }

  Measurements(int maxDeliveries) {
    this.maxDeliveries = maxDeliveries;
  }

  Start started(String node, int incarnation, long now) {
    Start start = new Start(node, incarnation, now);
    starts.add(start);
    return start;
  }

  void delivered(long published, long now) {
    deliveries++;
    if (kept == maxDeliveries) {
      return;
    }
    if (kept == latencies.length) {
      int larger = Math.min(maxDeliveries, 2 * kept);
      publishedAt = Arrays.copyOf(publishedAt, larger);
      latencies = Arrays.copyOf(latencies, larger);
    }
    publishedAt[kept] = published;
    latencies[kept++] = now - published;
  }

  /** Notes the degrees of all meshes at an instant; of none, nothing. */
  public void meshes(long now, IntSummaryStatistics degrees) {
    if (degrees.getCount() > 0) {
      meshLooks.add(
          new MeshLook(
              now, degrees.getCount(), degrees.getMin(), degrees.getAverage(), degrees.getMax()));
    }
  }

  /** Notes an answered lookup of something that was there; the scenario knows what is. */
  public void lookedUp(Operation lookup, boolean found) {
    liveLookups.add(
        new LiveLookup(
            lookup.what().split(" ", 2)[0],
            lookup.askedAt(),
            found,
            lookup.hops(),
            lookup.latency()));
  }

  /** The lookups of what was there, in the order in which they were noted. */
  public List<LiveLookup> liveLookups() {
    return liveLookups;
  }

  /** Each start of each peer, in order. */
  public List<Start> starts() {
    return starts;
  }

  /** The looks at the meshes, in order. */
  public List<MeshLook> meshLooks() {
    return meshLooks;
  }

  /** How often a message that was published to all reached another peer for the first time. */
  public long deliveries() {
    return deliveries;
  }

  /** Of how many deliveries the times were kept: the first ones, in order. */
  public int kept() {
    return kept;
  }

  /** When the message of a delivery was published, in virtual nanoseconds. */
  public long publishedAt(int delivery) {
    return publishedAt[delivery];
  }

  /** How long a delivery took, in nanoseconds. */
  public long latency(int delivery) {
    return latencies[delivery];
  }
}
