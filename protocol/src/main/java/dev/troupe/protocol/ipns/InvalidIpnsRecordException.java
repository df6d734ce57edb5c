package dev.troupe.protocol.ipns;

import java.io.Serial;

/**
 * An IPNS record that must not be believed. It carries no stack trace: a remote can cause as many
 * as it likes.
 */
public final class InvalidIpnsRecordException extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  private final Fault fault;

  /**
   * What is wrong, in the order in which it is looked for; the first that is found is said. What is
   * signed is read last of all that must be readable, after the key.
   */
  public enum Fault {
    /** The key is not {@code /ipns/} and a peer id. */
    BAD_NAME,
    /** More than 10 KiB. */
    TOO_LARGE,
    /** No protobuf; or, once the key is known, no DAG-CBOR with all five fields in it. */
    MALFORMED,
    /** Without a signature of version 2 or what it signs. */
    UNSIGNED,
    /** The name holds the hash of a key, and the record has no key. */
    NO_KEY,
    /** The key in the record cannot be read, or is not that of the name. */
    OTHER_KEY,
    /** The signature is not one of the name's key. */
    BAD_SIGNATURE,
    /** What is signed and the unsigned copy of version 1 differ. */
    CONTRADICTORY,
    /** It says when it ends in a way that nobody knows. */
    UNKNOWN_VALIDITY_TYPE,
    /** When it ends is no time of RFC 3339. */
    BAD_VALIDITY,
    /** Its time is over. */
    EXPIRED
  }

  InvalidIpnsRecordException(Fault fault, String message) {
    super(message, null, false, false);
    this.fault = fault;
  }

  /** What is wrong; the message says it with the particulars. */
  public Fault fault() {
    return fault;
  }
}
