package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One message of a topic as it stands on the wire (pubsub specification, "The Message"). What is
 * absent is null: whether that is allowed is for {@link MessageSigning} to say, and signatures
 * cover the difference between absent and empty.
 *
 * @param from the author's peer id, in bytes
 * @param data the payload
 * @param seqno the author's sequence number, 8 bytes, big-endian
 * @param topic the topic's name
 * @param signature over the prefix {@code libp2p-pubsub:} and the message without signature and key
 * @param key the author's public key, where the peer id does not contain it
 * @param unknown encoded fields that this version does not know; they are signed, and passed on
 */
public record Message(
    @Nullable Bytes from,
    @Nullable Bytes data,
    @Nullable Bytes seqno,
    String topic,
    @Nullable Bytes signature,
    @Nullable Bytes key,
    Bytes unknown) {

  /** Checks that topic and unknown fields are there. */
  public Message {
    Objects.requireNonNull(topic, "topic");
    Objects.requireNonNull(unknown, "unknown");
  }

  /** The payload, empty when absent. */
  public Bytes payload() {
    return data == null ? Bytes.EMPTY : data;
  }

  /**
   * The name by which peers know it: {@code from} and {@code seqno}, one after the other (pubsub
   * specification, "Message Identification").
   */
  public Bytes id() {
    Bytes author = from == null ? Bytes.EMPTY : from;
    return seqno == null ? author : author.concat(seqno);
  }

  Message withSignature(Bytes newSignature, @Nullable Bytes newKey) {
    return new Message(from, data, seqno, topic, newSignature, newKey, unknown);
  }

  /** Names the message without its payload. */
  @Override
  public String toString() {
    return "Message[" + id().hex() + " on " + topic + ", " + payload().size() + " bytes]";
  }
}
