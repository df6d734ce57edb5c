package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.List;

/**
 * A peer as one peer names it to another.
 *
 * @param peer who
 * @param addresses where it can be dialled, without {@code /p2p}
 * @param connection how the one who names it is connected to it; a hint at best
 */
public record PeerInfo(PeerId peer, List<Multiaddr> addresses, Connectedness connection) {

  /** How the sender of a message is connected to a peer. */
  public enum Connectedness {
    /** It is not, and knows nothing else. */
    NOT_CONNECTED,
    /** It is connected now. */
    CONNECTED,
    /** It was, not long ago. */
    CAN_CONNECT,
    /** It tried hard, and could not. */
    CANNOT_CONNECT
  }

  /** Copies the list. */
  public PeerInfo {
    addresses = List.copyOf(addresses);
  }

  /** A peer of which nothing is said about connections. */
  public PeerInfo(PeerId peer, List<Multiaddr> addresses) {
    this(peer, addresses, Connectedness.NOT_CONNECTED);
  }
}
