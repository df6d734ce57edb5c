package dev.troupe.protocol.crypto;

/**
 * Where key material and nonces come from: secure randomness in the real world, a seed in a
 * simulation. Thread-safe.
 */
@FunctionalInterface
public interface RandomSource {

  /** Fills an array. */
  void fill(byte[] target);

  /** So many bytes. */
  default byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    fill(bytes);
    return bytes;
  }
}
