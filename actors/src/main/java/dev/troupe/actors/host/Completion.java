package dev.troupe.actors.host;

/**
 * Where the outcome of one asynchronous call of the {@link Host} goes: exactly one of the two
 * methods is called, exactly once.
 *
 * <p>It is called on whatever thread the host works on, often an event loop that carries other
 * connections: it must not block. An actor passes one that tells itself the outcome.
 *
 * @param <T> what success brings
 */
public interface Completion<T> {

  /** The call did what was asked. */
  void succeeded(T value);

  /** The call did not, for the reason given; nothing of it is left behind. */
  void failed(HostFailure failure);
}
