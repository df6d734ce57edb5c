package dev.troupe.actors.host;

import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a remote peer says of itself (libp2p identify specification), within this host's limits on
 * the length of each list.
 *
 * @param agentVersion such as {@code troupe/0.1.0}; free text, at most 256 characters are kept
 * @param protocolVersion such as {@code ipfs/0.1.0}
 * @param protocols what it accepts streams for, in its order
 * @param listenAddresses where it says that it can be dialled, without {@code /p2p}
 * @param observedAddress our own address as it sees us, if it said so
 * @param certified whether {@code listenAddresses} come from a record that the peer signed
 */
public record Identification(
    String agentVersion,
    String protocolVersion,
    List<ProtocolId> protocols,
    List<Multiaddr> listenAddresses,
    @Nullable Multiaddr observedAddress,
    boolean certified) {

  /** Copies the lists. */
  public Identification {
    protocols = List.copyOf(protocols);
    listenAddresses = List.copyOf(listenAddresses);
  }

  /** Whether the peer accepts streams for this protocol. */
  public boolean supports(ProtocolId protocol) {
    return protocols.contains(protocol);
  }
}
