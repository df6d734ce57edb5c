package dev.troupe.actors.bootstrap;

import dev.troupe.actors.bootstrap.Pool.Entry;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.names.Resolution;
import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.StoredBootstrap;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a peer connected to some of its bootstrap peers; {@link Pool} decides to which.
 *
 * <p><b>Owns</b> the pool. <b>Parent</b>: the Peer, which has this actor only where it is to join
 * through somebody. <b>Children</b>: an {@link Attempt} for each dial, a {@link Resolution} for
 * each {@code /dnsaddr} that is to say who its peers are, again and again. <b>States</b>: one; it
 * dials nobody until it knows what was kept.
 *
 * <p><b>Kept</b>, where there is a store: who answered, when, where, and whether the user had added
 * it ({@link BootstrapMemory}). Loaded at the start; a store that takes longer than {@link #RECALL}
 * is not waited for, and counts when it answers. What cannot be read or written is said in the log,
 * and nothing else comes of it.
 *
 * <p><b>Who sends what</b>: the DHT asks it to hurry when it has nobody to ask; Health says who
 * does not answer any more; the user asks it to try again, or to use the backups; Connections say
 * who of the pool connects and goes away. Subscribers hear of each change, and of each bootstrap
 * peer that could not be reached.
 *
 * <p><b>Limits</b>: one dial a bootstrap peer at a time; {@value Pool#MAX_ADDED} added backups;
 * {@value #MAX_SUBSCRIBERS} subscribers, a further one is not told anything. <b>Timers</b>: the
 * wait for the store; the next moment at which there is something to decide, none while all is
 * well. <b>A crash</b> loses the pauses and those backups that were added and have not answered, or
 * all that were added where there is no store; subscribers are kept, and everything is dialled
 * anew, which those that are connected answer at once.
 */
public final class BootstrapPool {

  /** What the pool is told. */
  public sealed interface Command {}

  /** There is nobody to ask: those that rest are to be dialled now. */
  public record Hurry() implements Command {}

  /** A connected peer does not answer any more: it is to be disconnected and dialled again. */
  public record Unresponsive(PeerId peer, String reason) implements Command {}

  /** Asks to try all again that cannot be reached; subscribers hear what comes of it. */
  public record Retry(ActorRef<OfferReply> replyTo) implements Command {}

  /**
   * Asks to use the backups now.
   *
   * @param address one more, the last of them; null for those that there are
   */
  public record UseBackup(@Nullable Multiaddr address, ActorRef<OfferReply> replyTo)
      implements Command {}

  /**
   * Asks to hear of everything, how it stands and who has failed first; ends when the subscriber
   * does.
   */
  public record Subscribe(ActorRef<Event> subscriber) implements Command {}

  /** Asks to end, once what came before is answered. */
  public record Stop() implements Command {}

  /**
   * One dial.
   *
   * @param life of this actor: what one before a crash has dialled says nothing to the next
   */
  private record Try(int life, int number, int attempt) {}

  private record Answered(Try dial, Connections.ConnectReply reply) implements Command {}

  private record Resolved(Try dial, Resolution.Outcome outcome) implements Command {}

  private record Gone(Try dial) implements Command {}

  private record Heard(ConnectionsEvent event) implements Command {}

  private record Due() implements Command {}

  private record PageRead(int life, @Nullable Page page) implements Command {}

  private record RecallOverdue() implements Command {}

  private record Kept(@Nullable StoreFailure failure) implements Command {}

  private record SubscriberGone(ActorRef<Event> subscriber) implements Command {}

  private record Disconnected(Connections.DisconnectReply reply) implements Command {}

  /** The answer to {@link Retry} and {@link UseBackup}. */
  public sealed interface OfferReply {}

  /**
   * These are dialled now, or are connected already.
   *
   * @param addresses one of each bootstrap peer
   */
  public record Trying(List<Multiaddr> addresses) implements OfferReply {
    public Trying {
      addresses = List.copyOf(addresses);
    }
  }

  /** There is nothing that could be done. */
  public record Declined(String reason) implements OfferReply {}

  /** What subscribers hear. */
  public sealed interface Event {}

  /** How it stands with each: primaries first, then backups. */
  public record Changed(List<Bootstrap> bootstraps) implements Event {
    public Changed {
      bootstraps = List.copyOf(bootstraps);
    }
  }

  /**
   * One could not be reached; said once, and again after the user asked for another try. What the
   * user can do is {@link Retry} or {@link UseBackup}; all of it goes on by itself as well.
   */
  public record Failed(Multiaddr address, boolean backup, String reason) implements Event {}

  /** Most subscribers. */
  static final int MAX_SUBSCRIBERS = 256;

  /**
   * How many there are in the pool at most, and so how many dials: those that are configured or
   * added, and behind each as many as are taken from one {@code /dnsaddr}.
   *
   * @param configured primaries and backups
   */
  public static int most(int configured) {
    return (configured + Pool.MAX_ADDED) * (1 + Pool.MAX_BEHIND);
  }

  private static final String TAG = "bootstrap";

  /** For how long nobody is dialled because the store has not said yet who answered before. */
  static final Duration RECALL = Duration.ofSeconds(1);

  /** What a crash must not lose. */
  private static final class Lasting {
    private final Set<ActorRef<Event>> subscribers = new LinkedHashSet<>();
    private int lives;

    Set<ActorRef<Event>> subscribers() {
      return subscribers;
    }
  }

  /**
   * Makes the actor; its supervision is included.
   *
   * @param self whose pool it is; not dialled where it is named
   * @param store of the same peer
   */
  public static Behavior<Command> create(
      BootstrapSettings settings,
      List<Multiaddr> primaries,
      PeerId self,
      World world,
      Store store,
      ActorRef<Connections.Command> connections) {
    return Behaviors.setup(
        outside -> {
          Lasting lasting = new Lasting();
          return Behaviors.supervise(
                  Behaviors.<Command>setup(
                      context ->
                          Behaviors.withTimers(
                              timers ->
                                  new BootstrapPool(
                                          context,
                                          timers,
                                          settings,
                                          new Pool(
                                              settings, primaries, self, world.random(self, TAG)),
                                          world,
                                          store,
                                          connections,
                                          lasting)
                                      .begin())))
              .onFailure(SupervisorStrategy.restart());
        });
  }

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final BootstrapSettings settings;
  private final Pool pool;
  private final World world;
  private final Store store;
  private final BootstrapMemory memory = new BootstrapMemory();
  private final ActorRef<Connections.Command> connections;
  private final Lasting lasting;
  private final int life;
  private final ActorRef<ConnectionsEvent> connectionsEvents;
  private final ActorRef<Connections.DisconnectReply> disconnected;
  private List<Bootstrap> published = List.of();
  private boolean recalling;

  private BootstrapPool(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      BootstrapSettings settings,
      Pool pool,
      World world,
      Store store,
      ActorRef<Connections.Command> connections,
      Lasting lasting) {
    this.context = context;
    this.timers = timers;
    this.settings = settings;
    this.pool = pool;
    this.world = world;
    this.store = store;
    this.connections = connections;
    this.lasting = lasting;
    this.life = ++lasting.lives;
    this.connectionsEvents = context.messageAdapter(ConnectionsEvent.class, Heard::new);
    this.disconnected =
        context.messageAdapter(Connections.DisconnectReply.class, Disconnected::new);
  }

  private Behavior<Command> begin() {
    lasting.subscribers().forEach(each -> context.watchWith(each, new SubscriberGone(each)));
    for (Entry entry : pool.entries()) {
      watch(entry.peer());
      if (!entry.backup) {
        protect(entry.peer());
      }
    }
    if (store.keeps()) {
      recalling = true;
      timers.startSingleTimer(new RecallOverdue(), RECALL);
      read(Bytes.EMPTY);
    }
    act();
    return Behaviors.receive(Command.class)
        .onMessage(Hurry.class, hurry -> onHurry())
        .onMessage(Unresponsive.class, this::onUnresponsive)
        .onMessage(Retry.class, this::onRetry)
        .onMessage(UseBackup.class, this::onUseBackup)
        .onMessage(Subscribe.class, this::onSubscribe)
        .onMessage(SubscriberGone.class, this::onSubscriberGone)
        .onMessage(Answered.class, this::onAnswered)
        .onMessage(Resolved.class, this::onResolved)
        .onMessage(Gone.class, this::onGone)
        .onMessage(Heard.class, this::onHeard)
        .onMessage(Due.class, due -> act())
        .onMessage(PageRead.class, this::onPageRead)
        .onMessage(RecallOverdue.class, overdue -> onRecallOverdue())
        .onMessage(Kept.class, this::onKept)
        .onMessage(Disconnected.class, done -> Behaviors.same())
        .onMessage(Stop.class, stop -> Behaviors.stopped())
        .build();
  }

  /** Does what the pool has decided, and says how it stands where that has changed. */
  private Behavior<Command> act() {
    long now = now();
    if (recalling) {
      publish(now);
      return Behaviors.same();
    }
    for (Entry entry : pool.due(now)) {
      dial(entry);
    }
    OptionalLong next = pool.nextAt(now);
    if (next.isPresent()) {
      timers.startSingleTimer(new Due(), Duration.ofNanos(next.getAsLong() - now));
    } else {
      timers.cancel(new Due());
    }
    publish(now);
    return Behaviors.same();
  }

  private void dial(Entry entry) {
    ActorRef<Command> self = context.getSelf();
    Try dial = new Try(life, entry.number, entry.attempt());
    ActorRef<?> child =
        entry.standsForOthers()
            ? context.spawnAnonymous(
                Resolution.create(
                    world, entry.name, outcome -> self.tell(new Resolved(dial, outcome))))
            : context.spawnAnonymous(
                Attempt.create(
                    world,
                    entry.peer(),
                    entry.addresses(),
                    settings.dialTimeout(),
                    connections,
                    reply -> self.tell(new Answered(dial, reply))));
    context.watchWith(child, new Gone(dial));
  }

  private void publish(long now) {
    List<Bootstrap> view = pool.view(now);
    List<Bootstrap> timeless = view.stream().map(Bootstrap::timeless).toList();
    if (!timeless.equals(published)) {
      published = timeless;
      tell(new Changed(view));
    }
  }

  private void tell(Event event) {
    lasting.subscribers().forEach(subscriber -> subscriber.tell(event));
  }

  /** Whom a dial is for; null where it is over, of an earlier life, or wanted no longer. */
  private @Nullable Entry dialled(Try dial) {
    return dial.life() == life
        ? pool.entry(dial.number()).filter(each -> each.isDialled(dial.attempt())).orElse(null)
        : null;
  }

  private Behavior<Command> onAnswered(Answered answered) {
    Entry entry = dialled(answered.dial());
    if (entry == null) {
      return Behaviors.same(); // It has been connected, and perhaps lost again, meanwhile.
    }
    if (answered.reply() instanceof Connections.ConnectFailed failed) {
      fail(entry, failed.failure().message());
    } else if (entry.isDisconnected()) {
      fail(entry, "the connection was lost before it was of use");
    } else if (entry.peer() != null) {
      Multiaddr at = ((Connections.Connected) answered.reply()).address();
      pool.onPeerConnected(entry.peer(), now()).ifPresent(known -> onConnected(known, at));
    } else {
      // Now it has a name. What comes of the connection is heard under that.
      PeerId peer = ((Connections.Connected) answered.reply()).peer();
      if (pool.identify(entry, peer)) {
        watch(peer);
        dial(entry);
      } else {
        // It may be a backup that has become a primary.
        pool.entries().stream()
            .filter(each -> !each.backup && peer.equals(each.peer()))
            .forEach(each -> protect(peer));
      }
    }
    return act();
  }

  private Behavior<Command> onResolved(Resolved resolved) {
    Entry entry = dialled(resolved.dial());
    if (entry == null) {
      return Behaviors.same(); // The user was in a hurry.
    }
    HostFailure failure = resolved.outcome().failure();
    List<PeerId> peers =
        resolved.outcome().addresses().stream()
            .map(Multiaddr::peerId)
            .filter(Objects::nonNull)
            .distinct()
            .toList();
    if (failure != null) {
      fail(entry, failure.message());
    } else if (peers.isEmpty()) {
      fail(entry, entry.name + " stands for addresses that name no peer");
    } else {
      List<Entry> before = pool.entries();
      admit(pool.expand(entry, peers, now()));
      List<Entry> after = pool.entries();
      before.stream()
          .filter(each -> !after.contains(each) && each.peer() != null)
          .forEach(each -> connections.tell(new Connections.Unprotect(each.peer(), TAG)));
    }
    return act();
  }

  private void admit(List<Entry> made) {
    for (Entry each : made) {
      watch(each.peer());
      if (!each.backup) {
        protect(each.peer());
      }
    }
  }

  /** A dial has ended. It has said before what came of it, unless it has crashed. */
  private Behavior<Command> onGone(Gone gone) {
    Entry crashed = dialled(gone.dial());
    if (crashed == null) {
      return Behaviors.same();
    }
    fail(crashed, "the dial has crashed");
    return act();
  }

  private void fail(Entry entry, String reason) {
    context
        .getLog()
        .atInfo()
        .addKeyValue("address", entry.name)
        .addKeyValue("reason", reason)
        .log("A bootstrap peer could not be reached");
    if (pool.onFailed(entry, reason, now())) {
      tell(failed(entry));
    }
    admit(pool.expandFromMemory(entry));
  }

  private static Failed failed(Entry entry) {
    String reason = entry.reason();
    return new Failed(entry.name, entry.backup, reason == null ? "" : reason);
  }

  private Behavior<Command> onHeard(Heard heard) {
    PeerId peer = heard.event().peer();
    if (heard.event() instanceof ConnectionsEvent.PeerConnected connected) {
      // Where a connection comes from is no place to dial.
      Multiaddr at = connected.direction() == Direction.OUTBOUND ? connected.address() : null;
      pool.onPeerConnected(peer, now()).ifPresent(entry -> onConnected(entry, at));
    } else if (heard.event() instanceof ConnectionsEvent.PeerDisconnected gone) {
      pool.onLost(peer, gone.reason().message(), now());
    } else {
      return Behaviors.same();
    }
    return act();
  }

  private void onConnected(Entry entry, @Nullable Multiaddr at) {
    remember(entry, at);
    if (!entry.backup || pool.isOnBackups()) {
      protect(entry.peer());
    }
    if (!entry.backup) {
      // Nothing is wanted of them any more: they may be trimmed.
      pool.entries().stream()
          .filter(each -> each.backup && each.peer() != null)
          .forEach(each -> connections.tell(new Connections.Unprotect(each.peer(), TAG)));
    }
  }

  private void remember(Entry entry, @Nullable Multiaddr at) {
    PeerId peer = entry.peer();
    if (!store.keeps() || peer == null) {
      return;
    }
    Instant now = world.clock().instant();
    List<Multiaddr> there = at == null ? List.of() : List.of(at.withoutPeer());
    commit(memory.remember(new StoredBootstrap(entry.name, peer, there, now, entry.isAdded())));
    Entry via = entry.via();
    if (via != null && via.isAdded()) {
      // What is taken back after a restart is what the user gave, and not each that is behind it.
      commit(memory.remember(new StoredBootstrap(via.name, peer, List.of(), now, true)));
    }
  }

  // What outlives the peer

  private void read(Bytes after) {
    ActorRef<Command> self = context.getSelf();
    store.read(
        StoreCollection.BOOTSTRAP,
        after,
        new StoreCompletion<>() {
          @Override
          public void succeeded(Page page) {
            self.tell(new PageRead(life, page));
          }

          @Override
          public void failed(StoreFailure failure) {
            self.tell(new PageRead(life, null));
          }
        });
  }

  private Behavior<Command> onPageRead(PageRead read) {
    if (read.life() != life) {
      return Behaviors.same();
    }
    Page page = read.page();
    if (page == null) {
      context.getLog().warn("What was kept of bootstrap peers cannot be read");
    } else {
      memory.onPage(page).forEach(this::warnOf);
      if (!page.isLast() && !page.entries().isEmpty()) {
        read(page.entries().get(page.entries().size() - 1).key());
        return Behaviors.same();
      }
    }
    List<Entry> before = pool.entries();
    pool.recall(memory.good());
    pool.entries().stream().filter(each -> !before.contains(each)).forEach(e -> watch(e.peer()));
    return onRecallOverdue();
  }

  private void warnOf(BootstrapMemory.Unreadable entry) {
    context
        .getLog()
        .atWarn()
        .addKeyValue("address", entry.name())
        .addKeyValue("reason", entry.why())
        .log("What was kept of a bootstrap peer cannot be read, and is passed over");
  }

  private Behavior<Command> onRecallOverdue() {
    recalling = false;
    timers.cancel(new RecallOverdue());
    return act();
  }

  private void commit(Batch batch) {
    ActorRef<Command> self = context.getSelf();
    store.commit(
        batch,
        new StoreCompletion<>() {
          @Override
          public void succeeded(Batch durable) {
            self.tell(new Kept(null));
          }

          @Override
          public void failed(StoreFailure failure) {
            self.tell(new Kept(failure));
          }
        });
  }

  private Behavior<Command> onKept(Kept kept) {
    if (kept.failure() != null) {
      context
          .getLog()
          .atWarn()
          .addKeyValue("reason", kept.failure().message())
          .log("Bootstrap peers cannot be kept");
    }
    return Behaviors.same();
  }

  private void protect(@Nullable PeerId peer) {
    if (peer != null) {
      connections.tell(new Connections.Protect(peer, TAG));
    }
  }

  private void watch(@Nullable PeerId peer) {
    if (peer != null) {
      connections.tell(new Connections.Watch(peer, connectionsEvents));
    }
  }

  private Behavior<Command> onHurry() {
    pool.hurry(now());
    return act();
  }

  /** It counts as lost at once: what the remote has to say to that may take its time. */
  private Behavior<Command> onUnresponsive(Unresponsive silent) {
    if (pool.onLost(silent.peer(), silent.reason(), now()).isPresent()) {
      connections.tell(new Connections.Disconnect(silent.peer(), disconnected));
    }
    return act();
  }

  private Behavior<Command> onRetry(Retry retry) {
    recalling = false;
    pool.retry(now());
    act();
    answer(retry.replyTo(), false);
    return Behaviors.same();
  }

  private Behavior<Command> onUseBackup(UseBackup use) {
    Multiaddr address = use.address();
    if (address != null && !pool.addBackup(address)) {
      use.replyTo().tell(new Declined(Pool.MAX_ADDED + " backups have been added already"));
      return Behaviors.same();
    }
    if (address != null) {
      watch(address.peerId());
    }
    recalling = false;
    pool.useBackups(now());
    act();
    answer(use.replyTo(), true);
    return Behaviors.same();
  }

  private void answer(ActorRef<OfferReply> replyTo, boolean backups) {
    List<Multiaddr> tried =
        pool.view(now()).stream()
            .filter(each -> each.backup() == backups)
            .filter(each -> each.status() != Bootstrap.Status.STANDBY)
            .map(Bootstrap::address)
            .toList();
    replyTo.tell(
        tried.isEmpty()
            ? new Declined("no " + (backups ? "backup" : "bootstrap peer") + " is configured")
            : new Trying(tried));
  }

  private Behavior<Command> onSubscribe(Subscribe subscribe) {
    ActorRef<Event> subscriber = subscribe.subscriber();
    if (lasting.subscribers().contains(subscriber)
        || lasting.subscribers().size() < MAX_SUBSCRIBERS) {
      lasting.subscribers().add(subscriber);
      context.watchWith(subscriber, new SubscriberGone(subscriber));
      subscriber.tell(new Changed(pool.view(now())));
      pool.announced().forEach(entry -> subscriber.tell(failed(entry)));
    }
    return Behaviors.same();
  }

  private Behavior<Command> onSubscriberGone(SubscriberGone gone) {
    lasting.subscribers().remove(gone.subscriber());
    return Behaviors.same();
  }

  private long now() {
    return world.ticker().nanos();
  }
}
