package dev.troupe.simulation.world;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One buffer that the links of a network lend each other: what is put into it is copied at once, in
 * its own size, because a link reserves room for far more than it mostly has to say.
 */
final class SharedBuffer {

  private @Nullable ByteBuffer free;

  /** An empty buffer with at least this capacity. */
  ByteBuffer take(int capacity) {
    ByteBuffer taken = free;
    free = null;
    return taken != null && taken.capacity() >= capacity
        ? taken.clear()
        : ByteBuffer.allocate(capacity);
  }

  /** Takes it back, and answers what was put into it. */
  ByteBuffer copyOf(ByteBuffer taken) {
    taken.flip();
    ByteBuffer copy = ByteBuffer.allocate(taken.remaining()).put(taken).flip();
    free = taken;
    return copy;
  }
}
