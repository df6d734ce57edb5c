package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;

/**
 * A value under a key, as it travels and as it is stored (specification, message {@code Record}).
 *
 * @param key {@code /namespace/rest}, by convention; any bytes on the wire
 * @param value what is stored
 * @param timeReceived RFC 3339, set by whoever stores it; empty when unset
 */
public record ValueRecord(Bytes key, Bytes value, String timeReceived) {

  /** The longest value that is stored, in bytes. */
  public static final int MAX_VALUE_SIZE = 32 * 1024;

  /** A record that nobody has received yet. */
  public ValueRecord(Bytes key, Bytes value) {
    this(key, value, "");
  }
}
