package dev.troupe.protocol.connection;

/**
 * Why a connection ended.
 *
 * @param kind what callers decide by
 * @param message for a person
 */
public record ConnectionCloseReason(Kind kind, String message) {

  /** The kinds of end. */
  public enum Kind {
    /** This side closed it. */
    CLOSED_LOCALLY,
    /** The remote closed it, or said that it goes away. */
    CLOSED_BY_REMOTE,
    /** The transport below went away before the connection was secured. */
    LOST,
    /** It was not secured in time. */
    TIMED_OUT,
    /** The remote did not answer a ping in time. */
    UNRESPONSIVE,
    /** Security or muxer could not be agreed upon. */
    NOTHING_IN_COMMON,
    /** The handshake failed. */
    HANDSHAKE_FAILED,
    /** Somebody else answered than was expected. */
    WRONG_PEER,
    /** The remote broke the rules after the handshake. */
    PROTOCOL_VIOLATION
  }
}
