package dev.troupe.actors.dht;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Which bootstrap peers to dial, and when to try again. Pure: it dials nobody itself.
 *
 * <p>A round dials up to three of them at once, in random order, and the next of the list for each
 * that fails, until three are connected or all have been tried. So one dead bootstrap peer does not
 * block the others.
 */
final class Bootstrap {

  /** How many bootstrap peers a round connects to. */
  static final int WANTED = 3;

  private final List<Candidate> candidates;
  private final RandomGenerator random;
  private final Deque<Candidate> untried = new ArrayDeque<>();
  private int dialling;
  private int connected;
  private int failures;

  /**
   * A bootstrap peer.
   *
   * @param peer who, or null where the configured address does not say
   * @param addresses where to dial, without {@code /p2p}; exactly one where the peer is not known
   */
  record Candidate(@Nullable PeerId peer, List<Multiaddr> addresses) {}

  /**
   * No round is under way.
   *
   * @param addresses the configured ones, with or without {@code /p2p}; several of one peer make
   *     one candidate
   */
  Bootstrap(List<Multiaddr> addresses, RandomGenerator random) {
    this.random = random;
    Map<Object, List<Multiaddr>> byPeer = new LinkedHashMap<>();
    for (Multiaddr address : addresses) {
      PeerId peer = address.peerId();
      byPeer
          .computeIfAbsent(peer == null ? address : peer, unused -> new ArrayList<>())
          .add(peer == null ? address : address.withoutPeer());
    }
    candidates =
        byPeer.entrySet().stream()
            .map(
                entry ->
                    new Candidate(
                        entry.getKey() instanceof PeerId peer ? peer : null,
                        List.copyOf(entry.getValue())))
            .toList();
  }

  /** Whether there is nobody to dial, ever. */
  boolean isAlone() {
    return candidates.isEmpty();
  }

  /** Begins a round, if none is under way: whom to dial now. */
  List<Candidate> begin() {
    if (isUnderWay()) {
      return List.of();
    }
    List<Candidate> left = new ArrayList<>(candidates);
    untried.clear();
    while (!left.isEmpty()) {
      untried.add(left.remove(random.nextInt(left.size())));
    }
    connected = 0;
    return dialMore();
  }

  /** A dial of this round ended well. */
  void onConnected() {
    if (dialling > 0) {
      dialling--;
      connected++;
    }
  }

  /** A dial of this round came to nothing: whom to dial in its place. */
  List<Candidate> onFailed() {
    if (dialling == 0) {
      return List.of();
    }
    dialling--;
    return dialMore();
  }

  /** Whether a dial has not ended yet. */
  boolean isUnderWay() {
    return dialling > 0;
  }

  /**
   * How long to wait before the next round: the interval, doubled with each call since the last
   * {@link #resetPause}, up to eight times; and up to a fifth more, lest all who lost the same
   * bootstrap peer come back at the same moment.
   */
  Duration nextPause(Duration interval) {
    long doubled = interval.toNanos() << Math.min(failures++, 3);
    return Duration.ofNanos(doubled + random.nextLong(doubled / 5 + 1));
  }

  /** The next pause is a short one again. */
  void resetPause() {
    failures = 0;
  }

  private List<Candidate> dialMore() {
    List<Candidate> now = new ArrayList<>();
    while (dialling + connected < WANTED && !untried.isEmpty()) {
      now.add(untried.remove());
      dialling++;
    }
    return now;
  }
}
