package dev.troupe.protocol.keys;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.varint.Varint;
import java.nio.ByteBuffer;

/**
 * The public key of a peer.
 *
 * @param type its kind
 * @param raw in the form that its kind prescribes
 */
public record PublicKey(KeyType type, Bytes raw) {

  /** The longest encoded key that is accepted, in bytes: RSA of 8192 bits takes some 1100. */
  public static final int MAX_ENCODED = 2048;

  /**
   * Reads libp2p's protobuf.
   *
   * @throws MalformedException if it is too long or no such message, its type is unknown, or its length is wrong for its type
   */
  public static PublicKey decode(byte[] encoded) throws MalformedException {
    if (encoded.length > MAX_ENCODED) {
      throw new MalformedException("a public key of " + encoded.length + " bytes");
    }
    try {
      var message = dev.troupe.protocol.keys.proto.PublicKey.parseFrom(encoded);
      KeyType type = KeyType.ofNumber(message.getType().getNumber());
      PublicKey key = new PublicKey(type, Bytes.wrap(message.getData().toByteArray()));
      if (type == KeyType.ED25519 && key.raw().size() != 32) {
        throw new MalformedException("an Ed25519 key of " + key.raw().size() + " bytes, not 32");
      }
      return key;
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("no public key: " + e.getMessage(), e);
    }
  }

  /**
   * libp2p's protobuf, in the one deterministic form that peer ids are made of (peer-ids specification, section "Note about
   * deterministic encoding").
   */
  public Bytes encoded() {
    ByteBuffer target = ByteBuffer.allocate(3 + Varint.size(raw.size()) + raw.size());
    target.put((byte) 0x08).put((byte) type.number()).put((byte) 0x12);
    Varint.write(raw.size(), target);
    target.put(raw.asReadOnlyBuffer());
    return Bytes.wrap(target.array());
  }

  /** Whether this key made a signature of a message; false also for a signature of the wrong form. */
  public boolean verify(Crypto crypto, byte[] message, byte[] signature) {
    byte[] key = raw.toArray();
    return switch (type) {
      case ED25519 -> crypto.ed25519Verify(key, message, signature);
      case RSA -> crypto.rsaVerify(key, message, signature);
      case ECDSA -> crypto.ecdsaVerify(key, message, signature);
      case SECP256K1 -> crypto.secp256k1Verify(key, message, signature);
    };
  }
}
