package dev.troupe.actors.connections;

import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Identification;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;

/**
 * What happens between this peer and its remotes, a remote at a time rather than a connection at a
 * time: a second connection to a connected peer makes no event, nor does the loss of one of two.
 */
public sealed interface ConnectionsEvent {

  /** Whom it concerns. */
  PeerId peer();

  /** The first connection to this peer stands. */
  record PeerConnected(PeerId peer, Multiaddr address, Direction direction)
      implements ConnectionsEvent {}

  /**
   * A connected peer said, or said anew, what it is and speaks.
   *
   * @param direction of the oldest connection to it
   */
  record PeerIdentified(PeerId peer, Direction direction, Identification identification)
      implements ConnectionsEvent {}

  /** The last connection to this peer ended. */
  record PeerDisconnected(PeerId peer, Multiaddr address, Direction direction, HostFailure reason)
      implements ConnectionsEvent {}
}
