package dev.troupe.actors.addressbook;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.world.Ticker;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.StoredPeer;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * What is known of each remote peer's addresses: where they were learned, and for how long they
 * hold.
 *
 * <p><b>Owns</b> the known addresses. <b>Parent</b>: the peer; no children. <b>States</b>: one.
 * <b>Who sends what</b>: connections teach it where a dial succeeded and what peers say of
 * themselves, the DHT what others say; connections ask it before dialling. <b>Limits</b>: {@link
 * AddressBookSettings}, and of what is kept {@value KeptAddresses#MAX_PEERS} peers for a week each.
 * <b>Kept</b>, where there is a store: addresses at which peers were reached, and those that they
 * have signed; loaded at the start, for an hour unless they are learned again, while it answers
 * with what it knows. <b>Timers</b>: noting for the store what has changed (1 min, and at the end);
 * what has expired goes when its peer is next touched. <b>A crash loses</b> all that was learned,
 * but not what is configured or kept; nobody is told, because every peer that matters is learned
 * anew by identify or a lookup.
 */
public final class AddressBook extends AbstractBehavior<AddressBook.Command> {

  /** What the address book is told. */
  public sealed interface Command {}

  /**
   * These addresses were learned of a peer.
   *
   * @param addresses a {@code /p2p} at their end is dropped
   * @param timeToLive from now; where the same source has vouched for an address already, the
   *     longer of both counts
   * @param toldBy whose word it is where it is {@link Source#DISCOVERED}, if that is known: one
   *     peer can fill only a part of the book
   */
  public record Learn(
      PeerId peer,
      List<Multiaddr> addresses,
      Source source,
      Duration timeToLive,
      @Nullable PeerId toldBy)
      implements Command {
    public Learn {
      addresses = List.copyOf(addresses);
    }

    /** Nobody is known to have told it. */
    public Learn(PeerId peer, List<Multiaddr> addresses, Source source, Duration timeToLive) {
      this(peer, addresses, source, timeToLive, null);
    }
  }

  /** Asks for all addresses of a peer that have not expired, the most trusted source first. */
  public record Find(PeerId peer, ActorRef<Found> replyTo) implements Command {}

  /** Forgets one address of a peer, for instance because somebody else answered there. */
  public record Forget(PeerId peer, Multiaddr address) implements Command {}

  /** Asks to end; what is to be kept is on its way to the store then. */
  public record Stop() implements Command {}

  private record PageRead(@Nullable Page page) implements Command {}

  private record Noted(@Nullable StoreFailure failure) implements Command {}

  private record NoteDue() implements Command {}

  /**
   * What {@link Find} is answered with; empty when nothing is known.
   *
   * @param trusted how many of the addresses, from the first, are not just {@link
   *     Source#DISCOVERED}
   */
  public record Found(PeerId peer, List<Multiaddr> addresses, int trusted) {
    public Found {
      addresses = List.copyOf(addresses);
    }

    /** Nothing but hearsay. */
    public Found(PeerId peer, List<Multiaddr> addresses) {
      this(peer, addresses, 0);
    }
  }

  /** Where an address was learned, the most trusted first. */
  public enum Source {
    /** The user gave it. */
    CONFIGURED,
    /** The peer was reached there. */
    CONNECTED,
    /** The peer itself named it, in a record that it signed. */
    CERTIFIED,
    /** The peer itself named it, unsigned, over a secured connection. */
    IDENTIFIED,
    /** Another peer named it: hearsay. */
    DISCOVERED
  }

  /** An empty address book, which restarts empty after a crash. */
  public static Behavior<Command> create(AddressBookSettings settings, Ticker ticker) {
    return create(settings, ticker, List.of());
  }

  /**
   * An address book that knows what the user has configured, after a crash as well.
   *
   * @param configured addresses with the peer at their end; others are passed over
   */
  public static Behavior<Command> create(
      AddressBookSettings settings, Ticker ticker, List<Multiaddr> configured) {
    return create(settings, ticker, () -> Instant.EPOCH, configured, Store.NONE);
  }

  /**
   * The same, where something outlives the peer.
   *
   * @param clock for what is kept
   * @param store of the same peer
   */
  public static Behavior<Command> create(
      AddressBookSettings settings,
      Ticker ticker,
      InstantSource clock,
      List<Multiaddr> configured,
      Store store) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context -> {
                  AddressBook book =
                      new AddressBook(context, settings, ticker, clock, configured, store);
                  return store.keeps() ? book.noting() : book;
                }))
        .onFailure(SupervisorStrategy.restart());
  }

  /** How often it is looked whether there is something to keep. */
  static final Duration NOTE_INTERVAL = Duration.ofMinutes(1);

  /** How long what was kept is believed after it has been loaded, unless it is learned again. */
  static final Duration LOADED_TIME_TO_LIVE = Duration.ofHours(1);

  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

  private final KnownAddresses known;
  private final KeptAddresses kept = new KeptAddresses();
  private final Ticker ticker;
  private final InstantSource clock;
  private final Store store;
  private boolean loaded;

  private AddressBook(
      ActorContext<Command> context,
      AddressBookSettings settings,
      Ticker ticker,
      InstantSource clock,
      List<Multiaddr> configured,
      Store store) {
    super(context);
    this.known = new KnownAddresses(settings);
    this.ticker = ticker;
    this.clock = clock;
    this.store = store;
    for (Multiaddr address : configured) {
      PeerId peer = address.peerId();
      if (peer != null) {
        known.learn(
            peer, List.of(address), Source.CONFIGURED, null, LONGEST.toNanos(), ticker.nanos());
      }
    }
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Learn.class, this::onLearn)
        .onMessage(Find.class, this::onFind)
        .onMessage(Forget.class, this::onForget)
        .onMessage(PageRead.class, this::onPageRead)
        .onMessage(NoteDue.class, due -> note())
        .onMessage(Noted.class, this::onNoted)
        .onMessage(Stop.class, stop -> onStop())
        .build();
  }

  private Behavior<Command> onLearn(Learn learn) {
    known.learn(
        learn.peer(),
        learn.addresses(),
        learn.source(),
        learn.toldBy(),
        nanos(learn.timeToLive()),
        ticker.nanos());
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
    KnownAddresses.Addresses found = known.find(find.peer(), ticker.nanos());
    find.replyTo().tell(new Found(find.peer(), found.addresses(), found.trusted()));
    return this;
  }

  private Behavior<Command> onForget(Forget forget) {
    known.forget(forget.peer(), forget.address(), ticker.nanos());
    return this;
  }

  // What outlives the peer

  private Behavior<Command> noting() {
    readPage(Bytes.EMPTY);
    return Behaviors.withTimers(
        timers -> {
          timers.startTimerWithFixedDelay(new NoteDue(), NOTE_INTERVAL);
          return this;
        });
  }

  private void readPage(Bytes after) {
    ActorRef<Command> self = getContext().getSelf();
    store.read(
        StoreCollection.ADDRESSES,
        after,
        new StoreCompletion<>() {
          @Override
          public void succeeded(Page page) {
            self.tell(new PageRead(page));
          }

          @Override
          public void failed(StoreFailure failure) {
            self.tell(new PageRead(null));
          }
        });
  }

  private Behavior<Command> onPageRead(PageRead read) {
    Page page = read.page();
    if (page == null) {
      getContext().getLog().warn("What was kept of addresses cannot be read");
      loaded = true;
      return this;
    }
    for (StoredPeer peer : kept.onPage(page, clock.instant())) {
      // Not as reached: what is never reached again must not be noted as if it were.
      known.learn(
          peer.peer(),
          peer.addresses(),
          Source.IDENTIFIED,
          null,
          LOADED_TIME_TO_LIVE.toNanos(),
          ticker.nanos());
    }
    if (page.isLast() || page.entries().isEmpty()) {
      loaded = true;
    } else {
      readPage(page.entries().get(page.entries().size() - 1).key());
    }
    return this;
  }

  private Behavior<Command> note() {
    if (store.keeps() && loaded) {
      kept.note(known.lasting(ticker.nanos()), clock.instant()).ifPresent(this::commit);
    }
    return this;
  }

  private void commit(Batch batch) {
    ActorRef<Command> self = getContext().getSelf();
    store.commit(
        batch,
        new StoreCompletion<>() {
          @Override
          public void succeeded(Batch durable) {
            self.tell(new Noted(null));
          }

          @Override
          public void failed(StoreFailure failure) {
            self.tell(new Noted(failure));
          }
        });
  }

  private Behavior<Command> onNoted(Noted noted) {
    if (noted.failure() != null) {
      getContext()
          .getLog()
          .atWarn()
          .addKeyValue("reason", noted.failure().message())
          .log("Addresses cannot be kept");
      kept.onFailed();
    }
    return this;
  }

  private Behavior<Command> onStop() {
    note();
    return Behaviors.stopped();
  }
}
