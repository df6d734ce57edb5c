package dev.troupe.protocol.presence;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.Namespace;
import java.time.InstantSource;
import java.util.List;

/**
 * {@code /presence/<peer id><identity>}: the {@link PresenceRecord} of that peer under that
 * identity. The later one is better, and of two that are as late, so that all choose the same, the
 * one with the greater bytes.
 *
 * @param clock on which records expire
 */
public record PresenceNamespace(Crypto crypto, InstantSource clock) implements Namespace {

  /** Its name. */
  public static final String NAME = "presence";

  @Override
  public void validate(Bytes key, Bytes value) throws InvalidRecordException {
    try {
      PresenceRecord.open(crypto, key, value, clock.instant());
    } catch (InvalidPresenceException e) {
      throw new InvalidRecordException(e);
    }
  }

  @Override
  public int select(Bytes key, List<Bytes> values) {
    return Namespace.greatest(values, PresenceNamespace::peek, PresenceRecord.ORDER);
  }

  @Override
  public boolean isOrdered() {
    return true;
  }

  private static PresenceRecord peek(Bytes value) {
    try {
      return PresenceRecord.peek(value);
    } catch (InvalidPresenceException e) {
      throw new IllegalArgumentException("a value that is not valid: " + e.getMessage(), e);
    }
  }
}
