package dev.troupe.simulation.kernel;

import java.nio.charset.StandardCharsets;

/** Independent seeds from one seed and a purpose. */
final class Seeds {

  private Seeds() {}

  static long derive(long seed, String purpose) {
    long hash = mix(seed ^ 0x9E3779B97F4A7C15L);
    for (byte b : purpose.getBytes(StandardCharsets.UTF_8)) {
      hash = mix(hash ^ (b & 0xFF)) + 0x9E3779B97F4A7C15L;
    }
    return mix(hash);
  }

  /** The finaliser of SplitMix64: a bijection that spreads each bit over all. */
  static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
