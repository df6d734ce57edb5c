package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.Crypto;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The two forms in which peers name one message.
 *
 * <p>The specification says {@code from} and {@code seqno}, {@code from} being the author's peer
 * id; go-libp2p, rust-libp2p and this router do that. js-libp2p takes the author's public key in
 * place of the peer id. An IHAVE in the wrong form makes a peer ask for what it has seen, and
 * js-libp2p moreover lowers the score of whoever offered it, since the id it asked for never comes.
 * So ids are compared in the specified form, and each peer is told them in its own.
 */
public enum MessageIdForm {
  /** The author's peer id and the sequence number, as specified. */
  PEER_ID,
  /** The author's public key as protobuf and the sequence number: js-libp2p. */
  PUBLIC_KEY;

  private static final int SEQNO_BYTES = Long.BYTES;

  /** Peer ids contain keys whose protobuf is at most this long (libp2p peer-ids specification). */
  private static final int MAX_INLINE_KEY_BYTES = 42;

  /** Multihash codes. */
  private static final byte IDENTITY = 0x00;

  private static final byte SHA2_256 = 0x12;
  private static final byte SHA2_256_BYTES = 32;

  /**
   * The first bytes of a public key's protobuf: key type 0 to 3, then the length-delimited field 2.
   */
  private static final byte KEY_TYPE_TAG = 0x08;

  private static final byte KEY_DATA_TAG = 0x12;
  private static final byte LAST_KEY_TYPE = 3;

  /** The form of an id that a peer named, or null when it has neither. */
  static @Nullable MessageIdForm of(Bytes id) {
    int author = id.size() - SEQNO_BYTES;
    if (author < 4) {
      return null;
    }
    if (id.at(0) == KEY_TYPE_TAG
        && id.at(1) >= 0
        && id.at(1) <= LAST_KEY_TYPE
        && id.at(2) == KEY_DATA_TAG) {
      return PUBLIC_KEY;
    }
    boolean multihash = (id.at(0) == IDENTITY || id.at(0) == SHA2_256) && id.at(1) == author - 2;
    return multihash ? PEER_ID : null;
  }

  /** The specified form of an id in either; an id of neither form is left as it is. */
  static Bytes specified(Bytes id, Crypto crypto) {
    if (of(id) != PUBLIC_KEY) {
      return id;
    }
    int split = id.size() - SEQNO_BYTES;
    Bytes key = id.slice(0, split);
    ByteBuffer multihash;
    if (split <= MAX_INLINE_KEY_BYTES) {
      multihash = ByteBuffer.allocate(2 + split).put(IDENTITY).put((byte) split).put(key.toArray());
    } else {
      multihash =
          ByteBuffer.allocate(2 + SHA2_256_BYTES)
              .put(SHA2_256)
              .put(SHA2_256_BYTES)
              .put(crypto.sha256(key.toArray()));
    }
    return Bytes.wrap(multihash.array()).concat(id.slice(split, id.size()));
  }

  /** The id of a verified message in this form. */
  Bytes idOf(Message message) {
    Bytes from = message.from();
    Bytes seqno = message.seqno();
    if (this == PEER_ID || from == null || seqno == null) {
      return message.id();
    }
    if (from.at(0) == IDENTITY) {
      return from.slice(2, from.size()).concat(seqno);
    }
    return message.key() == null ? message.id() : message.key().concat(seqno);
  }
}
