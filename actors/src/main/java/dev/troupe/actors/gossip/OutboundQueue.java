package dev.troupe.actors.gossip;

import dev.troupe.protocol.gossipsub.Effect.Traffic;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be sent to one peer: bounded, and by kind of traffic.
 *
 * <p>Control goes out first, then what was published here, then what is forwarded, then gossip;
 * each kind in its own order. When there is no room, the oldest of the lowest kinds make way for a
 * higher one; a frame that finds nothing lower to displace is refused. Control that is refused
 * means that the peer does not read at all: its stream is to be given up.
 */
final class OutboundQueue {

  private static final Traffic[] LOWEST_FIRST = {
    Traffic.GOSSIP, Traffic.FORWARDED, Traffic.PUBLISHED, Traffic.CONTROL
  };

  private final int maxBytes;
  private final int maxFrames;
  private final Map<Traffic, Deque<byte[]>> waiting = new EnumMap<>(Traffic.class);
  private int frames;
  private int bytes;
  private long dropped;

  OutboundQueue(int maxBytes, int maxFrames) {
    this.maxBytes = maxBytes;
    this.maxFrames = maxFrames;
    for (Traffic traffic : Traffic.values()) {
      waiting.put(traffic, new ArrayDeque<>(1));
    }
  }

  /**
   * Takes a frame, if need be in place of lower traffic.
   *
   * @param frame shared with other queues: not to be changed
   * @return whether it was taken
   */
  boolean offer(Traffic traffic, byte[] frame) {
    if (!hasRoom(frame) && !makeRoom(traffic, frame)) {
      dropped++;
      return false;
    }
    queue(traffic).add(frame);
    bytes += frame.length;
    frames++;
    return true;
  }

  private boolean hasRoom(byte[] frame) {
    return bytes + frame.length <= maxBytes && frames < maxFrames;
  }

  private boolean makeRoom(Traffic traffic, byte[] frame) {
    int displaceableBytes = 0;
    int displaceableFrames = 0;
    for (Traffic lower : LOWEST_FIRST) {
      if (lower.compareTo(traffic) > 0) {
        displaceableFrames += queue(lower).size();
        for (byte[] displaceable : queue(lower)) {
          displaceableBytes += displaceable.length;
        }
      }
    }
    if (bytes - displaceableBytes + frame.length > maxBytes
        || frames - displaceableFrames >= maxFrames) {
      return false;
    }
    for (Traffic lower : LOWEST_FIRST) {
      while (!hasRoom(frame) && !queue(lower).isEmpty()) {
        removed(queue(lower).remove());
        dropped++;
      }
    }
    return true;
  }

  /** The next frame to send, removed; null when there is none. */
  @Nullable ByteBuffer poll() {
    for (Traffic traffic : Traffic.values()) {
      byte[] frame = queue(traffic).poll();
      if (frame != null) {
        removed(frame);
        return ByteBuffer.wrap(frame);
      }
    }
    return null;
  }

  void clear() {
    waiting.values().forEach(Deque::clear);
    bytes = 0;
    frames = 0;
  }

  int bytes() {
    return bytes;
  }

  int frames() {
    return frames;
  }

  /** How many frames were refused or displaced so far. */
  long dropped() {
    return dropped;
  }

  private void removed(byte[] frame) {
    bytes -= frame.length;
    frames--;
  }

  private Deque<byte[]> queue(Traffic traffic) {
    Deque<byte[]> queue = waiting.get(traffic);
    if (queue == null) {
      throw new IllegalStateException("no queue for " + traffic);
    }
    return queue;
  }
}
