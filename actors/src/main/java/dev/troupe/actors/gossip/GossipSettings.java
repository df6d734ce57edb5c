package dev.troupe.actors.gossip;

import dev.troupe.protocol.gossipsub.GossipsubSettings;
import dev.troupe.protocol.gossipsub.RpcCodec;
import java.time.Duration;
import java.util.Objects;

/**
 * The limits and intervals of {@link Gossip}.
 *
 * @param router the parameters of the protocol
 * @param queueBytes what may wait to be sent to one peer, in bytes (default 4 MiB; at least two
 *     largest RPCs)
 * @param queueFrames the same as a number of RPCs (default 4096)
 * @param inboundWindow bytes of one peer that may be on their way to the router (default 256 KiB)
 * @param inboundStreamsPerPeer open streams of one peer to us; when it opens more, its oldest is
 *     reset (default 2)
 * @param openAttempts how often in a row a stream to a peer is tried before the peer is given up
 *     until it identifies or opens a stream again (default 4)
 * @param openRetry the pause before the second of them, doubled before each further one (default 1
 *     s)
 * @param subscribersPerTopic local subscribers of one topic; a further one is refused (default
 *     1000)
 * @param graylistTime for how long a peer that sent too many invalid messages is put aside: none of
 *     its streams is accepted, and it is told nothing (default 10 min)
 * @param graylistPeers how many peers are put aside at a time; of more, the one put aside first is
 *     let in again (default 1000)
 * @param topic of each subscription
 */
public record GossipSettings(
    GossipsubSettings router,
    int queueBytes,
    int queueFrames,
    int inboundWindow,
    int inboundStreamsPerPeer,
    int openAttempts,
    Duration openRetry,
    int subscribersPerTopic,
    Duration graylistTime,
    int graylistPeers,
    TopicSettings topic) {

  /**
   * How a subscription finds peers.
   *
   * @param meshDeadline how long to wait for the first mesh member before saying that there is none
   *     (default 5 s)
   * @param advertiseTtl how long the DHT remembers an advertisement; it is repeated at half of it
   *     (default 3 h)
   * @param advertiseAttempts tries in a row (default 3)
   * @param advertiseRetry the pause before the second of them, doubled before the third (default 2
   *     s)
   * @param discoveryPrefix what stands before the topic's name in the name under which it is
   *     advertised and discovered. Empty (the default) is what go-libp2p's routing discovery does
   *     with the plain name; {@code floodsub:} is what go-libp2p-pubsub does when it discovers by
   *     itself. Peers find each other only under the same name
   * @param discoverLimit how many providers to ask the DHT for (default 100)
   * @param discoverDials how many of them to dial at once; when so many are reached, the others
   *     wait for the next discovery (default 5)
   * @param discoverBackoff the pause before discovering again while the mesh is below D_low,
   *     doubled each time (default 10 s)
   * @param discoverBackoffMax its maximum (default 10 min)
   */
  public record TopicSettings(
      Duration meshDeadline,
      Duration advertiseTtl,
      int advertiseAttempts,
      Duration advertiseRetry,
      String discoveryPrefix,
      int discoverLimit,
      int discoverDials,
      Duration discoverBackoff,
      Duration discoverBackoffMax) {

    /** The defaults named above. */
    public static final TopicSettings DEFAULT =
        new TopicSettings(
            Duration.ofSeconds(5),
            Duration.ofHours(3),
            3,
            Duration.ofSeconds(2),
            "",
            100,
            5,
            Duration.ofSeconds(10),
            Duration.ofMinutes(10));

    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException naming the one that is wrong
     */
    public TopicSettings {
      atLeast(1, "topic.meshDeadline", meshDeadline.toNanos());
      atLeast(2, "topic.advertiseTtl", advertiseTtl.toNanos());
      atLeast(1, "topic.advertiseAttempts", advertiseAttempts);
      atLeast(1, "topic.advertiseRetry", advertiseRetry.toNanos());
      Objects.requireNonNull(discoveryPrefix, "topic.discoveryPrefix");
      atLeast(1, "topic.discoverLimit", discoverLimit);
      atLeast(1, "topic.discoverDials", discoverDials);
      atLeast(1, "topic.discoverBackoff", discoverBackoff.toNanos());
      atLeast(discoverBackoff.toNanos(), "topic.discoverBackoffMax", discoverBackoffMax.toNanos());
    }

    // Its own: a call of the enclosing class would initialise that first, with DEFAULT still null
    // here.
    private static void atLeast(long least, String name, long value) {
      if (value < least) {
        throw new IllegalArgumentException(name + " must be at least " + least + ", not " + value);
      }
    }

    /** The same under another name in the DHT. */
    public TopicSettings withDiscoveryPrefix(String prefix) {
      return new TopicSettings(
          meshDeadline,
          advertiseTtl,
          advertiseAttempts,
          advertiseRetry,
          prefix,
          discoverLimit,
          discoverDials,
          discoverBackoff,
          discoverBackoffMax);
    }
  }

  /** The defaults named above. */
  public static final GossipSettings DEFAULT =
      new GossipSettings(
          GossipsubSettings.DEFAULT,
          4 << 20,
          4096,
          256 << 10,
          2,
          4,
          Duration.ofSeconds(1),
          1000,
          Duration.ofMinutes(10),
          1000,
          TopicSettings.DEFAULT);

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the one that is wrong
   */
  public GossipSettings {
    Objects.requireNonNull(router, "router");
    Objects.requireNonNull(topic, "topic");
    atLeast(2L * RpcCodec.MAX_RPC_BYTES, "queueBytes", queueBytes);
    atLeast(1, "queueFrames", queueFrames);
    atLeast(1, "inboundWindow", inboundWindow);
    atLeast(1, "inboundStreamsPerPeer", inboundStreamsPerPeer);
    atLeast(1, "openAttempts", openAttempts);
    atLeast(1, "openRetry", openRetry.toNanos());
    atLeast(1, "subscribersPerTopic", subscribersPerTopic);
    atLeast(1, "graylistTime", graylistTime.toNanos());
    atLeast(1, "graylistPeers", graylistPeers);
  }

  /** The same with other settings of each subscription. */
  public GossipSettings withTopic(TopicSettings other) {
    return new GossipSettings(
        router,
        queueBytes,
        queueFrames,
        inboundWindow,
        inboundStreamsPerPeer,
        openAttempts,
        openRetry,
        subscribersPerTopic,
        graylistTime,
        graylistPeers,
        other);
  }

  /** The same with other parameters of the protocol. */
  public GossipSettings withRouter(GossipsubSettings other) {
    return new GossipSettings(
        other,
        queueBytes,
        queueFrames,
        inboundWindow,
        inboundStreamsPerPeer,
        openAttempts,
        openRetry,
        subscribersPerTopic,
        graylistTime,
        graylistPeers,
        topic);
  }

  private static void atLeast(long least, String name, long value) {
    if (value < least) {
      throw new IllegalArgumentException(name + " must be at least " + least + ", not " + value);
    }
  }
}
