package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.RoutingTableEvent.RoutingTableEmptied;
import dev.troupe.protocol.kademlia.RoutingTableEvent.RoutingTablePopulated;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/**
 * Whom this peer knows in the keyspace: one bucket for each length of the prefix that a peer's key
 * shares with our own (specification, "Kademlia routing table").
 *
 * <p>A full bucket prefers those it has: a newcomer takes the place of the member that has been
 * silent the longest, and only if that has been longer than {@code staleAfter}. So nobody can flush
 * a table by showing up with many identities.
 *
 * <p>The capacity of a bucket is not K: a bootstrap node keeps 200 in a bucket and still names 20.
 *
 * <p>Not thread-safe. All orders of iteration follow from the calls made, and from nothing else.
 */
public final class RoutingTable {

  /**
   * Buckets with a longer common prefix have no lookups of their own: a random peer id that falls
   * into them takes 2^(n+1) attempts to find, and the lookup of our own id serves them all.
   */
  static final int MAX_REFRESHED_PREFIX = 9;

  private static final int MAX_ATTEMPTS_AT_A_TARGET = 1 << (MAX_REFRESHED_PREFIX + 5);

  private final Key self;
  private final int bucketCapacity;
  private final long staleAfterNanos;
  private final Function<PeerId, Key> keyOf;

  /** By the length of the common prefix. No bucket is empty. */
  private final NavigableMap<Integer, Bucket> buckets = new TreeMap<>();

  /**
   * An empty table.
   *
   * @param self where we live
   * @param bucketCapacity members of one bucket at most
   * @param staleAfter a member of a full bucket that has been silent for longer may be replaced
   */
  public RoutingTable(PeerId self, int bucketCapacity, Duration staleAfter) {
    this(Key.of(self), bucketCapacity, staleAfter, Key::of);
  }

  /** A table in a keyspace of the caller's making. */
  RoutingTable(Key self, int bucketCapacity, Duration staleAfter, Function<PeerId, Key> keyOf) {
    if (bucketCapacity < 1) {
      throw new IllegalArgumentException("a bucket must hold at least one peer");
    }
    this.self = self;
    this.bucketCapacity = bucketCapacity;
    this.staleAfterNanos = staleAfter.toNanos();
    this.keyOf = keyOf;
  }

  /**
   * A peer was heard of that serves the DHT, and is alive: enters it, or notes that it was heard of
   * now. Does nothing for ourselves, and nothing where the bucket is full of others that are alive.
   *
   * @param addresses where it listens; they replace those that were known. As many are kept as
   *     {@link PeerInfo#firstOf} says
   * @return what that made of the table
   */
  public Optional<RoutingTableEvent> add(PeerId peer, List<Multiaddr> addresses, long now) {
    Key key = keyOf.apply(peer);
    if (key.equals(self)) {
      return Optional.empty();
    }
    boolean wasEmpty = isEmpty();
    buckets
        .computeIfAbsent(self.commonPrefixLength(key), length -> new Bucket())
        .add(
            new Member(new PeerInfo(peer, PeerInfo.firstOf(addresses)), key, now),
            bucketCapacity,
            now - staleAfterNanos);
    return wasEmpty ? Optional.of(new RoutingTablePopulated()) : Optional.empty();
  }

  /**
   * A peer failed to answer, or does not serve the DHT any more. Does nothing for those who are not
   * members.
   *
   * @return what that made of the table
   */
  public Optional<RoutingTableEvent> remove(PeerId peer) {
    int prefix = self.commonPrefixLength(keyOf.apply(peer));
    Bucket bucket = buckets.get(prefix);
    if (bucket == null || bucket.members.remove(peer) == null) {
      return Optional.empty();
    }
    if (bucket.members.isEmpty()) {
      buckets.remove(prefix);
    }
    return isEmpty() ? Optional.of(new RoutingTableEmptied()) : Optional.empty();
  }

  /** Whether a peer is a member. */
  public boolean contains(PeerId peer) {
    Bucket bucket = buckets.get(self.commonPrefixLength(keyOf.apply(peer)));
    return bucket != null && bucket.members.containsKey(peer);
  }

  /** Whether nobody is in the table. */
  public boolean isEmpty() {
    return buckets.isEmpty();
  }

  /** The addresses at which a member listens; empty for those who are not members. */
  public List<Multiaddr> addressesOf(PeerId peer) {
    Bucket bucket = buckets.get(self.commonPrefixLength(keyOf.apply(peer)));
    Member member = bucket == null ? null : bucket.members.get(peer);
    return member == null ? List.of() : member.info.addresses();
  }

  /** How many peers are in the table. */
  public int size() {
    int size = 0;
    for (Bucket bucket : buckets.values()) {
      size += bucket.members.size();
    }
    return size;
  }

  /** All members, those that share the shortest prefix with us first. */
  public List<PeerId> peers() {
    List<PeerId> peers = new ArrayList<>();
    buckets.values().forEach(bucket -> peers.addAll(bucket.members.keySet()));
    return peers;
  }

  /**
   * The members nearest to a point, nearest first.
   *
   * @param count how many at most
   */
  public List<PeerInfo> nearest(Key target, int count) {
    // Where the target shares exactly n bits with us, bucket n shares more than n bits with the
    // target, all deeper buckets share
    // exactly n, and each shallower bucket m shares m: three kinds of group, already in order among
    // themselves.
    int shared = self.commonPrefixLength(target);
    List<PeerInfo> nearest = new ArrayList<>(Math.min(count, 64));
    Bucket same = buckets.get(shared);
    if (same != null) {
      take(same.members.values(), target, count, nearest);
    }
    if (nearest.size() < count) {
      List<Member> deeper = new ArrayList<>();
      buckets
          .tailMap(shared, false)
          .values()
          .forEach(bucket -> deeper.addAll(bucket.members.values()));
      take(deeper, target, count, nearest);
    }
    for (Bucket shallower : buckets.headMap(shared, false).descendingMap().values()) {
      if (nearest.size() == count) {
        break;
      }
      take(shallower.members.values(), target, count, nearest);
    }
    return nearest;
  }

  private static void take(
      Collection<Member> group, Key target, int count, List<PeerInfo> nearest) {
    group.stream()
        .sorted(Comparator.comparing(member -> member.key.distanceTo(target)))
        .limit(count - nearest.size())
        .forEach(member -> nearest.add(member.info));
  }

  /**
   * What to look up so that every bucket stays populated: a random peer id for each bucket that
   * nobody asked about for {@code interval}, shortest prefix first (specification, "Bootstrap
   * process"). Those buckets count as asked about from now on.
   *
   * <p>To be asked after a lookup of our own id. That has found all who could be in a bucket, and
   * in those nearer than it, where these are fewer than it looks for: there is nothing more to find
   * in them.
   *
   * @param found how many of the nearest a lookup finds (K)
   * @return the bytes of peer ids that nobody has
   */
  public List<Bytes> refreshTargets(
      int found, Duration interval, RandomGenerator random, long now) {
    List<Bytes> targets = new ArrayList<>();
    int asNear = size();
    for (Map.Entry<Integer, Bucket> entry :
        buckets.headMap(MAX_REFRESHED_PREFIX, true).entrySet()) {
      if (asNear < found) {
        break;
      }
      Bucket bucket = entry.getValue();
      asNear -= bucket.members.size();
      if (!bucket.refreshed || now - bucket.refreshedAt >= interval.toNanos()) {
        bucket.refreshed = true;
        bucket.refreshedAt = now;
        randomPeerWithin(entry.getKey(), random).ifPresent(targets::add);
      }
    }
    return targets;
  }

  private Optional<Bytes> randomPeerWithin(int prefix, RandomGenerator random) {
    // What travels is a peer id, which each peer hashes for itself; so a key of our choice must be
    // found by trying.
    byte[] multihash = new byte[34];
    byte[] digest = new byte[32];
    for (int attempt = 0; attempt < MAX_ATTEMPTS_AT_A_TARGET; attempt++) {
      random.nextBytes(digest);
      multihash[0] = 0x12;
      multihash[1] = 0x20;
      System.arraycopy(digest, 0, multihash, 2, digest.length);
      Bytes peer = Bytes.of(multihash);
      if (self.commonPrefixLength(Key.of(peer)) == prefix) {
        return Optional.of(peer);
      }
    }
    return Optional.empty();
  }

  private record Member(PeerInfo info, Key key, long heardOf) {}

  /**
   * The members that share one length of prefix with us, the one that has been silent the longest
   * first.
   */
  private static final class Bucket {

    private final Map<PeerId, Member> members = new LinkedHashMap<>();
    private boolean refreshed;
    private long refreshedAt;

    void add(Member newcomer, int capacity, long staleBefore) {
      if (members.remove(newcomer.info.peer()) == null && members.size() >= capacity) {
        Member silent = members.values().iterator().next();
        if (silent.heardOf - staleBefore >= 0) {
          return;
        }
        members.remove(silent.info.peer());
      }
      members.put(newcomer.info.peer(), newcomer);
    }
  }
}
