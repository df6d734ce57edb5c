package dev.troupe.actors.addressbook;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** CONTRACT (handlers follow). */
public final class AddressBook {

  /** What the address book is told. */
  public sealed interface Command {}

  /**
   * These addresses were learned of a peer.
   *
   * @param addresses without {@code /p2p}; those beyond the cap of a peer push out the ones that expire first
   * @param timeToLive from now; an address known already keeps the longer of both
   */
  public record Learn(PeerId peer, List<Multiaddr> addresses, Source source, Duration timeToLive)
      implements Command {}

  /** Asks for all addresses of a peer that have not expired, the most trusted source first. */
  public record Find(PeerId peer, ActorRef<Found> replyTo) implements Command {}

  /** Forgets one address of a peer, for instance because somebody else answered there. */
  public record Forget(PeerId peer, Multiaddr address) implements Command {}

  /** What {@link Find} is answered with; empty when nothing is known. */
  public record Found(PeerId peer, List<Multiaddr> addresses) {}

  /** Where an address was learned, the most trusted first. */
  public enum Source {
    /** The user gave it. */
    CONFIGURED,
    /** The peer itself named it, in a record that it signed. */
    CERTIFIED,
    /** The peer itself named it, unsigned, over a secured connection. */
    IDENTIFIED,
    /** Another peer named it. */
    DISCOVERED
  }

  private AddressBook() {}
}
