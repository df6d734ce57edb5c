package dev.troupe.actors.connections;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.troupe.actors.connections.Trimming.Candidate;
import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.Direction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TrimmingTest {

  /** The first to go first. */
  private static final List<Candidate> ORDER =
      List.of(
          candidate(9, Direction.INBOUND, 30, false, 0),
          candidate(1, Direction.INBOUND, 10, false, 0),
          candidate(8, Direction.OUTBOUND, 20, false, 0),
          candidate(3, Direction.OUTBOUND, 20, false, 0),
          candidate(2, Direction.INBOUND, 20, true, 0),
          candidate(4, Direction.INBOUND, 20, true, 5),
          candidate(5, Direction.OUTBOUND, 20, true, 5),
          candidate(6, Direction.INBOUND, 40, true, 20),
          candidate(7, Direction.INBOUND, 20, true, 20));

  private static Candidate candidate(
      long number, Direction direction, long openedAtNanos, boolean tagged, long weight) {
    return new Candidate(new ConnectionId(number), direction, openedAtNanos, tagged, weight);
  }

  @Test
  void untaggedThenLightThenInboundThenYoungInWhateverOrderTheyCome() {
    List<ConnectionId> expected = ORDER.stream().map(Candidate::id).toList();
    List<Candidate> shuffled = new ArrayList<>(ORDER);
    Random random = new Random(1);
    for (int i = 0; i < 100; i++) {
      Collections.shuffle(shuffled, random);
      assertEquals(expected, Trimming.choose(shuffled, 100));
      assertEquals(expected.subList(0, 4), Trimming.choose(shuffled, 4));
    }
  }
}
