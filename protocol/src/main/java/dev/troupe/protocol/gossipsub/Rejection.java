package dev.troupe.protocol.gossipsub;

/**
 * What a remote did that honest peers, but for {@link #UNSUPPORTED_KEY}, do not. Invalid messages
 * are counted, and too many of them in one heartbeat put a peer on the graylist; the others are
 * logged.
 */
public enum Rejection {
  /** The message has no author. */
  MISSING_FROM,
  /** The author's field is not a peer id. */
  INVALID_FROM,
  /** The message has no sequence number of 8 bytes. */
  INVALID_SEQNO,
  /** The message is not signed. */
  MISSING_SIGNATURE,
  /** The author's peer id does not contain the key, and the message does not either. */
  MISSING_KEY,
  /** The key in the message is not a public key. */
  INVALID_KEY,
  /** The key in the message is not the author's: the author is forged. */
  KEY_MISMATCH,
  /**
   * The author's key, or the form of its signature, is one that we do not verify though others may.
   * It says nothing about who forwarded the message, and is not counted.
   */
  UNSUPPORTED_KEY,
  /** The signature does not hold. */
  BAD_SIGNATURE,
  /** It names this peer as its author, and did not come from here. */
  CLAIMS_TO_BE_OURS,
  /** More IHAVE, or more ids in them, than a heartbeat allows; the rest was ignored. */
  IHAVE_FLOOD,
  /** It grafted before the backoff was over; it was answered with PRUNE. */
  GRAFT_DURING_BACKOFF,
  /** It goes on grafting right after a PRUNE; it was not answered. */
  GRAFT_FLOOD,
  /** It subscribed to more topics than a peer may; the rest was ignored. Said once a heartbeat. */
  TOO_MANY_TOPICS,
  /**
   * It joined and left one topic more often than a heartbeat allows; what it said last counts from
   * the next heartbeat on.
   */
  SUBSCRIPTION_FLAPPING
}
