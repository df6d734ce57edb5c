package dev.troupe.protocol.presence;

import java.io.Serial;

/**
 * A presence that must not be believed. It carries no stack trace: a remote can cause as many as it
 * likes.
 */
public final class InvalidPresenceException extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  private final Fault fault;

  /** What is wrong, in the order in which it is looked for. */
  public enum Fault {
    /** The key is not that of a peer and an identity. */
    BAD_KEY,
    /** More than {@link PresenceRecord#MAX_ENCODED} bytes. */
    TOO_LARGE,
    /** No envelope, or one whose signature does not hold: somebody has changed what was signed. */
    NOT_SIGNED,
    /** Signed, and no presence. */
    MALFORMED,
    /** Signed by another than the peer that it is of. */
    OTHER_SIGNER,
    /** Of another identity than the one that was asked for. */
    OTHER_IDENTITY,
    /** Valid for longer than {@link PresenceRecord#MAX_LIFETIME}. */
    LIVES_TOO_LONG,
    /** Published later than now, by more than clocks may differ. */
    FUTURE_DATED,
    /** Its time is over. */
    EXPIRED
  }

  InvalidPresenceException(Fault fault, String message) {
    super(message, null, false, false);
    this.fault = fault;
  }

  /** What is wrong; the message says it with the particulars. */
  public Fault fault() {
    return fault;
  }
}
