package dev.troupe.actors.link;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.protocol.multiaddr.Multiaddr;

/**
 * A way to make {@link RawLink}s: one for each kind of address. Thread-safe; a transport may serve
 * many hosts.
 */
public interface LinkTransport {

  /** What it is called in messages, such as {@code TCP}. */
  String name();

  /**
   * Whether this transport can dial, or listen at, addresses of this form. {@code address} is
   * without {@code /p2p}.
   */
  boolean supports(Multiaddr address);

  /**
   * Opens a link. There is no timeout here but the operating system's: the caller has its own, and
   * cancels.
   *
   * @param address one that {@link #supports} accepts
   * @param completion called on the new link's loop on success. The link is not started. Fails with
   *     {@code REFUSED}, {@code UNREACHABLE}, {@code TIMED_OUT} or {@code CANCELLED}
   * @return closes the socket at once
   */
  Cancellable dial(Multiaddr address, Completion<RawLink> completion);

  /**
   * Accepts links at an address.
   *
   * @param address one that {@link #supports} accepts
   * @param acceptor hears of each accepted link, on that link's loop; it must start or abort it
   * @param completion the listener. Fails with {@code ADDRESS_UNAVAILABLE} or {@code UNREACHABLE}
   */
  void listen(Multiaddr address, LinkAcceptor acceptor, Completion<LinkListener> completion);
}
