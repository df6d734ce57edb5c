package dev.troupe.actors.connections;

import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.Direction;
import java.util.Comparator;
import java.util.List;

/** Which connections give way when there are too many of them. */
final class Trimming {

  /**
   * A connection that may be closed.
   *
   * @param tagged whether its peer carries a tag
   * @param weight the sum of its peer's tags
   */
  record Candidate(
      ConnectionId id, Direction direction, long openedAtNanos, boolean tagged, long weight) {}

  /**
   * Those of untagged peers before all others, then the lowest weight, then what the remote opened,
   * then the youngest. Connections are numbered, so no two are equal: the order is always the same.
   */
  private static final Comparator<Candidate> FIRST_TO_GO =
      Comparator.comparing(Candidate::tagged)
          .thenComparingLong(Candidate::weight)
          .thenComparing(candidate -> candidate.direction() == Direction.OUTBOUND)
          .thenComparing(Comparator.comparingLong(Candidate::openedAtNanos).reversed())
          .thenComparing(Comparator.comparing(Candidate::id).reversed());

  private Trimming() {}

  /** So many of them, the first to go first; all where there are fewer. */
  static List<ConnectionId> choose(List<Candidate> candidates, int count) {
    return candidates.stream().sorted(FIRST_TO_GO).limit(count).map(Candidate::id).toList();
  }
}
