package dev.troupe.protocol.kademlia;

/**
 * A record is not valid in its namespace; the message says why, and the cause, where there is one,
 * says it as a value.
 */
public final class InvalidRecordException extends Exception {

  private static final long serialVersionUID = 1L;

  /** Says why. */
  public InvalidRecordException(String message) {
    super(message);
  }

  /** Says why with the words of another. */
  public InvalidRecordException(Exception cause) {
    super(cause.getMessage(), cause);
  }
}
