package dev.troupe.protocol.gossipsub;

import java.time.Duration;
import java.util.Objects;

/**
 * The parameters of the router (GossipSub 1.0, "Parameters"; 1.1, "Overview of New Parameters").
 *
 * @param degree D, the mesh members aimed at (default 6)
 * @param degreeLow D_low: below it, peers are grafted (default 5)
 * @param degreeHigh D_high: above it, members are pruned down to D (default 12)
 * @param degreeLazy D_lazy: the least number of peers to gossip to (default 6)
 * @param degreeOut D_out: mesh members whose connection we opened, at least (default 2; below D_low
 *     and at most D / 2)
 * @param gossipFactor the share of the topic's other peers to gossip to, where that is more than
 *     D_lazy (default 0.25)
 * @param initialDelay from the start to the first heartbeat (default 50 ms)
 * @param heartbeatInterval between heartbeats (default 500 ms)
 * @param fanoutTtl for how long after the last publication to remember a topic that is not
 *     subscribed (default 60 s)
 * @param historyLength for how many heartbeats a message is kept for IWANT (default 5)
 * @param historyGossip for how many heartbeats a message is told of in IHAVE (default 3)
 * @param seenTtl for how long a message id is known as seen (default 300 s)
 * @param pruneBackoff after a PRUNE, no graft for this long (default 60 s; whole seconds)
 * @param unsubscribeBackoff the same after leaving a topic (default 10 s; whole seconds)
 * @param floodPublish whether own messages go to all peers of the topic rather than only to the
 *     mesh or fanout (default true)
 * @param maxIHaveMessages IHAVE entries of one peer between two heartbeats; the rest is ignored
 *     (default 10)
 * @param maxIHaveLength message ids asked of one peer between two heartbeats, and most ids told in
 *     one IHAVE (default 5000)
 * @param gossipRetransmission how often one message is sent to one peer on IWANT (default 3)
 * @param maxInvalidMessages invalid messages (with a signature that does not hold, or without what
 *     it takes to check one) of one peer between two heartbeats; one more and the peer is put on
 *     the graylist (default 16)
 * @param maxSubscriptionChanges how often one peer may join or leave one topic between two
 *     heartbeats; what it says beyond that counts at the next heartbeat (default 4)
 * @param limits what the router may hold
 */
public record GossipsubSettings(
    int degree,
    int degreeLow,
    int degreeHigh,
    int degreeLazy,
    int degreeOut,
    double gossipFactor,
    Duration initialDelay,
    Duration heartbeatInterval,
    Duration fanoutTtl,
    int historyLength,
    int historyGossip,
    Duration seenTtl,
    Duration pruneBackoff,
    Duration unsubscribeBackoff,
    boolean floodPublish,
    int maxIHaveMessages,
    int maxIHaveLength,
    int gossipRetransmission,
    int maxInvalidMessages,
    int maxSubscriptionChanges,
    Limits limits) {

  /**
   * What the router may hold, and what it does when that is not enough.
   *
   * @param peers peers that it knows; a further one is not taken in (default 2000)
   * @param topics topics that we are subscribed to, and as many that we publish to without (default
   *     1000)
   * @param topicsPerPeer subscriptions of one peer; further ones are ignored (default 1000)
   * @param seen message ids; the oldest are forgotten first, so that under an extreme rate an old
   *     message may be taken for new (default 200,000)
   * @param cachedMessages messages in the message cache; the oldest go first (default 20,000)
   * @param cachedBytes their payloads in all; the oldest go first (default 64 MiB)
   * @param backoffs remembered backoffs; the oldest go first (default 20,000)
   */
  public record Limits(
      int peers,
      int topics,
      int topicsPerPeer,
      int seen,
      int cachedMessages,
      long cachedBytes,
      int backoffs) {

    /** The defaults named above. */
    public static final Limits DEFAULT =
        new Limits(2_000, 1_000, 1_000, 200_000, 20_000, 64L << 20, 20_000);

    /**
     * Checks that every limit is positive.
     *
     * @throws IllegalArgumentException naming the one that is not
     */
    public Limits {
      positive("limits.peers", peers);
      positive("limits.topics", topics);
      positive("limits.topicsPerPeer", topicsPerPeer);
      positive("limits.seen", seen);
      positive("limits.cachedMessages", cachedMessages);
      positive("limits.cachedBytes", cachedBytes);
      positive("limits.backoffs", backoffs);
    }

    // Its own: a call of the enclosing class would initialise that first, with DEFAULT still null
    // here.
    private static void positive(String name, long value) {
      if (value <= 0) {
        throw new IllegalArgumentException(name + " must be positive, not " + value);
      }
    }
  }

  /** The defaults named above. */
  public static final GossipsubSettings DEFAULT =
      new GossipsubSettings(
          6,
          5,
          12,
          6,
          2,
          0.25,
          Duration.ofMillis(50),
          Duration.ofMillis(500),
          Duration.ofSeconds(60),
          5,
          3,
          Duration.ofSeconds(300),
          Duration.ofSeconds(60),
          Duration.ofSeconds(10),
          true,
          10,
          5_000,
          3,
          16,
          4,
          Limits.DEFAULT);

  /**
   * Checks the parameters and their relations.
   *
   * @throws IllegalArgumentException naming the one that is wrong
   */
  public GossipsubSettings {
    Objects.requireNonNull(limits, "limits");
    positive("degree", degree);
    positive("degreeLow", degreeLow);
    positive("degreeLazy", degreeLazy);
    if (degreeLow > degree || degree > degreeHigh) {
      throw new IllegalArgumentException(
          "degreeLow <= degree <= degreeHigh must hold, not "
              + degreeLow
              + ", "
              + degree
              + ", "
              + degreeHigh);
    }
    if (degreeOut < 0 || degreeOut >= degreeLow || degreeOut > degree / 2) {
      throw new IllegalArgumentException(
          "degreeOut must be below degreeLow and at most degree / 2, not " + degreeOut);
    }
    if (!(gossipFactor >= 0 && gossipFactor <= 1)) {
      throw new IllegalArgumentException("gossipFactor must be 0 to 1, not " + gossipFactor);
    }
    positive("initialDelay", initialDelay.toNanos());
    positive("heartbeatInterval", heartbeatInterval.toNanos());
    positive("fanoutTtl", fanoutTtl.toNanos());
    positive("historyGossip", historyGossip);
    if (historyLength < historyGossip) {
      throw new IllegalArgumentException(
          "historyLength must not be below historyGossip, but is " + historyLength);
    }
    positive("seenTtl", seenTtl.toNanos());
    positive("pruneBackoff in seconds", pruneBackoff.toSeconds());
    positive("unsubscribeBackoff in seconds", unsubscribeBackoff.toSeconds());
    positive("maxIHaveMessages", maxIHaveMessages);
    positive("maxIHaveLength", maxIHaveLength);
    if (maxIHaveLength > RpcCodec.MAX_MESSAGE_IDS) {
      throw new IllegalArgumentException(
          "maxIHaveLength must be at most "
              + RpcCodec.MAX_MESSAGE_IDS
              + ", the ids that one RPC may have, not "
              + maxIHaveLength);
    }
    positive("gossipRetransmission", gossipRetransmission);
    positive("maxInvalidMessages", maxInvalidMessages);
    positive("maxSubscriptionChanges", maxSubscriptionChanges);
  }

  /** The same with other degrees. */
  public GossipsubSettings withDegrees(int low, int target, int high, int lazy, int out) {
    return new GossipsubSettings(
        target,
        low,
        high,
        lazy,
        out,
        gossipFactor,
        initialDelay,
        heartbeatInterval,
        fanoutTtl,
        historyLength,
        historyGossip,
        seenTtl,
        pruneBackoff,
        unsubscribeBackoff,
        floodPublish,
        maxIHaveMessages,
        maxIHaveLength,
        gossipRetransmission,
        maxInvalidMessages,
        maxSubscriptionChanges,
        limits);
  }

  /** The same with another pause between heartbeats. */
  public GossipsubSettings withHeartbeatInterval(Duration interval) {
    return new GossipsubSettings(
        degree,
        degreeLow,
        degreeHigh,
        degreeLazy,
        degreeOut,
        gossipFactor,
        initialDelay,
        interval,
        fanoutTtl,
        historyLength,
        historyGossip,
        seenTtl,
        pruneBackoff,
        unsubscribeBackoff,
        floodPublish,
        maxIHaveMessages,
        maxIHaveLength,
        gossipRetransmission,
        maxInvalidMessages,
        maxSubscriptionChanges,
        limits);
  }

  /** The same with or without flood publishing. */
  public GossipsubSettings withFloodPublish(boolean flood) {
    return new GossipsubSettings(
        degree,
        degreeLow,
        degreeHigh,
        degreeLazy,
        degreeOut,
        gossipFactor,
        initialDelay,
        heartbeatInterval,
        fanoutTtl,
        historyLength,
        historyGossip,
        seenTtl,
        pruneBackoff,
        unsubscribeBackoff,
        flood,
        maxIHaveMessages,
        maxIHaveLength,
        gossipRetransmission,
        maxInvalidMessages,
        maxSubscriptionChanges,
        limits);
  }

  /** The same with other limits. */
  public GossipsubSettings withLimits(Limits newLimits) {
    return new GossipsubSettings(
        degree,
        degreeLow,
        degreeHigh,
        degreeLazy,
        degreeOut,
        gossipFactor,
        initialDelay,
        heartbeatInterval,
        fanoutTtl,
        historyLength,
        historyGossip,
        seenTtl,
        pruneBackoff,
        unsubscribeBackoff,
        floodPublish,
        maxIHaveMessages,
        maxIHaveLength,
        gossipRetransmission,
        maxInvalidMessages,
        maxSubscriptionChanges,
        newLimits);
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }
}
