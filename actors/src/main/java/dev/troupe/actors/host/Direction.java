package dev.troupe.actors.host;

/** Which side opened a connection or a stream. */
public enum Direction {
  /** The remote opened it. */
  INBOUND,
  /** This host opened it. */
  OUTBOUND
}
