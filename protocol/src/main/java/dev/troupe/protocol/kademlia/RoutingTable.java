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
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Whom this peer knows in the keyspace: one bucket for each length of the prefix that a peer's key
 * shares with our own (specification, "Kademlia routing table").
 *
 * <p>A full bucket prefers those it has: a newcomer waits, as one of a few, until a member leaves.
 * The bucket wants the member checked that has been silent the longest, if that has been longer
 * than {@link Settings#silence}; one that answers stays. Who leaves makes room for the newest of
 * those that wait, which is checked in turn, and enters when it has answered ({@link #nextCheck}).
 * So nobody can flush a table by showing up with many identities.
 *
 * <p>Nor can anybody fill it with identities that live in one place: of one {@link IpGroup}, only a
 * few enter a bucket, and the whole table. Members count by where they were when they entered.
 *
 * <p>The capacity of a bucket is not K: a bootstrap node keeps 200 in a bucket and still names 20.
 *
 * <p>Not thread-safe. All orders of iteration follow from the calls made, and from nothing else.
 */
public final class RoutingTable {

  /**
   * The bounds of a table.
   *
   * @param capacity members of one bucket at most
   * @param replacements newcomers that wait at one full bucket at most; for one more, the oldest
   *     goes
   * @param silence a member that was not heard of for longer is to be checked
   * @param perGroupInBucket members of one bucket at most that are in the same IP group, and as
   *     many that wait; one more is refused while there are as many members, and otherwise, where
   *     it has to wait, the oldest of the group that waits goes
   * @param perGroup members at most that are in the same IP group; one more is refused
   */
  public record Settings(
      int capacity, int replacements, Duration silence, int perGroupInBucket, int perGroup) {

    /**
     * Checks the bounds.
     *
     * @throws IllegalArgumentException if one is not positive
     */
    public Settings {
      if (capacity < 1
          || replacements < 1
          || silence.isZero()
          || silence.isNegative()
          || perGroupInBucket < 1
          || perGroup < 1) {
        throw new IllegalArgumentException("the bounds of a routing table must be positive");
      }
    }
  }

  /** What became of a peer that was heard of. */
  public enum Admission {
    /** It has become a member. */
    ENTERED,
    /** It was a member before. */
    STAYS,
    /** Its bucket is full: it waits until a member leaves, or others have come after it. */
    WAITS,
    /** It is ourselves, or there are enough of its IP group. */
    REFUSED
  }

  /**
   * What became of a peer that was heard of, and what that made of the table.
   *
   * @param event empty, unless it is the first to enter
   */
  public record Heard(Admission admission, Optional<RoutingTableEvent> event) {}

  /**
   * One that is to be asked whether it is alive.
   *
   * @param isMember whether it is to leave if it is not; otherwise it has waited, and is to enter
   *     if it is
   */
  public record Check(PeerInfo peer, boolean isMember) {}

  /**
   * Buckets with a longer common prefix have no lookups of their own: a random peer id that falls
   * into them takes 2^(n+1) attempts to find, and the lookup of our own id serves them all.
   */
  static final int MAX_REFRESHED_PREFIX = 9;

  private static final int MAX_ATTEMPTS_AT_A_TARGET = 1 << (MAX_REFRESHED_PREFIX + 5);

  private final Key self;
  private final Settings settings;
  private final Function<PeerId, Key> keyOf;

  /** By the length of the common prefix. */
  private final NavigableMap<Integer, Bucket> buckets = new TreeMap<>();

  /** How many members each group has. */
  private final Map<IpGroup, Integer> groups = new LinkedHashMap<>();

  private int size;
  private long refused;

  /**
   * An empty table.
   *
   * @param self where we live
   */
  public RoutingTable(PeerId self, Settings settings) {
    this(Key.of(self), settings, Key::of);
  }

  /** A table in a keyspace of the caller's making. */
  RoutingTable(Key self, Settings settings, Function<PeerId, Key> keyOf) {
    this.self = self;
    this.settings = settings;
    this.keyOf = keyOf;
  }

  // Who comes and goes

  /**
   * A peer was heard of that serves the DHT, and is alive: enters it, lets it wait, or notes that
   * it was heard of now. Does nothing for ourselves.
   *
   * @param addresses where it listens; they replace those that were known. As many are kept as
   *     {@link PeerInfo#firstOf} says
   * @param groups which IP groups it is in, asked for unless it is a member; none, if these are not
   *     to count
   */
  public Heard add(
      PeerId peer, List<Multiaddr> addresses, Supplier<List<IpGroup>> groups, long now) {
    Key key = keyOf.apply(peer);
    if (key.equals(self)) {
      return new Heard(Admission.REFUSED, Optional.empty());
    }
    int prefix = self.commonPrefixLength(key);
    Bucket bucket = buckets.computeIfAbsent(prefix, length -> new Bucket(settings));
    Bucket.Known member = bucket.member(peer);
    PeerInfo info = new PeerInfo(peer, PeerInfo.firstOf(addresses));
    if (member != null) {
      bucket.enter(new Bucket.Known(info, key, member.groups(), now));
      return new Heard(Admission.STAYS, Optional.empty());
    }
    Bucket.Known newcomer = new Bucket.Known(info, key, groups.get(), now);
    if (bucket.hasEnoughOf(newcomer) || hasEnoughOf(newcomer)) {
      refused++;
      bucket.remove(peer);
      dropIfVoid(prefix, bucket);
      return new Heard(Admission.REFUSED, Optional.empty());
    } else if (bucket.isFull()) {
      bucket.await(newcomer);
      return new Heard(Admission.WAITS, Optional.empty());
    }
    bucket.enter(newcomer);
    newcomer.groups().forEach(group -> this.groups.merge(group, 1, Integer::sum));
    size++;
    return new Heard(
        Admission.ENTERED, size == 1 ? Optional.of(new RoutingTablePopulated()) : Optional.empty());
  }

  private boolean hasEnoughOf(Bucket.Known newcomer) {
    return newcomer.groups().stream()
        .anyMatch(group -> groups.getOrDefault(group, 0) >= settings.perGroup());
  }

  /**
   * A peer failed to answer, or does not serve the DHT any more: it leaves, and waits no longer.
   * Does nothing for others.
   *
   * @return what that made of the table
   */
  public Optional<RoutingTableEvent> remove(PeerId peer) {
    int prefix = self.commonPrefixLength(keyOf.apply(peer));
    Bucket bucket = buckets.get(prefix);
    Bucket.Known member = bucket == null ? null : bucket.remove(peer);
    if (bucket == null || member == null) {
      return Optional.empty();
    }
    uncount(member);
    size--;
    dropIfVoid(prefix, bucket);
    return isEmpty() ? Optional.of(new RoutingTableEmptied()) : Optional.empty();
  }

  private void uncount(Bucket.Known member) {
    for (IpGroup group : member.groups()) {
      groups.computeIfPresent(group, (same, count) -> count == 1 ? null : count - 1);
    }
  }

  /** A member counts in no IP group from now on. Does nothing for others. */
  public void exempt(PeerId peer) {
    Bucket bucket = buckets.get(self.commonPrefixLength(keyOf.apply(peer)));
    Bucket.Known member = bucket == null ? null : bucket.member(peer);
    if (member != null) {
      uncount(member);
      member.exempt();
    }
  }

  private void dropIfVoid(int prefix, Bucket bucket) {
    if (bucket.isVoid()) {
      buckets.remove(prefix);
    }
  }

  // Who is to be asked whether it is alive

  /**
   * Whom to check in the bucket in which this peer is, or would be: the newest of those that wait,
   * where there is room; or else the member that has been silent the longest, if that is too long.
   * It counts as being checked until {@link #onChecked}, and one is checked in a bucket at a time;
   * who was waiting does so no more. What comes of it is told as of any other peer.
   */
  public Optional<Check> nextCheck(PeerId peer, long now) {
    Bucket bucket = buckets.get(self.commonPrefixLength(keyOf.apply(peer)));
    return bucket == null ? Optional.empty() : bucket.check(now);
  }

  /** The same, in the first bucket that has somebody to check. */
  public Optional<Check> nextCheck(long now) {
    for (Bucket bucket : buckets.values()) {
      Optional<Check> check = bucket.check(now);
      if (check.isPresent()) {
        return check;
      }
    }
    return Optional.empty();
  }

  /** A check has ended, whatever came of it. */
  public void onChecked(PeerId peer) {
    int prefix = self.commonPrefixLength(keyOf.apply(peer));
    Bucket bucket = buckets.get(prefix);
    if (bucket != null) {
      bucket.onChecked(peer);
      dropIfVoid(prefix, bucket);
    }
  }

  // Who there is

  /** Whether a peer is a member. */
  public boolean contains(PeerId peer) {
    Bucket bucket = buckets.get(self.commonPrefixLength(keyOf.apply(peer)));
    return bucket != null && bucket.member(peer) != null;
  }

  /** Whether there is room in the bucket in which this peer is, or would be. */
  public boolean hasRoomFor(PeerId peer) {
    Bucket bucket = buckets.get(self.commonPrefixLength(keyOf.apply(peer)));
    return bucket == null || !bucket.isFull();
  }

  /** Whether nobody is in the table. */
  public boolean isEmpty() {
    return size == 0;
  }

  /** The addresses at which a member listens; empty for those who are not members. */
  public List<Multiaddr> addressesOf(PeerId peer) {
    Bucket bucket = buckets.get(self.commonPrefixLength(keyOf.apply(peer)));
    Bucket.Known member = bucket == null ? null : bucket.member(peer);
    return member == null ? List.of() : member.info().addresses();
  }

  /** How many peers are in the table. */
  public int size() {
    return size;
  }

  /** All members, those that share the shortest prefix with us first. */
  public List<PeerId> peers() {
    return peers(Bucket::members);
  }

  /** All that wait for a place, in the same order; those of one bucket the newest first. */
  public List<PeerId> waiting() {
    return peers(Bucket::waiting);
  }

  private List<PeerId> peers(Function<Bucket, Collection<Bucket.Known>> which) {
    return buckets.values().stream()
        .flatMap(bucket -> which.apply(bucket).stream())
        .map(known -> known.info().peer())
        .toList();
  }

  /** How often a peer was refused, since there were enough of its IP group. */
  public long refused() {
    return refused;
  }

  /**
   * The members nearest to a point, nearest first.
   *
   * @param count how many at most
   */
  public List<PeerInfo> nearest(Key target, int count) {
    // Where the target shares exactly n bits with us, bucket n shares more than n bits with the
    // target, all deeper buckets share exactly n, and each shallower bucket m shares m: three kinds
    // of buckets, already in order among themselves.
    int shared = self.commonPrefixLength(target);
    List<PeerInfo> nearest = new ArrayList<>(Math.min(count, 64));
    Bucket same = buckets.get(shared);
    if (same != null) {
      take(same.members(), target, count, nearest);
    }
    if (nearest.size() < count) {
      List<Bucket.Known> deeper = new ArrayList<>();
      buckets.tailMap(shared, false).values().forEach(bucket -> deeper.addAll(bucket.members()));
      take(deeper, target, count, nearest);
    }
    for (Bucket shallower : buckets.headMap(shared, false).descendingMap().values()) {
      if (nearest.size() == count) {
        break;
      }
      take(shallower.members(), target, count, nearest);
    }
    return nearest;
  }

  private static void take(
      Collection<Bucket.Known> group, Key target, int count, List<PeerInfo> nearest) {
    group.stream()
        .sorted(Comparator.comparing(member -> member.key().distanceTo(target)))
        .limit(count - nearest.size())
        .forEach(member -> nearest.add(member.info()));
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
    int asNear = size;
    for (Map.Entry<Integer, Bucket> entry :
        buckets.headMap(MAX_REFRESHED_PREFIX, true).entrySet()) {
      if (asNear < found) {
        break;
      }
      Bucket bucket = entry.getValue();
      asNear -= bucket.members().size();
      if (!bucket.members().isEmpty() && bucket.refresh(interval.toNanos(), now)) {
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
}
