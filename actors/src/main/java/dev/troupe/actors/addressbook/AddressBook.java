package dev.troupe.actors.addressbook;

import dev.troupe.actors.world.Ticker;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * What is known of each remote peer's addresses: where they were learned, and for how long they
 * hold.
 *
 * <p><b>Owns</b> the known addresses. <b>Parent</b>: the peer; no children. <b>States</b>: one.
 * <b>Who sends what</b>: the DHT, the connections and the user's {@code --bootstrap} teach it;
 * connections ask it before dialling. <b>Limits</b>: {@link AddressBookSettings}. <b>Timers</b>:
 * none; what has expired goes when its peer is next touched. <b>A crash loses</b> all that was
 * learned; nobody is told, because every peer that matters is learned anew by identify or a lookup.
 */
public final class AddressBook extends AbstractBehavior<AddressBook.Command> {

  /** What the address book is told. */
  public sealed interface Command {}

  /**
   * These addresses were learned of a peer.
   *
   * @param addresses a {@code /p2p} at their end is dropped
   * @param timeToLive from now; an address known already keeps the longer of both, and the more
   *     trusted source
   */
  public record Learn(PeerId peer, List<Multiaddr> addresses, Source source, Duration timeToLive)
      implements Command {
    public Learn {
      addresses = List.copyOf(addresses);
    }
  }

  /** Asks for all addresses of a peer that have not expired, the most trusted source first. */
  public record Find(PeerId peer, ActorRef<Found> replyTo) implements Command {}

  /** Forgets one address of a peer, for instance because somebody else answered there. */
  public record Forget(PeerId peer, Multiaddr address) implements Command {}

  /** What {@link Find} is answered with; empty when nothing is known. */
  public record Found(PeerId peer, List<Multiaddr> addresses) {
    public Found {
      addresses = List.copyOf(addresses);
    }
  }

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

  /** An empty address book, which restarts empty after a crash. */
  public static Behavior<Command> create(AddressBookSettings settings, Ticker ticker) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(context -> new AddressBook(context, settings, ticker)))
        .onFailure(SupervisorStrategy.restart());
  }

  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

  private final KnownAddresses known;
  private final Ticker ticker;

  private AddressBook(ActorContext<Command> context, AddressBookSettings settings, Ticker ticker) {
    super(context);
    this.known = new KnownAddresses(settings);
    this.ticker = ticker;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Learn.class, this::onLearn)
        .onMessage(Find.class, this::onFind)
        .onMessage(Forget.class, this::onForget)
        .build();
  }

  private Behavior<Command> onLearn(Learn learn) {
    known.learn(
        learn.peer(), learn.addresses(), learn.source(), nanos(learn.timeToLive()), ticker.nanos());
    return this;
  }

  /** "For ever" is a time to live as well; it has more nanoseconds than fit. */
  private static long nanos(Duration timeToLive) {
    if (timeToLive.isNegative()) {
      return 0;
    }
    return timeToLive.compareTo(LONGEST) > 0 ? LONGEST.toNanos() : timeToLive.toNanos();
  }

  private Behavior<Command> onFind(Find find) {
    find.replyTo().tell(new Found(find.peer(), known.find(find.peer(), ticker.nanos())));
    return this;
  }

  private Behavior<Command> onForget(Forget forget) {
    known.forget(forget.peer(), forget.address());
    return this;
  }
}
