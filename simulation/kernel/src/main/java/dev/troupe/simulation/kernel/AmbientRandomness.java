package dev.troupe.simulation.kernel;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The state of {@link ThreadLocalRandom} on the simulating thread. Pekko draws actor uids from it,
 * and a uid is the hash code of an actor's reference: it decides in which order a hash set of
 * references is walked, for example who hears first that an actor has stopped. A run therefore
 * swaps its own seeded state in while it runs, and the thread's state back afterwards.
 *
 * <p>The JDK mixes the id of the thread into each draw, so that two runs agree only on threads of
 * the same id: the main thread of a test JVM always has id 1. Where the JDK does not let us in,
 * there is no run: it could not be replayed.
 */
final class AmbientRandomness {

  /** The field of a thread that holds the state. */
  record Access(MethodHandle get, MethodHandle put) {}

  /** Null where the JDK does not let us in. */
  private static final @Nullable Access ACCESS = access();

  private final Access access;
  private long state;
  private long saved;

  AmbientRandomness(long seed) {
    this(seed, ACCESS);
  }

  /**
   * @throws IllegalStateException if there is no access
   */
  AmbientRandomness(long seed, @Nullable Access access) {
    if (access == null) {
      throw new IllegalStateException(
          "nothing can be simulated here: this JVM lets nobody seed ThreadLocalRandom. It must allow "
              + "sun.misc.Unsafe (module jdk.unsupported; from JDK 24 on "
              + "--sun-misc-unsafe-memory-access=allow)");
    }
    this.access = access;
    this.state = seed;
  }

  void enter() {
    // Makes sure that the thread's state is initialised now, and not over ours later.
    ThreadLocalRandom.current();
    saved = swap(state);
  }

  void exit() {
    state = swap(saved);
  }

  private long swap(long seed) {
    try {
      long before = (long) access.get().invokeExact(Thread.currentThread());
      access.put().invokeExact(Thread.currentThread(), seed);
      return before;
    } catch (Throwable e) {
      throw new IllegalStateException("the state of ThreadLocalRandom could be reached before", e);
    }
  }

  private static @Nullable Access access() {
    // By name: the compiler warns of every mention of this class, and newer JDKs will take it away.
    try {
      Class<?> type = Class.forName("sun.misc.Unsafe");
      Field singleton = type.getDeclaredField("theUnsafe");
      singleton.setAccessible(true);
      Object unsafe = singleton.get(null);
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      long offset =
          (long)
              lookup
                  .findVirtual(
                      type, "objectFieldOffset", MethodType.methodType(long.class, Field.class))
                  .invoke(unsafe, Thread.class.getDeclaredField("threadLocalRandomSeed"));
      MethodHandle get =
          lookup
              .findVirtual(
                  type, "getLong", MethodType.methodType(long.class, Object.class, long.class))
              .bindTo(unsafe);
      MethodHandle put =
          lookup
              .findVirtual(
                  type,
                  "putLong",
                  MethodType.methodType(void.class, Object.class, long.class, long.class))
              .bindTo(unsafe);
      return new Access(
          MethodHandles.insertArguments(get, 1, offset)
              .asType(MethodType.methodType(long.class, Thread.class)),
          MethodHandles.insertArguments(put, 1, offset)
              .asType(MethodType.methodType(void.class, Thread.class, long.class)));
    } catch (Throwable e) {
      return null;
    }
  }
}
