package dev.troupe.actors.store;

/**
 * Where the outcome of one call of a {@link Store} goes: exactly one of the two methods is called,
 * exactly once, on whatever thread the store works on, perhaps before the call returns. It must not
 * block or throw. An actor passes one that tells itself the outcome.
 *
 * @param <T> what success brings
 */
public interface StoreCompletion<T> {

  /** What was asked is done. */
  void succeeded(T value);

  /** It is not, for the reason given. */
  void failed(StoreFailure failure);
}
