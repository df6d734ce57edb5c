package dev.troupe.protocol.connection;

/** Which side of a connection this is. */
public enum Role {
  /** It dialled. */
  DIALER,
  /** It was dialled. */
  LISTENER
}
