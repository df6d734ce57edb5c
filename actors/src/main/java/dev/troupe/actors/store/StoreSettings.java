package dev.troupe.actors.store;

/**
 * Where a peer keeps what is to outlive it, and how much.
 *
 * @param directory where the {@link Store} is (default none, the empty text: nothing outlives the
 *     peer)
 * @param maxBytes how much it may hold, in bytes: an entry counts as its key, its value and 32
 *     bytes; a commit beyond fails with FULL (default 256 MiB). A disk may need twice of it, and 64
 *     MiB for what is on its way
 * @param maxWaiting commits that wait to become durable; one more fails with BUSY (default 8192)
 */
public record StoreSettings(String directory, long maxBytes, int maxWaiting) {

  /** The defaults named above. */
  public static final StoreSettings DEFAULT = new StoreSettings("", 256L << 20, 8192);

  /**
   * Checks the limits.
   *
   * @throws IllegalArgumentException naming the limit that is not positive
   */
  public StoreSettings {
    if (maxBytes <= 0) {
      throw new IllegalArgumentException("maxBytes must be positive, not " + maxBytes);
    }
    if (maxWaiting <= 0) {
      throw new IllegalArgumentException("maxWaiting must be positive, not " + maxWaiting);
    }
  }

  /** These, somewhere else. */
  public StoreSettings withDirectory(String other) {
    return new StoreSettings(other, maxBytes, maxWaiting);
  }

  /** These, with room for so much. */
  public StoreSettings withMaxBytes(long other) {
    return new StoreSettings(directory, other, maxWaiting);
  }

  /** These, where so many commits may wait. */
  public StoreSettings withMaxWaiting(int other) {
    return new StoreSettings(directory, maxBytes, other);
  }

  /** Whether there is a store at all. */
  public boolean isPresent() {
    return !directory.isEmpty();
  }
}
