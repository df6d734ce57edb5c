package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Finished;
import dev.troupe.protocol.keys.PeerId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DensityTest {

  private static final int K = 20;

  private final Random random = new Random(5);
  private final Density density = new Density(K);

  @Test
  void aDistanceIsAFractionOfTheKeyspace() {
    assertEquals(0.5, new Distance(Long.MIN_VALUE, 0, 0, 0).fraction());
    assertEquals(0.25, new Distance(1L << 62, 0, 0, 0).fraction());
    assertEquals(1, new Distance(-1, -1, -1, -1).fraction());
    assertEquals(0, new Distance(0, 0, 0, 1).fraction());
  }

  @Test
  void whatSomeWalksFoundSaysHowFarTheNearestAre() {
    List<PeerId> network = network(2000);
    for (int walks = 0; walks < Density.MAX_WALKS; walks++) {
      assertEquals(walks < Density.MIN_WALKS, density.radius().isEmpty());
      walk(network, Ending.CONVERGED, K);
    }
    // 20 of 2,000: one part in a hundred.
    double radius = density.radius().orElseThrow();
    assertTrue(radius > 0.007 && radius < 0.013, "" + radius);
  }

  @Test
  void walksThatDidNotFindTheNearestSayNothing() {
    List<PeerId> network = network(100);
    for (int walks = 0; walks < 10; walks++) {
      walk(network, Ending.CONVERGED, K - 1);
      walk(network, Ending.DEADLINE_PASSED, K);
      walk(network, Ending.DISPUTED, K);
    }
    assertEquals(OptionalDouble.empty(), density.radius());
  }

  @Test
  void aFewWalksToACrowdDoNotDecideAndTheOldestAreForgotten() {
    List<PeerId> sparse = network(100);
    List<PeerId> dense = network(2000);
    for (int walks = 0; walks < Density.MAX_WALKS; walks++) {
      walk(sparse, Ending.CONVERGED, K);
    }
    for (int walks = 0; walks < 5; walks++) {
      walk(dense, Ending.CONVERGED, K);
    }
    assertTrue(density.radius().orElseThrow() > 0.1);
    for (int walks = 0; walks < Density.MAX_WALKS; walks++) {
      walk(dense, Ending.CONVERGED, K);
    }
    assertTrue(density.radius().orElseThrow() < 0.02, "of the sparse ones nothing is left");
  }

  private void walk(List<PeerId> network, Ending ending, int found) {
    Key target = Key.of(Peers.peer(random.nextLong()));
    List<PeerId> closest =
        network.stream()
            .sorted(Comparator.comparing(peer -> Key.of(peer).distanceTo(target)))
            .limit(found)
            .toList();
    density.onWalked(target, new Finished(ending, closest, 40, 40));
  }

  private List<PeerId> network(int size) {
    List<PeerId> peers = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      peers.add(Peers.peer(random.nextLong()));
    }
    return peers;
  }
}
