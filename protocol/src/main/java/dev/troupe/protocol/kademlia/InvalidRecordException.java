package dev.troupe.protocol.kademlia;

/** A record is not valid in its namespace; the message says why. */
public final class InvalidRecordException extends Exception {

  private static final long serialVersionUID = 1L;

  /** Says why. */
  public InvalidRecordException(String message) {
    super(message);
  }
}
