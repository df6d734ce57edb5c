package dev.troupe.actors.link;

/** Takes the links that remotes open. */
@FunctionalInterface
public interface LinkAcceptor {

  /**
   * A remote opened a link. Called on the link's loop; the link is to be started or aborted before
   * this returns.
   */
  void onLink(RawLink link);
}
