package dev.troupe.protocol.keys;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayList;
import java.util.List;

/**
 * The addresses that a peer says it listens on, which it signs and others pass on.
 *
 * <p>Source: libp2p RFC 0003.
 *
 * @param peerId whose they are
 * @param seq unsigned; of two records of a peer the one with the larger holds
 * @param addresses without {@code /p2p} of the peer at their ends; at most {@link #MAX_ADDRESSES}
 */
public record PeerRecord(PeerId peerId, long seq, List<Multiaddr> addresses) {

  /** The purpose that peer records are signed for. */
  public static final String DOMAIN = "libp2p-peer-record";

  /** The type of the payload: the multicodec code of peer records. */
  public static final Bytes PAYLOAD_TYPE = Bytes.of((byte) 0x03, (byte) 0x01);

  /** How many addresses a record has at most; more of them are left out when one is read. */
  public static final int MAX_ADDRESSES = 64;

  /**
   * A record, with each address's own {@code /p2p} at the end taken off.
   *
   * @throws IllegalArgumentException if there are too many addresses, or one ends in {@code /p2p}
   *     of another peer
   */
  public PeerRecord {
    if (addresses.size() > MAX_ADDRESSES) {
      throw new IllegalArgumentException(addresses.size() + " addresses, over " + MAX_ADDRESSES);
    }
    List<Multiaddr> bare = new ArrayList<>();
    for (Multiaddr address : addresses) {
      if (!isOf(peerId, address)) {
        throw new IllegalArgumentException(address + " is not of " + peerId);
      }
      bare.add(address.withoutPeer());
    }
    addresses = List.copyOf(bare);
  }

  private static boolean isOf(PeerId peerId, Multiaddr address) {
    PeerId named = address.peerId();
    return named == null || named.equals(peerId);
  }

  /** Whether this one takes the place of another of the same peer. */
  public boolean isNewerThan(PeerRecord other) {
    return Long.compareUnsigned(seq, other.seq) > 0;
  }

  /**
   * The record in an envelope signed by the peer.
   *
   * @throws IllegalArgumentException if the key is not the peer's
   */
  public SignedEnvelope seal(Crypto crypto, PrivateKey key) {
    if (!peerId.matches(key.publicKey())) {
      throw new IllegalArgumentException("a record of " + peerId + " under the key of another");
    }
    return SignedEnvelope.seal(crypto, key, DOMAIN, PAYLOAD_TYPE, encoded());
  }

  /**
   * Reads the record in an envelope, and checks that the peer itself signed it.
   *
   * @throws MalformedException if the envelope is malformed or not signed, or holds no peer record,
   *     or that of another peer
   */
  public static PeerRecord open(Crypto crypto, Bytes envelope) throws MalformedException {
    SignedEnvelope opened = SignedEnvelope.open(crypto, DOMAIN, envelope);
    if (!opened.payloadType().equals(PAYLOAD_TYPE)) {
      throw new MalformedException(
          "an envelope with a payload of type " + opened.payloadType().hex() + ", no peer record");
    }
    PeerRecord record = decode(opened.payload());
    if (!record.peerId().matches(opened.publicKey())) {
      throw new MalformedException("a peer record of " + record.peerId() + " signed by another");
    }
    return record;
  }

  /**
   * Reads the protobuf. Addresses that cannot be read or that name another peer are left out: a
   * transport that is unknown here is no fault of the sender.
   */
  static PeerRecord decode(Bytes encoded) throws MalformedException {
    dev.troupe.protocol.keys.proto.PeerRecord message;
    try {
      message = dev.troupe.protocol.keys.proto.PeerRecord.parseFrom(encoded.asReadOnlyBuffer());
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("no peer record: " + e.getMessage(), e);
    }
    PeerId peerId = PeerId.decode(message.getPeerId().toByteArray());
    List<Multiaddr> addresses = new ArrayList<>();
    for (var info : message.getAddressesList()) {
      if (addresses.size() == MAX_ADDRESSES) {
        break;
      }
      addReadable(info.getMultiaddr(), peerId, addresses);
    }
    return new PeerRecord(peerId, message.getSeq(), addresses);
  }

  private static void addReadable(ByteString bytes, PeerId peerId, List<Multiaddr> addresses) {
    try {
      Multiaddr address = Multiaddr.decode(Bytes.wrap(bytes.toByteArray()));
      if (isOf(peerId, address)) {
        addresses.add(address);
      }
    } catch (MalformedException unreadable) {
      // Left out, as said above.
    }
  }

  Bytes encoded() {
    var message =
        dev.troupe.protocol.keys.proto.PeerRecord.newBuilder()
            .setPeerId(foreign(peerId.bytes()))
            .setSeq(seq);
    for (Multiaddr address : addresses) {
      message.addAddressesBuilder().setMultiaddr(foreign(address.encoded()));
    }
    return Bytes.wrap(message.build().toByteArray());
  }

  private static ByteString foreign(Bytes bytes) {
    return ByteString.copyFrom(bytes.asReadOnlyBuffer());
  }
}
