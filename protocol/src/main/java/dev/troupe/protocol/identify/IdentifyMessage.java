package dev.troupe.protocol.identify;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.identify.proto.Identify;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a peer says of itself.
 *
 * @param publicKey null where the remote left it out
 * @param listenAddresses at most {@link #MAX_ADDRESSES}; those that cannot be read are left out, as
 *     the specification asks
 * @param protocols at most {@link #MAX_PROTOCOLS}
 * @param observedAddress the receiver's address as the sender sees it, or null
 * @param protocolVersion such as {@code ipfs/0.1.0}
 * @param agentVersion at most {@link #MAX_VERSION} characters are kept
 * @param signedPeerRecord an envelope (RFC 0002) with a peer record (RFC 0003), unchecked; or null
 */
public record IdentifyMessage(
    @Nullable PublicKey publicKey,
    List<Multiaddr> listenAddresses,
    List<ProtocolId> protocols,
    @Nullable Multiaddr observedAddress,
    String protocolVersion,
    String agentVersion,
    @Nullable Bytes signedPeerRecord) {

  /** identify. */
  public static final ProtocolId PROTOCOL = ProtocolId.of("/ipfs/id/1.0.0");

  /** identify push. */
  public static final ProtocolId PUSH = ProtocolId.of("/ipfs/id/push/1.0.0");

  /** The most bytes of a message. */
  public static final int MAX_BYTES = 64 * 1024;

  /**
   * The most bytes of one part that we send: rust-libp2p refuses a longer one. What does not fit
   * goes into further parts, as go-libp2p sends them.
   */
  public static final int MAX_PART = 4096;

  /** In how many parts a message may come. */
  public static final int MAX_PARTS = 10;

  /**
   * In how many parts we send ours; what is left is not sent. One less than we accept: go-libp2p
   * reads ten times, and the end must be among them.
   */
  public static final int MAX_PARTS_SENT = 9;

  /** How many listen addresses are kept. */
  public static final int MAX_ADDRESSES = 64;

  /** How many protocols are kept. */
  public static final int MAX_PROTOCOLS = 1000;

  /** How many characters of each version are kept. */
  public static final int MAX_VERSION = 256;

  /** Copies the lists. */
  public IdentifyMessage {
    listenAddresses = List.copyOf(listenAddresses);
    protocols = List.copyOf(protocols);
  }

  /** The protobuf, in one piece of any length. */
  public Bytes encoded() {
    Bytes joined = Bytes.EMPTY;
    for (Bytes part : parts(Integer.MAX_VALUE)) {
      joined = joined.concat(part);
    }
    return joined;
  }

  /**
   * The protobuf in parts of {@link #MAX_PART} bytes at most, which joined are one message. Those
   * who read only the first find there who we are, and as much as fits of where and what we speak;
   * the signed record comes last. What would need more than {@link #MAX_PARTS_SENT} is left out.
   */
  public List<Bytes> parts() {
    List<Bytes> parts = parts(MAX_PART);
    return parts.subList(0, Math.min(parts.size(), MAX_PARTS_SENT));
  }

  private List<Bytes> parts(int most) {
    List<Identify.Builder> fields = new ArrayList<>();
    Identify.Builder who =
        Identify.newBuilder().setProtocolVersion(protocolVersion).setAgentVersion(agentVersion);
    if (publicKey != null) {
      who.setPublicKey(ByteString.copyFrom(publicKey.encoded().toArray()));
    }
    if (observedAddress != null) {
      who.setObservedAddr(ByteString.copyFrom(observedAddress.encoded().toArray()));
    }
    fields.add(who);
    listenAddresses.stream()
        .limit(MAX_ADDRESSES)
        .forEach(
            address ->
                fields.add(
                    Identify.newBuilder()
                        .addListenAddrs(ByteString.copyFrom(address.encoded().toArray()))));
    protocols.forEach(protocol -> fields.add(Identify.newBuilder().addProtocols(protocol.value())));
    if (signedPeerRecord != null) {
      fields.add(
          Identify.newBuilder()
              .setSignedPeerRecord(ByteString.copyFrom(signedPeerRecord.toArray())));
    }
    List<Bytes> parts = new ArrayList<>();
    Identify.Builder part = Identify.newBuilder();
    int size = 0;
    for (Identify.Builder field : fields) {
      Identify next = field.build();
      int more = next.getSerializedSize();
      if (size > 0 && size + more > most) {
        parts.add(Bytes.wrap(part.build().toByteArray()));
        part.clear();
        size = 0;
      }
      part.mergeFrom(next);
      size += more;
    }
    parts.add(Bytes.wrap(part.build().toByteArray()));
    return parts;
  }

  /**
   * Reads the protobuf. A sender may split its message into several; joined, they are one again.
   *
   * @throws MalformedException if it is too long or no such message, or its key cannot be read
   */
  public static IdentifyMessage decode(Bytes bytes) throws MalformedException {
    if (bytes.size() > MAX_BYTES) {
      throw new MalformedException("an identify message of " + bytes.size() + " bytes");
    }
    Identify message;
    try {
      message = Identify.parseFrom(bytes.toArray());
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("no identify message: " + e.getMessage(), e);
    }
    List<Multiaddr> addresses = new ArrayList<>();
    for (ByteString address : message.getListenAddrsList()) {
      Multiaddr known = readAddress(address);
      if (known != null && addresses.size() < MAX_ADDRESSES) {
        addresses.add(known);
      }
    }
    List<ProtocolId> protocols = new ArrayList<>();
    for (String protocol : message.getProtocolsList()) {
      if (protocols.size() < MAX_PROTOCOLS && isProtocol(protocol)) {
        protocols.add(ProtocolId.of(protocol));
      }
    }
    return new IdentifyMessage(
        message.hasPublicKey() ? PublicKey.decode(message.getPublicKey().toByteArray()) : null,
        addresses,
        protocols,
        message.hasObservedAddr() ? readAddress(message.getObservedAddr()) : null,
        shortened(message.getProtocolVersion()),
        shortened(message.getAgentVersion()),
        message.hasSignedPeerRecord()
            ? Bytes.wrap(message.getSignedPeerRecord().toByteArray())
            : null);
  }

  private static @Nullable Multiaddr readAddress(ByteString bytes) {
    try {
      return Multiaddr.decode(Bytes.wrap(bytes.toByteArray()));
    } catch (MalformedException e) {
      // Of a transport that is unknown here: of no use, and no fault of the sender.
      return null;
    }
  }

  private static boolean isProtocol(String text) {
    return !text.isEmpty() && text.length() <= 256 && text.indexOf('\n') < 0;
  }

  private static String shortened(String text) {
    return text.length() > MAX_VERSION ? text.substring(0, MAX_VERSION) : text;
  }
}
