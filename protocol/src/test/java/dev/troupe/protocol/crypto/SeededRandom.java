package dev.troupe.protocol.crypto;

import java.util.SplittableRandom;

/** A random source for tests, decided by its seed. */
public final class SeededRandom implements RandomSource {
  private final SplittableRandom random;

  public SeededRandom(long seed) {
    random = new SplittableRandom(seed);
  }

  @Override
  public void fill(byte[] target) {
    random.nextBytes(target);
  }
}
