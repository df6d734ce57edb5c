package dev.troupe.protocol.gossipsub;

/**
 * What a remote did that honest peers do not. A later scoring reads these; today they are counted
 * and logged.
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
  /** It subscribed to more topics than a peer may; the rest was ignored. */
  TOO_MANY_TOPICS
}
