package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PublicKey;
import java.util.List;

/**
 * {@code /pk/<peer id>}: the public key of that peer. There is one valid value only, so any will
 * do.
 */
record PublicKeyNamespace() implements Namespace {

  private static final int PREFIX = "/pk/".length();

  @Override
  public void validate(Bytes key, Bytes value) throws InvalidRecordException {
    PeerId named;
    PeerId proven;
    try {
      named = PeerId.decode(key.slice(PREFIX, key.size()).toArray());
      proven = PeerId.of(PublicKey.decode(value.toArray()));
    } catch (MalformedException e) {
      throw new InvalidRecordException("not a public key record: " + e.getMessage());
    }
    if (!named.equals(proven)) {
      throw new InvalidRecordException("the public key of " + proven + ", not of " + named);
    }
  }

  @Override
  public boolean isOrdered() {
    return true;
  }

  @Override
  public int select(Bytes key, List<Bytes> values) {
    return 0;
  }
}
