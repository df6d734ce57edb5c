package dev.troupe.runtime.store;

import dev.troupe.actors.store.StoreFailure;

/** A store cannot be opened, or read. */
final class StoreOpeningException extends Exception {

  private static final long serialVersionUID = 1;

  private final transient StoreFailure failure;

  StoreOpeningException(StoreFailure.Kind kind, String message) {
    super(message);
    this.failure = new StoreFailure(kind, message);
  }

  StoreFailure failure() {
    return failure;
  }
}
