package dev.troupe.actors.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.gossipsub.Effect.Traffic;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboundQueueTest {

  private final OutboundQueue queue = new OutboundQueue(10, 4);

  private static byte[] frame(int first, int size) {
    byte[] frame = new byte[size];
    frame[0] = (byte) first;
    return frame;
  }

  private List<Integer> drained() {
    List<Integer> firsts = new ArrayList<>();
    for (ByteBuffer next = queue.poll(); next != null; next = queue.poll()) {
      firsts.add((int) next.get(0));
    }
    return firsts;
  }

  @Test
  void higherTrafficGoesFirstAndEachKindInItsOrder() {
    assertTrue(queue.offer(Traffic.GOSSIP, frame(1, 1)));
    assertTrue(queue.offer(Traffic.FORWARDED, frame(2, 1)));
    assertTrue(queue.offer(Traffic.CONTROL, frame(3, 1)));
    assertTrue(queue.offer(Traffic.CONTROL, frame(4, 1)));
    assertEquals(List.of(3, 4, 2, 1), drained());
    assertNull(queue.poll());
    assertEquals(0, queue.bytes());
    assertEquals(0, queue.frames());
  }

  @Test
  void aFullQueueDropsTheOldestGossipFirst() {
    queue.offer(Traffic.GOSSIP, frame(1, 3));
    queue.offer(Traffic.GOSSIP, frame(2, 3));
    queue.offer(Traffic.FORWARDED, frame(3, 3));
    assertTrue(queue.offer(Traffic.PUBLISHED, frame(4, 3)));
    assertEquals(1, queue.dropped());
    assertEquals(List.of(4, 3, 2), drained());
  }

  @Test
  void publishedTrafficIsNotDisplacedByItsOwnKindOrLower() {
    queue.offer(Traffic.PUBLISHED, frame(1, 10));
    assertFalse(queue.offer(Traffic.PUBLISHED, frame(2, 1)));
    assertFalse(queue.offer(Traffic.FORWARDED, frame(3, 1)));
    assertFalse(queue.offer(Traffic.GOSSIP, frame(4, 1)));
    assertEquals(3, queue.dropped());
    assertEquals(List.of(1), drained());
  }

  @Test
  void controlDisplacesAllButControl() {
    queue.offer(Traffic.PUBLISHED, frame(1, 5));
    queue.offer(Traffic.CONTROL, frame(2, 5));
    assertTrue(queue.offer(Traffic.CONTROL, frame(3, 5)));
    assertFalse(queue.offer(Traffic.CONTROL, frame(4, 1)));
    assertEquals(List.of(2, 3), drained());
  }

  @Test
  void nothingIsDroppedForAFrameThatWouldNotFitEvenSo() {
    queue.offer(Traffic.GOSSIP, frame(1, 5));
    assertFalse(queue.offer(Traffic.PUBLISHED, frame(2, 11)));
    assertEquals(List.of(1), drained());
  }

  @Test
  void theNumberOfFramesIsBoundedToo() {
    for (int i = 0; i < 4; i++) {
      assertTrue(queue.offer(Traffic.GOSSIP, frame(i, 1)));
    }
    assertFalse(queue.offer(Traffic.GOSSIP, frame(4, 1)));
    assertTrue(queue.offer(Traffic.CONTROL, frame(5, 1)));
    assertEquals(List.of(5, 1, 2, 3), drained());
  }

  @Test
  void aClearedQueueIsEmpty() {
    queue.offer(Traffic.CONTROL, frame(1, 5));
    queue.clear();
    assertEquals(List.of(), drained());
    assertTrue(queue.offer(Traffic.GOSSIP, frame(2, 10)));
  }
}
