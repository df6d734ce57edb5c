package dev.troupe.actors.dht;

import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * What a {@link Dht} is to be like.
 *
 * @param mode whether it answers others (default auto)
 * @param protocol what its streams speak (default {@code /ipfs/kad/1.0.0})
 * @param bootstrapPeers whom to join the DHT through; with nobody named there is no DHT to join,
 *     and it is ready at once
 * @param namespaces which values are valid (default {@code pk} and {@code test}); with {@code ipns}
 *     and {@code presence} unless one of that name is among them
 * @param bucketCapacity members of one bucket of the routing table (default 20; 200 on a bootstrap
 *     node)
 * @param replication K: how many peers a record is placed with, and how many are named in an answer
 *     (default 20)
 * @param parallelism α: how many peers one lookup asks at a time (default 10)
 * @param quorum how many peers must return a value before the best one is believed (default 3;
 *     where fewer hold one, all that do)
 * @param limits what it has room for
 * @param timing how long things may take
 * @param lookup how lookups go
 * @param records how long records live, and when our own are announced again
 * @param table who stays in the routing table
 */
public record DhtSettings(
    DhtMode mode,
    ProtocolId protocol,
    List<Multiaddr> bootstrapPeers,
    Namespaces namespaces,
    int bucketCapacity,
    int replication,
    int parallelism,
    int quorum,
    Limits limits,
    Timing timing,
    Lookup lookup,
    Records records,
    Table table) {

  /** The defaults named above: alone, in auto mode. */
  public static final DhtSettings DEFAULT =
      new DhtSettings(
          DhtMode.AUTO,
          new ProtocolId("/ipfs/kad/1.0.0"),
          List.of(),
          Namespaces.BUILT_IN,
          20,
          20,
          10,
          3,
          Limits.DEFAULT,
          Timing.DEFAULT,
          Lookup.DEFAULT,
          Records.DEFAULT,
          Table.DEFAULT);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException naming the setting that is not positive
   */
  public DhtSettings {
    bootstrapPeers = List.copyOf(bootstrapPeers);
    Positive.require("bucketCapacity", bucketCapacity);
    Positive.require("replication", replication);
    Positive.require("parallelism", parallelism);
    Positive.require("quorum", quorum);
  }

  /**
   * What a {@link Dht} has room for.
   *
   * @param stash operations that wait; one more is refused with {@link Dht.Reason#STASH_FULL}
   *     (default 1000); beside them as many requests to start or stop providing, until what was
   *     kept is loaded
   * @param running operations that run at a time; the others wait in the stash (default 64)
   * @param requestsPerLookup peers that one lookup asks in all (default 200)
   * @param inboundStreams open streams of remotes; one more is reset (default 5000)
   * @param inboundStreamsPerPeer open streams of one remote; one more is reset (default 128: twice
   *     the operations that another of our kind runs at a time, each of which may ask this peer)
   * @param values values kept for others (default 1024), in 16 MiB; of one sender at most a quarter
   *     of both. As many of our own beside them; one more is refused with {@link
   *     Dht.Reason#TOO_MANY_VALUES}
   * @param providers provider records kept for others (default 65,536), in 24 MiB; of one provider
   *     at most 16,384, and 256 of one key
   */
  public record Limits(
      int stash,
      int running,
      int requestsPerLookup,
      int inboundStreams,
      int inboundStreamsPerPeer,
      int values,
      int providers) {

    /** The defaults named above. */
    public static final Limits DEFAULT = new Limits(1000, 64, 200, 5000, 128, 1024, 65_536);

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException naming the limit that is not positive
     */
    public Limits {
      Positive.require("stash", stash);
      Positive.require("running", running);
      Positive.require("requestsPerLookup", requestsPerLookup);
      Positive.require("inboundStreams", inboundStreams);
      Positive.require("inboundStreamsPerPeer", inboundStreamsPerPeer);
      Positive.require("values", values);
      Positive.require("providers", providers);
    }
  }

  /**
   * How long things may take. Budgets count from when an operation leaves the stash.
   *
   * @param readiness how long the gate may stay shut: to the bootstrap deadline, and after the
   *     table emptied (default 30 s)
   * @param query the walk towards a key (default 10 s)
   * @param get getting a value (default 10 s)
   * @param put putting a value or announcing a provider, the walk included (default 20 s)
   * @param operation any operation, whatever happens to its lookup (default 30 s)
   * @param connect waiting for a connection to one peer and for a stream on it, after which a
   *     lookup passes it over; without blame, since it has not been asked (default 3 s)
   * @param request asking one peer, from when the stream is open (default 3 s)
   * @param floor on its way a lookup goes on without a peer sooner than after {@code connect} or
   *     {@code request}, where dials and answers have been measured to take less; but not before so
   *     long, or the double of it where a peer has not answered, and so on (default 1 s, as in RFC
   *     6298); where it is as long as both, nothing follows from what is measured
   * @param firstRetry the first pause between bootstrap rounds while bootstrapping; see {@link
   *     Pauses#next} (default 5 s)
   * @param retry the first pause between rounds once the table emptied or the deadline passed
   *     (default 15 s); also the least time between two rounds that operations ask for
   * @param refresh how often buckets are looked after (default 10 min)
   * @param inboundIdle an inbound stream without a request for so long is closed (default 60 s)
   */
  public record Timing(
      Duration readiness,
      Duration query,
      Duration get,
      Duration put,
      Duration operation,
      Duration connect,
      Duration request,
      Duration floor,
      Duration firstRetry,
      Duration retry,
      Duration refresh,
      Duration inboundIdle) {

    /** The defaults named above. */
    public static final Timing DEFAULT =
        new Timing(
            Duration.ofSeconds(30),
            Duration.ofSeconds(10),
            Duration.ofSeconds(10),
            Duration.ofSeconds(20),
            Duration.ofSeconds(30),
            Duration.ofSeconds(3),
            Duration.ofSeconds(3),
            Duration.ofSeconds(1),
            Duration.ofSeconds(5),
            Duration.ofSeconds(15),
            Duration.ofMinutes(10),
            Duration.ofSeconds(60));

    /**
     * Checks the durations.
     *
     * @throws IllegalArgumentException naming the one that is not positive
     */
    public Timing {
      Positive.require("readiness", readiness.toNanos());
      Positive.require("query", query.toNanos());
      Positive.require("get", get.toNanos());
      Positive.require("put", put.toNanos());
      Positive.require("operation", operation.toNanos());
      Positive.require("connect", connect.toNanos());
      Positive.require("request", request.toNanos());
      Positive.require("floor", floor.toNanos());
      Positive.require("firstRetry", firstRetry.toNanos());
      Positive.require("retry", retry.toNanos());
      Positive.require("refresh", refresh.toNanos());
      Positive.require("inboundIdle", inboundIdle.toNanos());
    }

    /** These, looking after the buckets as often. */
    public Timing withRefresh(Duration other) {
      return new Timing(
          readiness,
          query,
          get,
          put,
          operation,
          connect,
          request,
          floor,
          firstRetry,
          retry,
          other,
          inboundIdle);
    }
  }

  /**
   * How lookups go.
   *
   * @param disjointPaths along how many paths that keep apart a lookup goes, up to {@code
   *     parallelism}, which they share: a peer that lies leads one of them astray, at the price of
   *     more requests (default 1)
   * @param optimisticProvide whether a provider record is stored on the way with those who are
   *     likely to be among the nearest, and the way is over when there are enough of these: sooner
   *     done, and perhaps not with the very nearest (default false)
   */
  public record Lookup(int disjointPaths, boolean optimisticProvide) {

    /** The defaults named above. */
    public static final Lookup DEFAULT = new Lookup(1, false);

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException naming the setting that is not positive
     */
    public Lookup {
      Positive.require("disjointPaths", disjointPaths);
    }
  }

  /**
   * How long records live, and when our own are announced again: that much after they were last,
   * less up to a tenth of it, which each peer draws at its start.
   *
   * <p>The kad-dht specification ("Content provider advertisement and discovery") has two of these,
   * for the network of IPFS, and leaves values to each implementation.
   *
   * @param providerRepublish provider records of what we provide, until that is stopped (default 22
   *     h, the specification's "Provider Record Republish Interval")
   * @param providerExpiration a provider is named for so long, unless it tells us again (default 48
   *     h, the specification's "Provider Record Expiration Interval")
   * @param providerAddresses its addresses are named for so long (default 24 h, as in go-libp2p)
   * @param valueRepublish values that we put, while they are valid (default 22 h, our own choice:
   *     the same as for provider records, and before others forget it; go-libp2p and js-libp2p
   *     leave it to the application)
   * @param valueExpiration a value is kept for so long, unless it is put again (default 48 h, as in
   *     go-libp2p)
   * @param sweep announcing all that lies in one region of the keyspace, the walk there included;
   *     what has not been announced by then comes with the next one (default 2 min, our own choice)
   * @param pause when nobody took anything, it is tried again so much later (default 10 min, our
   *     own choice)
   */
  public record Records(
      Duration providerRepublish,
      Duration providerExpiration,
      Duration providerAddresses,
      Duration valueRepublish,
      Duration valueExpiration,
      Duration sweep,
      Duration pause) {

    /** The defaults named above. */
    public static final Records DEFAULT =
        new Records(
            Duration.ofHours(22),
            Duration.ofHours(48),
            Duration.ofHours(24),
            Duration.ofHours(22),
            Duration.ofHours(48),
            Duration.ofMinutes(2),
            Duration.ofMinutes(10));

    /**
     * Checks the durations.
     *
     * @throws IllegalArgumentException naming the one that is not positive, or would have our own
     *     records expire before they are announced again
     */
    public Records {
      Positive.require("providerRepublish", providerRepublish.toNanos());
      Positive.require("providerExpiration", providerExpiration.toNanos());
      Positive.require("providerAddresses", providerAddresses.toNanos());
      Positive.require("valueRepublish", valueRepublish.toNanos());
      Positive.require("valueExpiration", valueExpiration.toNanos());
      Positive.require("sweep", sweep.toNanos());
      Positive.require("pause", pause.toNanos());
      requireEarlier("providerRepublish", providerRepublish, providerExpiration);
      requireEarlier("valueRepublish", valueRepublish, valueExpiration);
    }

    private static void requireEarlier(String name, Duration republish, Duration expiration) {
      if (republish.compareTo(expiration) >= 0) {
        throw new IllegalArgumentException(
            name + " must be shorter than the expiration of " + expiration + ": " + republish);
      }
    }
  }

  /**
   * Who stays in the routing table, and who enters it.
   *
   * <p>Where peers meet over the public internet, of one {@link
   * dev.troupe.protocol.kademlia.IpGroup} only a few enter, so that nobody fills the table with
   * identities that live in one place. The figures are those of go-libp2p in the network of IPFS; a
   * network of one's own whose peers have public addresses in one data centre needs higher ones.
   * Bootstrap peers do not count.
   *
   * @param silence a member that nothing was heard of for longer is asked whether it is still
   *     there, when a newcomer finds its bucket full and when buckets are looked after (default 30
   *     min: three times as long as those are apart)
   * @param checks members that are asked so, and newcomers that are tried, at a time; one of each
   *     bucket (default 8). Members of the table of an earlier run are tried as many at a time
   * @param replacements newcomers that wait at each full bucket for a member to leave; for one
   *     more, the oldest goes (default 8)
   * @param perGroupInBucket members of one bucket that are in the same IP group; one more is
   *     refused. As many wait at a full bucket; for one more, the oldest of them goes (default 2;
   *     20 on a bootstrap node, whose buckets are ten times as large)
   * @param perGroup members of the table that are in the same IP group; one more is refused
   *     (default 3; 30 on a bootstrap node)
   */
  public record Table(
      Duration silence, int checks, int replacements, int perGroupInBucket, int perGroup) {

    /** The defaults named above. */
    public static final Table DEFAULT = new Table(Duration.ofMinutes(30), 8, 8, 2, 3);

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException naming the one that is not positive
     */
    public Table {
      Positive.require("silence", silence.toNanos());
      Positive.require("checks", checks);
      Positive.require("replacements", replacements);
      Positive.require("perGroupInBucket", perGroupInBucket);
      Positive.require("perGroup", perGroup);
    }

    /** These, with room for other numbers of peers of one IP group. */
    public Table withGroups(int inBucket, int inTable) {
      return new Table(silence, checks, replacements, inBucket, inTable);
    }
  }

  /** These, with other lives of records. */
  public DhtSettings withRecords(Records others) {
    return with(copy -> copy.records = others);
  }

  /** These, with another mode. */
  public DhtSettings withMode(DhtMode other) {
    return with(copy -> copy.mode = other);
  }

  /** These, with another protocol. */
  public DhtSettings withProtocol(ProtocolId other) {
    return with(copy -> copy.protocol = other);
  }

  /** These, with other bootstrap peers. */
  public DhtSettings withBootstrapPeers(List<Multiaddr> others) {
    return with(copy -> copy.bootstrapPeers = others);
  }

  /** These, with other namespaces. */
  public DhtSettings withNamespaces(Namespaces others) {
    return with(copy -> copy.namespaces = others);
  }

  /** These, with another bucket capacity. */
  public DhtSettings withBucketCapacity(int other) {
    return with(copy -> copy.bucketCapacity = other);
  }

  /** These, with another quorum. */
  public DhtSettings withQuorum(int other) {
    return with(copy -> copy.quorum = other);
  }

  /** These, with other limits. */
  public DhtSettings withLimits(Limits others) {
    return with(copy -> copy.limits = others);
  }

  /** These, with other lookups. */
  public DhtSettings withLookup(Lookup other) {
    return with(copy -> copy.lookup = other);
  }

  /** These, with another timing. */
  public DhtSettings withTiming(Timing other) {
    return with(copy -> copy.timing = other);
  }

  /** These, with another routing table. */
  public DhtSettings withTable(Table other) {
    return with(copy -> copy.table = other);
  }

  private DhtSettings with(Consumer<Copy> change) {
    Copy copy = new Copy(this);
    change.accept(copy);
    return copy.settings();
  }

  /** All of it, to be changed in one place. */
  private static final class Copy {
    DhtMode mode;
    ProtocolId protocol;
    List<Multiaddr> bootstrapPeers;
    Namespaces namespaces;
    int bucketCapacity;
    int replication;
    int parallelism;
    int quorum;
    Limits limits;
    Timing timing;
    Lookup lookup;
    Records records;
    Table table;

    Copy(DhtSettings settings) {
      mode = settings.mode;
      protocol = settings.protocol;
      bootstrapPeers = settings.bootstrapPeers;
      namespaces = settings.namespaces;
      bucketCapacity = settings.bucketCapacity;
      replication = settings.replication;
      parallelism = settings.parallelism;
      quorum = settings.quorum;
      limits = settings.limits;
      timing = settings.timing;
      lookup = settings.lookup;
      records = settings.records;
      table = settings.table;
    }

    DhtSettings settings() {
      return new DhtSettings(
          mode,
          protocol,
          bootstrapPeers,
          namespaces,
          bucketCapacity,
          replication,
          parallelism,
          quorum,
          limits,
          timing,
          lookup,
          records,
          table);
    }
  }
}
