package dev.troupe.actors.host;

/**
 * Why a call of the {@link Host} or a {@link Stream} came to nothing.
 *
 * @param kind what callers decide by
 * @param message what a person reads: it names the address, peer or protocol concerned
 */
public record HostFailure(Kind kind, String message) {

  /** The kinds of failure. */
  public enum Kind {
    /** The time for it ran out. */
    TIMED_OUT,
    /** The caller called it off. */
    CANCELLED,
    /** The other side, or its machine, said no. */
    REFUSED,
    /** There is no way to the address: no route, or its name does not resolve. */
    UNREACHABLE,
    /** No transport of this host speaks the address. */
    UNSUPPORTED_ADDRESS,
    /** The address is in use by another, or cannot be bound here. */
    ADDRESS_UNAVAILABLE,
    /** Somebody else than the expected peer answered. */
    WRONG_PEER,
    /** Security or muxer could not be agreed upon, or the other side broke their rules. */
    HANDSHAKE_FAILED,
    /** The remote speaks none of the protocols asked for. */
    PROTOCOL_NOT_SUPPORTED,
    /** There is no connection to the peer. */
    NOT_CONNECTED,
    /** The connection, or the stream's carrier, went away. */
    CONNECTION_LOST,
    /** One side reset the stream. */
    STREAM_RESET,
    /** The remote broke the rules of the protocol that the stream carries. */
    MALFORMED,
    /** A named limit of this host is reached. */
    LIMIT_EXCEEDED,
    /** This host is closing or closed. */
    CLOSED
  }
}
