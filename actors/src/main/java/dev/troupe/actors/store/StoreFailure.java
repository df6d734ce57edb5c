package dev.troupe.actors.store;

/**
 * Why a {@link Store} did not do what it was asked, or did not open.
 *
 * @param kind what callers decide by
 * @param message what a person reads: it names the place of the store
 */
public record StoreFailure(Kind kind, String message) {

  /** The kinds of failure. */
  public enum Kind {
    /** There is no room: on the disk, or within the store's own limit. Nothing was changed. */
    FULL,
    /**
     * What is there cannot be read: somebody or something has changed it. It is left as it is; a
     * copy from before, or another place, is for a person to decide.
     */
    DAMAGED,
    /** A newer version of this software has written it. It is left as it is. */
    NEWER_FORMAT,
    /** Somebody has it open already, perhaps another process. */
    IN_USE,
    /** It is the store of another identity. */
    OTHER_OWNER,
    /** Too much waits to be written already. Nothing was changed; later it may be. */
    BUSY,
    /** The store is closed, or closes. */
    CLOSED,
    /** Anything else that the system says. Whether it was changed is unknown. */
    FAILED
  }
}
