package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The members of a {@link RoutingTable} that share one length of prefix with us, and the newcomers
 * that wait for the place of one of them (the replacement cache of the Kademlia paper, section
 * 4.1).
 */
final class Bucket {

  /** One that was heard of. */
  static final class Known {
    private final PeerInfo info;
    private final Key key;
    private final long heardOf;
    private List<IpGroup> groups;

    /** When it was heard of or, since then, asked. */
    private long askedAt;

    Known(PeerInfo info, Key key, List<IpGroup> groups, long now) {
      this.info = info;
      this.key = key;
      this.groups = List.copyOf(groups);
      this.heardOf = now;
      this.askedAt = now;
    }

    PeerInfo info() {
      return info;
    }

    Key key() {
      return key;
    }

    List<IpGroup> groups() {
      return groups;
    }

    /** It counts in no group any more. */
    void exempt() {
      groups = List.of();
    }

    private boolean is(PeerId peer) {
      return info.peer().equals(peer);
    }
  }

  private final RoutingTable.Settings settings;

  /** The one that has been silent the longest first. */
  private final Map<PeerId, Known> members = new LinkedHashMap<>();

  /** The newest first. */
  private final Deque<Known> waiting = new ArrayDeque<>();

  private @Nullable PeerId checked;

  /** When somebody was looked up here last, if that has ever been. */
  private @Nullable Long refreshedAt;

  Bucket(RoutingTable.Settings settings) {
    this.settings = settings;
  }

  Collection<Known> members() {
    return members.values();
  }

  Collection<Known> waiting() {
    return waiting;
  }

  @Nullable Known member(PeerId peer) {
    return members.get(peer);
  }

  boolean isFull() {
    return members.size() >= settings.capacity();
  }

  /** Whether there is nobody in it, nor for it. */
  boolean isVoid() {
    return members.isEmpty() && waiting.isEmpty() && checked == null;
  }

  /** Whether the share of one of its groups is used up. */
  boolean hasEnoughOf(Known newcomer) {
    return newcomer.groups.stream()
        .anyMatch(group -> count(group, members.values()) >= settings.perGroupInBucket());
  }

  private static long count(IpGroup group, Collection<Known> among) {
    return among.stream().filter(known -> known.groups.contains(group)).count();
  }

  /** Enters one, or notes that a member was heard of now. */
  void enter(Known known) {
    PeerId peer = known.info.peer();
    if (members.remove(peer) == null) {
      stopWaiting(peer);
    }
    members.put(peer, known);
  }

  /**
   * Lets one wait, before all others. Of one group no more wait than could be members: it is the
   * older one of that group that has to go, and otherwise the oldest of all.
   */
  void await(Known newcomer) {
    stopWaiting(newcomer.info.peer());
    for (IpGroup group : newcomer.groups) {
      if (count(group, waiting) >= settings.perGroupInBucket()) {
        waiting.stream()
            .filter(known -> known.groups.contains(group))
            .reduce((newer, older) -> older)
            .ifPresent(waiting::remove);
      }
    }
    waiting.addFirst(newcomer);
    if (waiting.size() > settings.replacements()) {
      waiting.removeLast();
    }
  }

  /** Takes out a member, or one that waits; answers the member. */
  @Nullable Known remove(PeerId peer) {
    stopWaiting(peer);
    return members.remove(peer);
  }

  private void stopWaiting(PeerId peer) {
    waiting.removeIf(known -> known.is(peer));
  }

  /** Whom to check now, if anybody; nobody, while one is being checked. */
  Optional<RoutingTable.Check> check(long now) {
    if (checked != null) {
      return Optional.empty();
    }
    Known newest = isFull() ? null : waiting.poll();
    if (newest != null) {
      checked = newest.info.peer();
      return Optional.of(new RoutingTable.Check(newest.info, false));
    }
    for (Known member : members.values()) {
      if (!isLongAgo(member.heardOf, now)) {
        break; // So it is with all that follow.
      }
      if (isLongAgo(member.askedAt, now)) {
        member.askedAt = now;
        checked = member.info.peer();
        return Optional.of(new RoutingTable.Check(member.info, true));
      }
    }
    return Optional.empty();
  }

  private boolean isLongAgo(long then, long now) {
    return now - then > settings.silence().toNanos();
  }

  /** A check has ended. */
  void onChecked(PeerId peer) {
    if (peer.equals(checked)) {
      checked = null;
    }
  }

  /** Whether nobody was looked up here for so long; from now on, somebody was. */
  boolean refresh(long intervalNanos, long now) {
    boolean isDue = refreshedAt == null || now - refreshedAt >= intervalNanos;
    if (isDue) {
      refreshedAt = now;
    }
    return isDue;
  }
}
