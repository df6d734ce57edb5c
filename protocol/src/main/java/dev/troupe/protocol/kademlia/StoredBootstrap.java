package dev.troupe.protocol.kademlia;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.proto.StoredBootstrapMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Instant;
import java.util.List;

/**
 * A bootstrap peer that answered, as it is kept beyond the end of this one, under its name.
 *
 * @param name the address by which it is known: as configured, or as the user gave it
 * @param peer who answered there
 * @param addresses where it was reached, as many as {@link PeerInfo#firstOf} says
 * @param connectedAt when it was connected last
 * @param added whether the user added it, as a backup, to those that are configured
 */
public record StoredBootstrap(
    Multiaddr name, PeerId peer, List<Multiaddr> addresses, Instant connectedAt, boolean added) {

  /** Takes the first of the addresses. */
  public StoredBootstrap {
    addresses = PeerInfo.firstOf(addresses);
  }

  /** Without the name, under which it is kept. */
  public Bytes encode() {
    StoredBootstrapMessage.Builder kept =
        StoredBootstrapMessage.newBuilder()
            .setPeer(ByteString.copyFrom(peer.bytes().asReadOnlyBuffer()))
            .setConnectedAt(connectedAt.toEpochMilli())
            .setAdded(added);
    addresses.forEach(
        address -> kept.addAddrs(ByteString.copyFrom(address.encoded().asReadOnlyBuffer())));
    return Bytes.wrap(kept.build().toByteArray());
  }

  /**
   * Reads what was kept under a name.
   *
   * @throws MalformedException if either is no such thing
   */
  public static StoredBootstrap decode(Bytes name, Bytes encoded) throws MalformedException {
    try {
      StoredBootstrapMessage kept = StoredBootstrapMessage.parseFrom(encoded.asReadOnlyBuffer());
      return new StoredBootstrap(
          Multiaddr.decode(name),
          PeerId.decode(kept.getPeer().toByteArray()),
          StoredPeer.addresses(kept.getAddrsList()),
          Instant.ofEpochMilli(kept.getConnectedAt()),
          kept.getAdded());
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("not a stored bootstrap peer: " + e.getMessage());
    }
  }
}
