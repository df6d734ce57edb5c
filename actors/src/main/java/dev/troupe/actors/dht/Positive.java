package dev.troupe.actors.dht;

/**
 * The one check of all settings; in a class of its own, so that nested settings do not need the
 * outer's to be initialised.
 */
final class Positive {

  private Positive() {}

  static void require(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }
}
