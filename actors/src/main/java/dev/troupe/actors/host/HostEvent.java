package dev.troupe.actors.host;

import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.List;

/**
 * What happens at a host of its own accord. Of one connection: {@link Connected} first, {@link
 * Identified} any number of times (once by identify, again by each push), {@link Disconnected}
 * last.
 */
public sealed interface HostEvent {

  /** A connection is ready to carry streams. */
  record Connected(ConnectionInfo connection) implements HostEvent {}

  /** The remote said, or said anew, who it is and what it speaks. */
  record Identified(ConnectionInfo connection, Identification identification)
      implements HostEvent {}

  /** A connection is over; all its streams have ended. */
  record Disconnected(ConnectionInfo connection, HostFailure reason) implements HostEvent {}

  /** The host listens at these addresses now (without {@code /p2p}). */
  record ListenAddressesChanged(List<Multiaddr> addresses) implements HostEvent {
    public ListenAddressesChanged {
      addresses = List.copyOf(addresses);
    }
  }
}
