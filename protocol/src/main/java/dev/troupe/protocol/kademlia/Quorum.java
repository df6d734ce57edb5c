package dev.troupe.protocol.kademlia;

import static java.util.Objects.requireNonNull;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The values that peers returned for one key, and when they are enough (specification, "Value
 * retrieval").
 *
 * <p>Not thread-safe.
 */
public final class Quorum {

  private final Namespaces namespaces;
  private final Bytes key;
  private final int wanted;

  /** Who holds which value. */
  private final Map<Bytes, Set<PeerId>> holders = new LinkedHashMap<>();

  private final Set<PeerId> votes = new LinkedHashSet<>();

  /**
   * No values yet.
   *
   * @param wanted how many peers must return a value before the best of them is believed, at least
   *     1
   */
  public Quorum(Namespaces namespaces, Bytes key, int wanted) {
    if (wanted < 1) {
      throw new IllegalArgumentException("a quorum has at least one vote");
    }
    this.namespaces = namespaces;
    this.key = key;
    this.wanted = wanted;
  }

  /**
   * A peer returned a value. Its second value, if it ever returns one, does not count.
   *
   * @throws InvalidRecordException if the value must not be under this key; it does not count
   *     either
   */
  public void onValue(PeerId holder, Bytes value) throws InvalidRecordException {
    namespaces.validate(key, value);
    if (votes.add(holder)) {
      holders.computeIfAbsent(value, unused -> new LinkedHashSet<>()).add(holder);
    }
  }

  /** How many peers returned a value. */
  public int votes() {
    return votes.size();
  }

  /** How many peers returned this one. */
  public int votes(Bytes value) {
    return holders.getOrDefault(value, Set.of()).size();
  }

  /** Whether enough peers returned a value. */
  public boolean isReached() {
    return votes.size() >= wanted;
  }

  /** The best value so far; which it is does not depend on the order of arrival. */
  public Optional<Bytes> best() {
    if (holders.isEmpty()) {
      return Optional.empty();
    }
    List<Bytes> values = new ArrayList<>(holders.keySet());
    values.sort(
        Comparator.<Bytes>comparingInt(value -> -requireNonNull(holders.get(value)).size())
            .thenComparing(Comparator.naturalOrder()));
    try {
      return Optional.of(namespaces.select(key, values));
    } catch (InvalidRecordException impossible) {
      throw new AssertionError("values under this key have been found valid", impossible);
    }
  }

  /** Who was the first to return this value, which somebody has. */
  public PeerId holderOf(Bytes value) {
    return requireNonNull(holders.get(value), "nobody has it").iterator().next();
  }

  /** Who returned another value than this one. */
  public List<PeerId> holdersOfOthers(Bytes best) {
    List<PeerId> others = new ArrayList<>();
    holders.forEach(
        (value, peers) -> {
          if (!value.equals(best)) {
            others.addAll(peers);
          }
        });
    return others;
  }

  /** Whether this peer returned a value. */
  public boolean hasVoted(PeerId peer) {
    return votes.contains(peer);
  }
}
