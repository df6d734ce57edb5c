package dev.troupe.protocol.gossipsub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.keys.PeerId;
import org.junit.jupiter.api.Test;

class BackoffsTest {

  private static final PeerId PEER = RouterNetwork.key(1).peerId();

  @Test
  void eachEndsInItsTimeHoweverTheyCame() {
    Backoffs backoffs = new Backoffs(2, 10);
    backoffs.add("long", PEER, 30, 0);
    backoffs.add("short", PEER, 10, 0);
    backoffs.add("middle", PEER, 20, 0);
    backoffs.expire(11);
    assertEquals(3, backoffs.size());
    backoffs.expire(12);
    assertEquals(2, backoffs.size());
    assertFalse(backoffs.holdsUsBack("short", PEER, 12));
    backoffs.add("late", PEER, 3, 12);
    backoffs.expire(17);
    assertEquals(2, backoffs.size());
    backoffs.expire(22);
    assertEquals(1, backoffs.size());
    assertTrue(backoffs.holdsUsBack("long", PEER, 31));
    backoffs.expire(32);
    assertEquals(0, backoffs.size());
    backoffs.add("again", PEER, 5, 40);
    backoffs.expire(46);
    assertEquals(1, backoffs.size());
    backoffs.expire(47);
    assertEquals(0, backoffs.size());
  }

  @Test
  void theOldestGoFirst() {
    Backoffs backoffs = new Backoffs(0, 2);
    backoffs.add("a", PEER, 10, 0);
    backoffs.add("b", PEER, 10, 0);
    backoffs.add("c", PEER, 10, 0);
    assertEquals(2, backoffs.size());
    assertFalse(backoffs.isInForce("a", PEER, 1));
    assertTrue(backoffs.isInForce("c", PEER, 1));
  }
}
