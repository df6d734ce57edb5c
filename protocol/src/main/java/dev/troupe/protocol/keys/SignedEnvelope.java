package dev.troupe.protocol.keys;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.keys.proto.Envelope;
import dev.troupe.protocol.varint.Varint;
import java.nio.ByteBuffer;

/**
 * A payload that says what it is, signed for one domain of use: a signature made for one domain
 * does not hold in another.
 *
 * <p>What comes from outside is read with {@link #open}, which leaves no way round the check of the
 * signature.
 *
 * <p>Source: libp2p RFC 0002.
 *
 * @param publicKey of who signed it
 * @param payloadType what the payload is: a multicodec code, or another word of the domain
 * @param payload what is signed
 * @param signature of the domain, the type and the payload
 */
public record SignedEnvelope(
    PublicKey publicKey, Bytes payloadType, Bytes payload, Bytes signature) {

  /** The longest encoded envelope that is read, in bytes. */
  public static final int MAX_ENCODED = 64 * 1024;

  /**
   * Signs a payload.
   *
   * @param domain the purpose, known to both sides beforehand and not sent
   * @throws IllegalArgumentException if the domain or the type is empty
   */
  public static SignedEnvelope seal(
      Crypto crypto, PrivateKey key, String domain, Bytes payloadType, Bytes payload) {
    if (payloadType.isEmpty()) {
      throw new IllegalArgumentException("an envelope without a type of its payload");
    }
    byte[] signature = key.sign(crypto, signed(domain, payloadType, payload));
    return new SignedEnvelope(key.publicKey(), payloadType, payload, Bytes.wrap(signature));
  }

  /**
   * Reads an envelope and checks its signature. Whether the signer may say what the payload says is
   * for the caller to judge.
   *
   * @throws MalformedException if it is too long or no such message, its key cannot be read, or the
   *     signature is not one of this domain by that key
   * @throws IllegalArgumentException if the domain is empty
   */
  public static SignedEnvelope open(Crypto crypto, String domain, Bytes encoded)
      throws MalformedException {
    SignedEnvelope envelope = decode(encoded);
    byte[] signed = signed(domain, envelope.payloadType, envelope.payload);
    if (!envelope.publicKey.verify(crypto, signed, envelope.signature.toArray())) {
      throw new MalformedException("an envelope with a wrong signature for the domain " + domain);
    }
    return envelope;
  }

  private static SignedEnvelope decode(Bytes encoded) throws MalformedException {
    if (encoded.size() > MAX_ENCODED) {
      throw new MalformedException("an envelope of " + encoded.size() + " bytes");
    }
    try {
      Envelope message = Envelope.parseFrom(encoded.asReadOnlyBuffer());
      if (!message.hasPublicKey()) {
        throw new MalformedException("an envelope without a key");
      }
      if (message.getPayloadType().isEmpty()) {
        throw new MalformedException("an envelope without a type of its payload");
      }
      return new SignedEnvelope(
          PublicKey.ofMessage(message.getPublicKey()),
          own(message.getPayloadType()),
          own(message.getPayload()),
          own(message.getSignature()));
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("no envelope: " + e.getMessage(), e);
    }
  }

  /** The protobuf. */
  public Bytes encoded() {
    return Bytes.wrap(
        Envelope.newBuilder()
            .setPublicKey(publicKey.toMessage())
            .setPayloadType(foreign(payloadType))
            .setPayload(foreign(payload))
            .setSignature(foreign(signature))
            .build()
            .toByteArray());
  }

  /**
   * What is signed: domain, type and payload, each behind its length, so that no byte can move from
   * one to the next.
   */
  private static byte[] signed(String domain, Bytes payloadType, Bytes payload) {
    if (domain.isEmpty()) {
      throw new IllegalArgumentException("an envelope without a domain");
    }
    Bytes purpose = Bytes.utf8(domain);
    ByteBuffer target =
        ByteBuffer.allocate(framed(purpose) + framed(payloadType) + framed(payload));
    for (Bytes part : new Bytes[] {purpose, payloadType, payload}) {
      Varint.write(part.size(), target);
      target.put(part.asReadOnlyBuffer());
    }
    return target.array();
  }

  private static int framed(Bytes part) {
    return Varint.size(part.size()) + part.size();
  }

  private static Bytes own(ByteString bytes) {
    return Bytes.wrap(bytes.toByteArray());
  }

  private static ByteString foreign(Bytes bytes) {
    return ByteString.copyFrom(bytes.asReadOnlyBuffer());
  }
}
