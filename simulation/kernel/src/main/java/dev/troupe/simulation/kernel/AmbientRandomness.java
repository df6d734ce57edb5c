package dev.troupe.simulation.kernel;

import java.lang.reflect.Field;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import sun.misc.Unsafe;

/**
 * The state of {@link ThreadLocalRandom} on the simulating thread. Pekko draws actor uids from it, and a uid is the hash code of an
 * actor's reference: it decides in which order a hash set of references is walked, for example who hears first that an actor has
 * stopped. A run therefore swaps its own seeded state in while it runs, and the thread's state back afterwards.
 *
 * <p>The JDK mixes the id of the thread into each draw, so that two runs agree only on threads of the same id: the main thread
 * of a test JVM always has id 1. Where the JDK does not let us in, runs go on unseeded and {@link #available()} says so.
 */
final class AmbientRandomness {

  private static final @Nullable Unsafe UNSAFE = unsafe();
  private static final long SEED_OFFSET = seedOffset();

  private long state;
  private long saved;

  AmbientRandomness(long seed) {
    this.state = seed;
  }

  static boolean available() {
    return UNSAFE != null && SEED_OFFSET >= 0;
  }

  void enter() {
    if (available()) {
      ThreadLocalRandom.current(); // makes sure that the thread's state is initialised, and not overwritten later
      Thread thread = Thread.currentThread();
      saved = UNSAFE.getLong(thread, SEED_OFFSET);
      UNSAFE.putLong(thread, SEED_OFFSET, state);
    }
  }

  void exit() {
    if (available()) {
      Thread thread = Thread.currentThread();
      state = UNSAFE.getLong(thread, SEED_OFFSET);
      UNSAFE.putLong(thread, SEED_OFFSET, saved);
    }
  }

  private static @Nullable Unsafe unsafe() {
    try {
      Field field = Unsafe.class.getDeclaredField("theUnsafe");
      field.setAccessible(true);
      return (Unsafe) field.get(null);
    } catch (ReflectiveOperationException | RuntimeException e) {
      return null;
    }
  }

  @SuppressWarnings("deprecation")
  private static long seedOffset() {
    if (UNSAFE == null) {
      return -1;
    }
    try {
      return UNSAFE.objectFieldOffset(Thread.class.getDeclaredField("threadLocalRandomSeed"));
    } catch (ReflectiveOperationException | RuntimeException e) {
      return -1;
    }
  }
}
