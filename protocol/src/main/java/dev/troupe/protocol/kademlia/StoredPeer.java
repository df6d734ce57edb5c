package dev.troupe.protocol.kademlia;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.proto.StoredPeerMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a peer could be reached, as it is kept beyond the end of this one, under its peer id.
 *
 * @param addresses as many as {@link PeerInfo#firstOf} says
 * @param heardAt when that was
 */
public record StoredPeer(PeerId peer, List<Multiaddr> addresses, Instant heardAt) {

  /** Takes the first of the addresses. */
  public StoredPeer {
    addresses = PeerInfo.firstOf(addresses);
  }

  /** Without the peer id, under which it is kept. */
  public Bytes encode() {
    StoredPeerMessage.Builder kept =
        StoredPeerMessage.newBuilder().setHeardAt(heardAt.toEpochMilli());
    addresses.forEach(
        address -> kept.addAddrs(ByteString.copyFrom(address.encoded().asReadOnlyBuffer())));
    return Bytes.wrap(kept.build().toByteArray());
  }

  /**
   * Reads what was kept under a peer id.
   *
   * @throws MalformedException if either is no such thing
   */
  public static StoredPeer decode(Bytes peerId, Bytes encoded) throws MalformedException {
    try {
      StoredPeerMessage kept = StoredPeerMessage.parseFrom(encoded.asReadOnlyBuffer());
      return new StoredPeer(
          PeerId.decode(peerId.toArray()),
          addresses(kept.getAddrsList()),
          Instant.ofEpochMilli(kept.getHeardAt()));
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("not a stored peer: " + e.getMessage());
    }
  }

  static List<Multiaddr> addresses(List<ByteString> encoded) throws MalformedException {
    List<Multiaddr> addresses = new ArrayList<>();
    for (ByteString each : encoded) {
      addresses.add(Multiaddr.decode(Bytes.wrap(each.toByteArray())));
    }
    return addresses;
  }
}
