package dev.troupe.actors.host;

/**
 * Hears a host's events. Called on the host's threads, for one connection in order: it must not
 * block.
 */
@FunctionalInterface
public interface HostListener {

  /** Something happened. */
  void onEvent(HostEvent event);
}
