package dev.troupe.actors.host;

/** Something under way that can be called off. */
@FunctionalInterface
public interface Cancellable {

  /**
   * Calls it off and frees what it holds (a dial closes its socket). Its {@link Completion}, if it
   * has not been called yet, fails with {@link HostFailure.Kind#CANCELLED}. Idempotent; may be
   * called from any thread; does nothing once it is over.
   */
  void cancel();
}
