package dev.troupe.protocol.keys;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import java.security.MessageDigest;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The private key of a peer: Ed25519. Immutable; its text shows the public half only. */
public final class PrivateKey {

  /** The longest encoded key that is read, in bytes: enough to tell the type of any. */
  public static final int MAX_ENCODED = 16 * 1024;

  private static final int SEED_BYTES = 32;

  private final byte[] seed;
  private final byte[] publicBytes;
  private final PublicKey publicKey;

  private PrivateKey(byte[] seed, PublicKey publicKey) {
    this.seed = seed;
    this.publicKey = publicKey;
    this.publicBytes = publicKey.raw().toArray();
  }

  /** A new one. */
  public static PrivateKey generate(Crypto crypto, RandomSource random) {
    return fromSeed(crypto, random.bytes(SEED_BYTES));
  }

  /**
   * The one of a seed (RFC 8032, section 5.1.5).
   *
   * @param seed 32 bytes, copied
   * @throws IllegalArgumentException if it has another length
   */
  public static PrivateKey fromSeed(Crypto crypto, byte[] seed) {
    if (seed.length != SEED_BYTES) {
      throw new IllegalArgumentException("a seed of " + seed.length + " bytes, not 32");
    }
    byte[] own = seed.clone();
    return new PrivateKey(
        own, new PublicKey(KeyType.ED25519, Bytes.wrap(crypto.ed25519PublicKey(own))));
  }

  /**
   * Reads libp2p's protobuf: the seed and the public key, or the old form with the public key
   * twice.
   *
   * @throws MalformedException if it is too long or no such message, not of Ed25519, or its halves
   *     do not belong together
   */
  public static PrivateKey decode(Crypto crypto, byte[] encoded) throws MalformedException {
    if (encoded.length > MAX_ENCODED) {
      throw new MalformedException("a private key of " + encoded.length + " bytes");
    }
    try {
      var message = dev.troupe.protocol.keys.proto.PrivateKey.parseFrom(encoded);
      KeyType type = KeyType.ofNumber(message.getType().getNumber());
      if (type != KeyType.ED25519) {
        throw new MalformedException(
            "a private key of type " + type + "; only ED25519 is supported");
      }
      byte[] data = message.getData().toByteArray();
      if (data.length != 64 && data.length != 96) {
        throw new MalformedException("an Ed25519 private key of " + data.length + " bytes, not 64");
      }
      PrivateKey key = fromSeed(crypto, Arrays.copyOf(data, SEED_BYTES));
      for (int at = SEED_BYTES; at < data.length; at += 32) {
        if (!Arrays.equals(key.publicBytes, Arrays.copyOfRange(data, at, at + 32))) {
          throw new MalformedException("a private key whose public half belongs to another");
        }
      }
      return key;
    } catch (InvalidProtocolBufferException e) {
      // Without the cause, which holds what was read so far.
      throw new MalformedException("no private key: " + e.getMessage());
    }
  }

  /** libp2p's protobuf. Whoever has it is this peer. */
  public byte[] encoded() {
    return dev.troupe.protocol.keys.proto.PrivateKey.newBuilder()
        .setType(dev.troupe.protocol.keys.proto.KeyType.Ed25519)
        .setData(ByteString.copyFrom(seed).concat(ByteString.copyFrom(publicKey.raw().toArray())))
        .build()
        .toByteArray();
  }

  /** The public half. */
  public PublicKey publicKey() {
    return publicKey;
  }

  /** The peer id that belongs to it. */
  public PeerId peerId() {
    return PeerId.of(publicKey);
  }

  /** Signs a message: 64 bytes. */
  public byte[] sign(Crypto crypto, byte[] message) {
    return crypto.ed25519Sign(seed, publicBytes, message);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PrivateKey that && MessageDigest.isEqual(seed, that.seed);
  }

  @Override
  public int hashCode() {
    return publicKey.hashCode();
  }

  @Override
  public String toString() {
    return "PrivateKey of " + peerId();
  }
}
