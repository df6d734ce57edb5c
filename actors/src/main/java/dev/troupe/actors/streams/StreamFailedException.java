package dev.troupe.actors.streams;

import dev.troupe.actors.host.HostFailure;

/** A libp2p stream ended before its time. */
public final class StreamFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final transient HostFailure failure;

  StreamFailedException(HostFailure failure) {
    super(failure.message());
    this.failure = failure;
  }

  /** Why. */
  public HostFailure failure() {
    return failure;
  }
}
