package dev.troupe.actors.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BootstrapTest {

  private static final Duration INTERVAL = Duration.ofSeconds(15);

  @Test
  void threeAreDialledAtOnceAndTheNextForEachThatFails() {
    Bootstrap bootstrap =
        of(
            Script.peerNumber(1),
            Script.peerNumber(2),
            Script.peerNumber(3),
            Script.peerNumber(4),
            Script.peerNumber(5));
    List<Bootstrap.Candidate> dialled = new ArrayList<>(bootstrap.begin());
    assertEquals(3, dialled.size());
    assertEquals(List.of(), bootstrap.begin(), "a round is under way");
    bootstrap.onConnected();
    List<Bootstrap.Candidate> next = bootstrap.onFailed();
    assertEquals(1, next.size());
    dialled.addAll(next);
    dialled.addAll(bootstrap.onFailed());
    assertEquals(5, dialled.stream().distinct().count());
    assertEquals(List.of(), bootstrap.onFailed(), "all have been tried");
    bootstrap.onConnected();
    assertFalse(bootstrap.isUnderWay());
    assertEquals(3, bootstrap.begin().size());
  }

  @Test
  void threeConnectedAreEnough() {
    Bootstrap bootstrap =
        of(Script.peerNumber(1), Script.peerNumber(2), Script.peerNumber(3), Script.peerNumber(4));
    bootstrap.begin();
    bootstrap.onConnected();
    bootstrap.onConnected();
    bootstrap.onConnected();
    assertFalse(bootstrap.isUnderWay());
    assertEquals(List.of(), bootstrap.onFailed(), "a reply from before a crash");
  }

  @Test
  void severalAddressesOfOnePeerAreOneCandidate() {
    Script one = Script.peerNumber(1);
    Multiaddr second = Script.address(9).withPeer(one.peer);
    Multiaddr nameless = Script.address(8);
    Bootstrap bootstrap =
        new Bootstrap(List.of(one.bootstrapAddress(), second, nameless), new SplittableRandom(1));
    List<Bootstrap.Candidate> dialled = bootstrap.begin();
    assertEquals(2, dialled.size());
    assertTrue(
        dialled.contains(
            new Bootstrap.Candidate(one.peer, List.of(one.address, Script.address(9)))));
    assertTrue(dialled.contains(new Bootstrap.Candidate(null, List.of(nameless))));
  }

  @Test
  void pausesDoubleUpToEightTimesAndStartAgainAfterSuccess() {
    Bootstrap bootstrap = of(Script.peerNumber(1));
    for (int factor : new int[] {1, 2, 4, 8, 8, 8}) {
      assertPause(factor, bootstrap.nextPause(INTERVAL));
    }
    bootstrap.resetPause();
    assertPause(1, bootstrap.nextPause(INTERVAL));
  }

  @Test
  void withNobodyConfiguredItIsAlone() {
    assertTrue(of().isAlone());
    assertEquals(List.of(), of().begin());
    assertFalse(of(Script.peerNumber(1)).isAlone());
  }

  private static void assertPause(int factor, Duration pause) {
    Duration least = INTERVAL.multipliedBy(factor);
    assertTrue(pause.compareTo(least) >= 0, () -> pause + " < " + least);
    assertTrue(pause.compareTo(least.plus(least.dividedBy(5))) <= 0, () -> pause + " is too long");
  }

  private static Bootstrap of(Script... peers) {
    return new Bootstrap(
        Arrays.stream(peers).map(Script::bootstrapAddress).toList(), new SplittableRandom(1));
  }
}
