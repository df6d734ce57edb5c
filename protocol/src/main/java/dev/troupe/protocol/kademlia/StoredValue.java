package dev.troupe.protocol.kademlia;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.proto.StoredValueMessage;
import dev.troupe.protocol.keys.PeerId;
import java.time.Instant;

/**
 * A value as it is kept beyond the end of a peer, under its key.
 *
 * @param sender who put it
 * @param putAt when; from then on it lives
 */
public record StoredValue(ValueRecord record, PeerId sender, Instant putAt) {

  /** Without the key, under which it is kept. */
  public Bytes encode() {
    return Bytes.wrap(
        StoredValueMessage.newBuilder()
            .setValue(ByteString.copyFrom(record.value().asReadOnlyBuffer()))
            .setTimeReceived(record.timeReceived())
            .setSender(ByteString.copyFrom(sender.bytes().asReadOnlyBuffer()))
            .setPutAt(putAt.toEpochMilli())
            .build()
            .toByteArray());
  }

  /**
   * Reads what was kept under a key. Whether it is valid there is another question.
   *
   * @throws MalformedException if it is no such thing
   */
  public static StoredValue decode(Bytes key, Bytes encoded) throws MalformedException {
    try {
      StoredValueMessage kept = StoredValueMessage.parseFrom(encoded.asReadOnlyBuffer());
      return new StoredValue(
          new ValueRecord(key, Bytes.wrap(kept.getValue().toByteArray()), kept.getTimeReceived()),
          PeerId.decode(kept.getSender().toByteArray()),
          Instant.ofEpochMilli(kept.getPutAt()));
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("not a stored value: " + e.getMessage());
    }
  }
}
