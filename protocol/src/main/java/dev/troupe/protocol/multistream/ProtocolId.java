package dev.troupe.protocol.multistream;

import java.nio.charset.StandardCharsets;

/**
 * The name of a protocol that a stream speaks, such as {@code /ipfs/kad/1.0.0}.
 *
 * @param value not empty, at most {@link #MAX_BYTES} bytes of UTF-8, without a line feed
 */
public record ProtocolId(String value) implements Comparable<ProtocolId> {

  /** The longest name, so that its line fits the limit of multistream-select. */
  public static final int MAX_BYTES = 1000;

  /**
   * Refuses what cannot be a line of multistream-select.
   *
   * @throws IllegalArgumentException if it is empty or too long, or holds a line feed
   */
  public ProtocolId {
    if (value.isEmpty()
        || value.length() > MAX_BYTES
        || value.indexOf('\n') >= 0
        || value.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
      throw new IllegalArgumentException(
          "a protocol id has 1 to " + MAX_BYTES + " bytes and no line feed");
    }
  }

  /** The same as the constructor. */
  public static ProtocolId of(String value) {
    return new ProtocolId(value);
  }

  @Override
  public int compareTo(ProtocolId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
