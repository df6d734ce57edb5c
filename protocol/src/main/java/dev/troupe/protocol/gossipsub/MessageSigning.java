package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.keys.KeyType;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.PublicKey;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The signature policy {@code StrictSign} (pubsub specification, "Message Signing"): every message
 * is signed by its author, and no other is accepted. Stateless.
 */
public final class MessageSigning {

  private static final Bytes PREFIX = Bytes.utf8("libp2p-pubsub:");
  private static final int SEQNO_BYTES = Long.BYTES;
  private static final byte DER_SEQUENCE = 0x30;

  private MessageSigning() {}

  /**
   * Makes a signed message. The key is enclosed only where the peer id does not contain it (Ed25519
   * ids do).
   *
   * @param seqno the author's next sequence number, taken as unsigned
   */
  public static Message sign(
      PrivateKey author, Crypto crypto, String topic, Bytes data, long seqno) {
    PublicKey publicKey = author.publicKey();
    PeerId from = PeerId.of(publicKey);
    Bytes number = Bytes.wrap(ByteBuffer.allocate(SEQNO_BYTES).putLong(seqno).array());
    Message unsigned = new Message(from.bytes(), data, number, topic, null, null, Bytes.EMPTY);
    Bytes signature = Bytes.wrap(author.sign(crypto, signedBytes(unsigned)));
    Bytes key = from.inlineKey() == null ? publicKey.encoded() : null;
    return unsigned.withSignature(signature, key);
  }

  /** Says what is wrong with a message, or null when it is what its author signed. */
  public static @Nullable Rejection verify(Message message, Crypto crypto) {
    if (message.from() == null || message.from().size() == 0) {
      return Rejection.MISSING_FROM;
    }
    if (message.seqno() == null || message.seqno().size() != SEQNO_BYTES) {
      return Rejection.INVALID_SEQNO;
    }
    if (message.signature() == null || message.signature().size() == 0) {
      return Rejection.MISSING_SIGNATURE;
    }
    PeerId author;
    try {
      author = PeerId.decode(message.from().toArray());
    } catch (MalformedException e) {
      return Rejection.INVALID_FROM;
    }
    PublicKey key = author.inlineKey();
    if (message.key() != null && message.key().size() > 0) {
      PublicKey enclosed;
      try {
        enclosed = PublicKey.decode(message.key().toArray());
      } catch (MalformedException e) {
        return Rejection.INVALID_KEY;
      }
      if (!PeerId.of(enclosed).equals(author)) {
        return Rejection.KEY_MISMATCH;
      }
      key = enclosed;
    }
    if (key == null) {
      return Rejection.MISSING_KEY;
    }
    byte[] signature = message.signature().toArray();
    if (key.verify(crypto, signedBytes(message), signature)) {
      return null;
    }
    // Neither has cost us the work of a verification. js-libp2p makes ECDSA signatures in the form
    // of IEEE P1363, where the specification says DER.
    boolean foreignForm = key.type() == KeyType.ECDSA && signature[0] != DER_SEQUENCE;
    return foreignForm || !key.isSupported(crypto)
        ? Rejection.UNSUPPORTED_KEY
        : Rejection.BAD_SIGNATURE;
  }

  private static byte[] signedBytes(Message message) {
    Message unsigned =
        new Message(
            message.from(),
            message.data(),
            message.seqno(),
            message.topic(),
            null,
            null,
            message.unknown());
    return PREFIX.concat(RpcCodec.encode(unsigned)).toArray();
  }
}
