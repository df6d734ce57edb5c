package dev.troupe.actors.host;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The door to the network, for one identity. Below it: the dial of one address, security, muxing,
 * identify, and the limits that must act before a connection is secured. Above it: which peer,
 * which address, when.
 *
 * <p>Every method may be called from any thread and returns at once. Completions and listeners are
 * called on the host's own threads.
 */
public interface Host {

  /** Who this host is. */
  PeerId peerId();

  /**
   * Names who hears the host's events. Exactly once, before listening or dialling.
   *
   * @throws IllegalStateException if the host has been started before
   */
  void start(HostListener listener);

  /**
   * Accepts connections at an address.
   *
   * @param address without {@code /p2p}; port 0 takes any free port; an unspecified IP address
   *     means all interfaces
   * @param completion the addresses at which this listener can be dialled: real ports, real
   *     interface addresses. Fails with {@link HostFailure.Kind#UNSUPPORTED_ADDRESS} or {@link
   *     HostFailure.Kind#ADDRESS_UNAVAILABLE}
   */
  void listen(Multiaddr address, Completion<List<Multiaddr>> completion);

  /** The addresses of all listeners, without {@code /p2p}. */
  List<Multiaddr> listenAddresses();

  /**
   * Dials one address, always making a new connection, secures it and agrees on a muxer, all within
   * the host's dial timeout (default 10 s).
   *
   * @param address without {@code /p2p}
   * @param expected who must answer, or null for whoever does
   * @param completion the new connection, told after {@link HostEvent.Connected}. Fails with {@code
   *     UNSUPPORTED_ADDRESS}, {@code UNREACHABLE}, {@code REFUSED}, {@code TIMED_OUT}, {@code
   *     WRONG_PEER}, {@code HANDSHAKE_FAILED}, {@code LIMIT_EXCEEDED}, {@code CANCELLED} or {@code
   *     CLOSED}
   * @return calls the dial off, closing its socket at once
   */
  Cancellable dial(
      Multiaddr address, @Nullable PeerId expected, Completion<ConnectionInfo> completion);

  /**
   * Opens a stream on the peer's oldest connection.
   *
   * @param protocols what the stream may speak, the preferred first; at least one
   * @param completion the stream, not yet started, with the protocol that the remote chose. Fails
   *     with {@code NOT_CONNECTED}, {@code PROTOCOL_NOT_SUPPORTED}, {@code TIMED_OUT} (default 10
   *     s), {@code CONNECTION_LOST}, {@code STREAM_RESET}, {@code LIMIT_EXCEEDED}, {@code
   *     CANCELLED} or {@code CLOSED}
   */
  Cancellable openStream(PeerId peer, List<ProtocolId> protocols, Completion<Stream> completion);

  /**
   * Accepts streams for a protocol from now on; identify says so to connected peers.
   *
   * @throws IllegalStateException if the protocol has a handler already
   */
  void handle(ProtocolId protocol, StreamHandler handler);

  /**
   * Accepts no more streams for a protocol; open ones go on. Does nothing when there is no handler.
   */
  void unhandle(ProtocolId protocol);

  /** All connections that are open now, the oldest first. */
  List<ConnectionInfo> connections();

  /** Those of them that lead to one peer, the oldest first. */
  List<ConnectionInfo> connections(PeerId peer);

  /**
   * How many streams the connection carries, in either direction, the host's own (identify) not
   * counted; 0 when it is over.
   */
  int openStreams(ConnectionId connection);

  /**
   * Closes one connection in order: go-away, then the end of its streams. Does nothing when it is
   * over.
   */
  void disconnect(ConnectionId connection, String reason);

  /**
   * Stops listening, calls off dials, closes all connections. Open calls fail with {@link
   * HostFailure.Kind#CLOSED}. Idempotent.
   *
   * @param done run once nothing of the host lives on
   */
  void close(Runnable done);
}
