package dev.troupe.protocol.ipns;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.Namespace;
import java.time.InstantSource;
import java.util.List;

/**
 * {@code /ipns/<peer id>}: what the name points at, as an {@link IpnsRecord}. The higher sequence
 * is better, then the longer validity, then, so that all choose the same, the greater bytes, as
 * boxo has it.
 *
 * @param clock on which records expire
 */
public record IpnsNamespace(Crypto crypto, InstantSource clock) implements Namespace {

  /** Its name. */
  public static final String NAME = "ipns";

  @Override
  public void validate(Bytes key, Bytes value) throws InvalidRecordException {
    try {
      IpnsRecord.open(crypto, IpnsRecord.nameIn(key), value, clock.instant());
    } catch (InvalidIpnsRecordException e) {
      throw new InvalidRecordException(e);
    }
  }

  @Override
  public int select(Bytes key, List<Bytes> values) {
    return Namespace.greatest(values, IpnsNamespace::peek, IpnsRecord.ORDER);
  }

  @Override
  public boolean isOrdered() {
    return true;
  }

  private static IpnsRecord peek(Bytes value) {
    try {
      return IpnsRecord.peek(value);
    } catch (InvalidIpnsRecordException e) {
      throw new IllegalArgumentException("a value that is not valid: " + e.getMessage(), e);
    }
  }
}
