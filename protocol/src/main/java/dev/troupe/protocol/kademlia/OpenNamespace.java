package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import java.util.List;

/** Takes anything. */
record OpenNamespace() implements Namespace {

  @Override
  public void validate(Bytes key, Bytes value) {}

  @Override
  public int select(Bytes key, List<Bytes> values) {
    return 0;
  }
}
