package dev.troupe.protocol;

import java.io.Serial;

/**
 * Bytes or text from outside that break the rules of their format. Checked, because whoever reads
 * from outside must expect it; the message names what was wrong. It carries no stack trace: a
 * remote can cause as many as it likes.
 */
public final class MalformedException extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  /** What was wrong. */
  public MalformedException(String message) {
    super(message, null, false, false);
  }

  /** What was wrong, and what found it. */
  public MalformedException(String message, Throwable cause) {
    super(message, cause, false, false);
  }
}
