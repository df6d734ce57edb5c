package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayList;
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

  /** How many addresses of one peer are named, read and kept, the first ones. */
  public static final int MAX_ADDRESSES = 32;

  /** How many bytes those have in all; an address for which there is no room is left out. */
  public static final int MAX_ADDRESS_BYTES = 1024;

  /** Copies the list. */
  public PeerInfo {
    addresses = List.copyOf(addresses);
  }

  /** A peer of which nothing is said about connections. */
  public PeerInfo(PeerId peer, List<Multiaddr> addresses) {
    this(peer, addresses, Connectedness.NOT_CONNECTED);
  }

  /** Of these addresses as many as one peer may have here. */
  public static List<Multiaddr> firstOf(List<Multiaddr> addresses) {
    return firstOf(addresses, MAX_ADDRESSES);
  }

  /** Of these addresses as many as one peer may have here, and not more than so many. */
  static List<Multiaddr> firstOf(List<Multiaddr> addresses, int limit) {
    List<Multiaddr> first = new ArrayList<>();
    int room = MAX_ADDRESS_BYTES;
    for (Multiaddr address : addresses) {
      int size = address.encoded().size();
      if (first.size() < limit && size <= room) {
        room -= size;
        first.add(address);
      }
    }
    return List.copyOf(first);
  }
}
