package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.kademlia.IterativeLookup.Step;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Ask;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Finished;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Wait;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Walks among peers that answer by chance. */
final class Walks {

  private Walks() {}

  /**
   * Plays one to its end: whoever is asked answers, fails or is late. Asserts that nobody is asked
   * twice, that no more are asked at a time than may be, and that the walk waits for somebody.
   *
   * @param asked gets those that were asked
   */
  static Finished play(Walk walk, int parallelism, Random random, Set<PeerId> asked) {
    Set<PeerId> late = new HashSet<>();
    List<PeerId> inFlight = new ArrayList<>();
    Finished end = null;
    for (int steps = 0; end == null; steps++) {
      assertTrue(steps < 2000, "does not end");
      Step step = walk.next(0);
      if (step instanceof Ask next) {
        assertTrue(asked.add(next.peer()), "asked twice");
        inFlight.add(next.peer());
        assertTrue(inFlight.size() - late.size() <= parallelism);
      } else if (step instanceof Wait) {
        assertFalse(inFlight.isEmpty(), "waits for nobody");
        PeerId peer = inFlight.get(random.nextInt(inFlight.size()));
        if (random.nextInt(4) == 0 && walk.onLate(peer)) {
          late.add(peer);
          continue;
        }
        inFlight.remove(peer);
        late.remove(peer);
        if (random.nextInt(4) == 0) {
          walk.onFailure(peer);
        } else {
          walk.onSuccess(
              peer, random.ints(random.nextInt(12), 0, 256).mapToObj(Peers::at).toList());
        }
      } else {
        end = (Finished) step;
      }
    }
    return end;
  }
}
