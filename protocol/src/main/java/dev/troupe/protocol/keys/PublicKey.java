package dev.troupe.protocol.keys;

import com.google.protobuf.ByteString;
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

  private static final int ED25519_BYTES = 32;
  private static final int COMPRESSED_POINT_BYTES = 33;

  /**
   * A key of some type.
   *
   * @throws IllegalArgumentException if its length is wrong for its type
   */
  public PublicKey {
    if (!fits(type, raw)) {
      throw new IllegalArgumentException(misfit(type, raw));
    }
  }

  private static boolean fits(KeyType type, Bytes raw) {
    return switch (type) {
      case ED25519 -> raw.size() == ED25519_BYTES;
      case SECP256K1 -> raw.size() == COMPRESSED_POINT_BYTES && (raw.at(0) == 2 || raw.at(0) == 3);
      case RSA, ECDSA -> !raw.isEmpty() && raw.size() <= MAX_ENCODED;
    };
  }

  private static String misfit(KeyType type, Bytes raw) {
    return "no public key of type " + type + ": " + raw.size() + " bytes of the wrong form";
  }

  /**
   * Reads libp2p's protobuf. The inside of an RSA or ECDSA key is looked at only when it verifies a
   * signature.
   *
   * @throws MalformedException if it is too long or no such message, its type is unknown, or its
   *     length is wrong for its type
   */
  public static PublicKey decode(byte[] encoded) throws MalformedException {
    if (encoded.length > MAX_ENCODED) {
      throw new MalformedException("a public key of " + encoded.length + " bytes");
    }
    try {
      return ofMessage(dev.troupe.protocol.keys.proto.PublicKey.parseFrom(encoded));
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("no public key: " + e.getMessage(), e);
    }
  }

  static PublicKey ofMessage(dev.troupe.protocol.keys.proto.PublicKey message)
      throws MalformedException {
    KeyType type = KeyType.ofNumber(message.getType().getNumber());
    Bytes raw = Bytes.wrap(message.getData().toByteArray());
    if (!fits(type, raw)) {
      throw new MalformedException(misfit(type, raw));
    }
    return new PublicKey(type, raw);
  }

  /**
   * libp2p's protobuf, in the one deterministic form that peer ids are made of (peer-ids
   * specification, section "Note about deterministic encoding").
   */
  public Bytes encoded() {
    ByteBuffer target = ByteBuffer.allocate(3 + Varint.size(raw.size()) + raw.size());
    target.put((byte) 0x08).put((byte) type.number()).put((byte) 0x12);
    Varint.write(raw.size(), target);
    target.put(raw.asReadOnlyBuffer());
    return Bytes.wrap(target.array());
  }

  dev.troupe.protocol.keys.proto.PublicKey toMessage() {
    return dev.troupe.protocol.keys.proto.PublicKey.newBuilder()
        .setType(dev.troupe.protocol.keys.proto.KeyType.forNumber(type.number()))
        .setData(ByteString.copyFrom(raw.asReadOnlyBuffer()))
        .build();
  }

  /** Whether this key is one whose signatures are verified at all; under others none holds. */
  public boolean isSupported(Crypto crypto) {
    return switch (type) {
      case ED25519, SECP256K1 -> true;
      case RSA -> crypto.acceptsRsaKey(raw.toArray());
      case ECDSA -> crypto.acceptsEcdsaKey(raw.toArray());
    };
  }

  /**
   * Whether this key made a signature of a message; false also for a signature of the wrong form.
   */
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
