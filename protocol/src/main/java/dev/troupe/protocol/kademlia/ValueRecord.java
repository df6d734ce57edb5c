package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/**
 * A value under a key, as it travels and as it is stored (specification, message {@code Record}).
 *
 * @param key {@code /namespace/rest}, by convention; any bytes on the wire
 * @param value what is stored
 * @param timeReceived RFC 3339, set by whoever stores it; empty when unset. Whoever sends a record
 *     should set it, too, and with all nine digits of the fraction: js-libp2p refuses a record
 *     without them
 */
public record ValueRecord(Bytes key, Bytes value, String timeReceived) {

  /** The longest value that is stored, in bytes. */
  public static final int MAX_VALUE_SIZE = 32 * 1024;

  /** A record that nobody has received yet. */
  public ValueRecord(Bytes key, Bytes value) {
    this(key, value, "");
  }

  /** This record, received at this time. */
  public ValueRecord receivedAt(Instant time) {
    return new ValueRecord(key, value, RFC_3339_NANO.format(time));
  }

  private static final DateTimeFormatter RFC_3339_NANO =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSS'Z'").withZone(ZoneOffset.UTC);
}
