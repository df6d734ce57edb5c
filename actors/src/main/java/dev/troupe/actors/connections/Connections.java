package dev.troupe.actors.connections;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.connections.ConnectionsEvent.PeerConnected;
import dev.troupe.actors.connections.ConnectionsEvent.PeerDisconnected;
import dev.troupe.actors.connections.ConnectionsEvent.PeerIdentified;
import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Identification;
import dev.troupe.actors.world.Ticker;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Which peers this one is connected to, and should be.
 *
 * <p><b>Owns</b> the picture of who is connected, and one dial a peer at a time. <b>Parent</b>: the
 * peer. <b>Children</b>: a {@link Dial} for each dial under way, a {@link Connection} for each
 * remote to which there is more than one connection. <b>States</b>: one.
 *
 * <p><b>Who sends what</b>: the peer passes on the host's events ({@link HostHeard}); the DHT,
 * gossip, virtual connections and the user ask for connections, and take it back where they do not
 * want them any more; whoever subscribed hears of each peer connected, identified and disconnected,
 * in that order.
 *
 * <p><b>Limits</b>: {@link ConnectionsSettings}; {@value #MAX_SUBSCRIBERS} subscribers. Beyond
 * {@code maxDials}, dials wait their turn; beyond {@code maxWaitingDials} they are refused. Beyond
 * {@code highWater} connections, those to peers that nobody protects are closed down to {@code
 * lowWater}: of untagged peers first, then of the lowest weight, what remotes opened before what we
 * did, the youngest first. A share of the marks is not for remotes to fill: what they open has
 * lower ones. The young are let in beyond it, because a peer that closed each newcomer once it is
 * full could be asked nothing by anybody; but beyond {@value #YOUNG_FACTOR} times that mark, a
 * newcomer that nobody asked for, tagged or protected is closed at once.
 *
 * <p><b>Timers</b>: trimming, again and again while there are too many connections and none may go
 * yet (a dial has its budget). <b>A crash loses</b> dials under way: all who wait for one are
 * answered {@code CANCELLED}. Subscribers, protections, tags and who is connected survive, so
 * subscribers notice nothing.
 */
public final class Connections extends AbstractBehavior<Connections.Command> {

  /** What connections is told. */
  public sealed interface Command {}

  /**
   * Asks to be connected to a peer: answered at once when it is, otherwise after one dial of all
   * its known addresses, the most trusted first. Whoever asks while that dial is under way shares
   * it.
   *
   * @param addresses where to dial beside what the address book knows, without {@code /p2p}; may be
   *     empty. They are dialled after what is configured, was right before or was said by the peer
   *     itself, and before other hearsay
   */
  public record Connect(PeerId peer, List<Multiaddr> addresses, ActorRef<ConnectReply> replyTo)
      implements Command {
    public Connect {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * Asks to dial one address, whoever answers there, or the peer that its {@code /p2p} names: that
   * is {@link Connect} with this address, which is dialled first of all.
   */
  public record ConnectTo(Multiaddr address, ActorRef<ConnectReply> replyTo) implements Command {}

  /**
   * Takes back one {@link Connect} or {@link ConnectTo} that named this peer: it is not answered
   * any more, except by an answer that is on its way already; and when nobody else waits for the
   * dial, that is called off.
   *
   * @param replyTo who asked
   */
  public record Withdraw(PeerId peer, ActorRef<ConnectReply> replyTo) implements Command {}

  /** Asks to close all connections to a peer and to call off its dial. */
  public record Disconnect(PeerId peer, ActorRef<DisconnectReply> replyTo) implements Command {}

  /** Asks who is connected. */
  public record GetConnected(ActorRef<ConnectedPeers> replyTo) implements Command {}

  /**
   * Asks to hear of every {@link ConnectionsEvent} from now on; those who are connected already are
   * told first, as events. Ends when the subscriber does.
   *
   * @param replyTo hears whether there is a place for one more; null for the peer's own actors,
   *     which always have one
   * @param from the first event of each peer that is heard
   */
  public record Subscribe(
      ActorRef<ConnectionsEvent> subscriber, @Nullable ActorRef<SubscribeReply> replyTo, From from)
      implements Command {

    /** From a peer's {@link PeerConnected} on. */
    public Subscribe(
        ActorRef<ConnectionsEvent> subscriber, @Nullable ActorRef<SubscribeReply> replyTo) {
      this(subscriber, replyTo, From.CONNECTED);
    }

    /** For the peer's own actors. */
    public Subscribe(ActorRef<ConnectionsEvent> subscriber, From from) {
      this(subscriber, null, from);
    }
  }

  /** From which event of a peer on a subscriber hears of it. */
  public enum From {
    /** Everything. */
    CONNECTED,
    /** Not {@link PeerConnected}: for those who can do nothing before they know what it speaks. */
    IDENTIFIED
  }

  /**
   * Asks to hear of every {@link ConnectionsEvent} of one peer from now on, as one of the peer's
   * own actors; first that it is connected, if it is. Ends when the watcher does.
   */
  public record Watch(PeerId peer, ActorRef<ConnectionsEvent> watcher) implements Command {}

  /**
   * Keeps the connections to a peer from being trimmed, for as long as at least one tag protects
   * them.
   */
  public record Protect(PeerId peer, String tag) implements Command {}

  /** Takes one protection back. */
  public record Unprotect(PeerId peer, String tag) implements Command {}

  /**
   * Gives a peer a weight under a tag; where connections must be trimmed, the lowest sums go first.
   *
   * @param weight not negative
   */
  public record Tag(PeerId peer, String tag, int weight) implements Command {
    public Tag {
      requireWeight(weight);
    }
  }

  /** Takes one tag back. */
  public record Untag(PeerId peer, String tag) implements Command {}

  /**
   * Gives a tag to these peers and takes it from all others: for those who keep a set, and need not
   * remember over a crash whom they have tagged.
   *
   * @param weight of each, not negative
   */
  public record TagExactly(String tag, int weight, List<PeerId> peers) implements Command {
    public TagExactly {
      requireWeight(weight);
      peers = List.copyOf(peers);
    }
  }

  private static void requireWeight(int weight) {
    if (weight < 0) {
      throw new IllegalArgumentException("the weight of a tag is not negative: " + weight);
    }
  }

  /** Asks to stop: whoever asked before is answered, and who still waits is told so. */
  public record Stop() implements Command {}

  /** The host's listener says this; nobody else does. */
  public record HostHeard(HostEvent event) implements Command {}

  private record AddressesFound(Target target, AddressBook.Found known) implements Command {}

  private record DialEnded(Target target, long number, Dial.Ended outcome) implements Command {}

  private record DialStopped(Target target, long number) implements Command {}

  private record TrimDue() implements Command {}

  private record SubscriberGone(ActorRef<ConnectionsEvent> subscriber) implements Command {}

  /** The outcome of {@link Connect} and {@link ConnectTo}. */
  public sealed interface ConnectReply {}

  /** There is a connection to the peer. */
  public record Connected(PeerId peer, Multiaddr address) implements ConnectReply {}

  /**
   * There is none.
   *
   * @param peer null where the dialled address named no peer
   * @param failure the reason that decided; its message names the addresses that were tried and
   *     what became of each
   */
  public record ConnectFailed(@Nullable PeerId peer, HostFailure failure) implements ConnectReply {}

  /**
   * The answer to {@link Disconnect}.
   *
   * @param wasConnected whether there was anything to close
   */
  public record DisconnectReply(PeerId peer, boolean wasConnected) {}

  /** The answer to {@link Subscribe}. */
  public sealed interface SubscribeReply {}

  /** The subscriber hears of everything from now on. */
  public record Subscribed() implements SubscribeReply {}

  /** The subscriber hears of nothing. */
  public record SubscribeRefused(String reason) implements SubscribeReply {}

  /** The answer to {@link GetConnected}, in the order of connecting. */
  public record ConnectedPeers(List<ConnectedPeer> peers) {
    public ConnectedPeers {
      peers = List.copyOf(peers);
    }
  }

  /**
   * One connected peer.
   *
   * @param address the remote end of its oldest connection
   * @param connections how many connections there are to it
   * @param identification null until it has said who it is
   */
  public record ConnectedPeer(
      PeerId peer,
      Multiaddr address,
      Direction direction,
      int connections,
      @Nullable Identification identification) {}

  /** Most subscribers, the peer's own actors among them; a further one of others is refused. */
  static final int MAX_SUBSCRIBERS = 256;

  /** Most tags that one peer may carry; a further one is ignored and logged. */
  static final int MAX_TAGS_PER_PEER = 32;

  /** Most peers that may carry a tag or a protection without being connected; likewise. */
  static final int MAX_TAGGED_PEERS = 10_000;

  /** Makes the actor; its supervision is included. */
  public static Behavior<Command> create(
      ConnectionsSettings settings,
      Ticker ticker,
      Host host,
      ActorRef<AddressBook.Command> addressBook) {
    return Behaviors.setup(
        outer -> {
          Ledger ledger = new Ledger();
          return Behaviors.supervise(
                  Behaviors.<Command>setup(
                      context ->
                          Behaviors.withTimers(
                              timers ->
                                  new Connections(
                                      context,
                                      timers,
                                      settings,
                                      ticker,
                                      host,
                                      addressBook,
                                      ledger))))
              .onFailure(SupervisorStrategy.restart());
        });
  }

  /** What a restart must not lose. */
  private static final class Ledger {
    final Map<ActorRef<ConnectionsEvent>, From> subscribers = new LinkedHashMap<>();
    final Map<PeerId, Set<ActorRef<ConnectionsEvent>>> watchers = new LinkedHashMap<>();
    final Map<PeerId, Remote> remotes = new LinkedHashMap<>();
    final Map<PeerId, Set<String>> protections = new LinkedHashMap<>();
    final Map<PeerId, Map<String, Integer>> tags = new LinkedHashMap<>();
    final Map<Target, List<ActorRef<ConnectReply>>> waiters = new LinkedHashMap<>();
  }

  /** One connected peer. */
  private static final class Remote {
    final TreeMap<ConnectionId, Standing> connections = new TreeMap<>();
    @Nullable Identification identification;

    ConnectionInfo oldest() {
      return connections.firstEntry().getValue().info;
    }
  }

  /** One connection. */
  private static final class Standing {
    final ConnectionInfo info;
    final long openedAtNanos;

    /** It has been told to close, and counts no more. */
    boolean trimmed;

    Standing(ConnectionInfo info, long openedAtNanos) {
      this.info = info;
      this.openedAtNanos = openedAtNanos;
    }

    boolean isInbound() {
      return info.direction() == Direction.INBOUND;
    }
  }

  /**
   * What a dial is for: a peer, or an address at which anyone may answer. One of the two is null.
   */
  private record Target(@Nullable PeerId peer, @Nullable Multiaddr address) {
    @Override
    public String toString() {
      return peer != null ? "peer " + peer : String.valueOf(address);
    }
  }

  /** A dial under way. What one says that has been called off may still be in the mailbox. */
  private record Dialling(long number, ActorRef<Dial.Command> dial) {}

  /**
   * Addresses that came with a request.
   *
   * @param first to be dialled before all others
   * @param hints no better than what other peers tell
   */
  private record Given(List<Multiaddr> first, List<Multiaddr> hints) {}

  private record WaitingDial(Target target, List<Multiaddr> addresses) {}

  private final TimerScheduler<Command> timers;
  private final ConnectionsSettings settings;
  private final Ticker ticker;
  private final Host host;
  private final ActorRef<AddressBook.Command> addressBook;
  private final Ledger ledger;
  private final Map<PeerId, ActorRef<Connection.Command>> children = new LinkedHashMap<>();
  private final Map<Target, Dialling> dials = new LinkedHashMap<>();

  /** The addresses that came with a request, while the address book is asked for more. */
  private final Map<Target, Given> given = new LinkedHashMap<>();

  private final Deque<WaitingDial> waitingDials = new ArrayDeque<>();

  /** Connections that are not told to close; and those of them that remotes opened. */
  private int standing;

  private int inbound;
  private long names;

  private Connections(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ConnectionsSettings settings,
      Ticker ticker,
      Host host,
      ActorRef<AddressBook.Command> addressBook,
      Ledger ledger) {
    super(context);
    this.timers = timers;
    this.settings = settings;
    this.ticker = ticker;
    this.host = host;
    this.addressBook = addressBook;
    this.ledger = ledger;
    recover();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Connect.class, this::onConnect)
        .onMessage(ConnectTo.class, this::onConnectTo)
        .onMessage(Withdraw.class, this::onWithdraw)
        .onMessage(Disconnect.class, this::onDisconnect)
        .onMessage(GetConnected.class, this::onGetConnected)
        .onMessage(Subscribe.class, this::onSubscribe)
        .onMessage(Watch.class, this::onWatch)
        .onMessage(Protect.class, this::onProtect)
        .onMessage(Unprotect.class, this::onUnprotect)
        .onMessage(Tag.class, this::onTag)
        .onMessage(Untag.class, this::onUntag)
        .onMessage(TagExactly.class, this::onTagExactly)
        .onMessage(TrimDue.class, due -> onTrimDue())
        .onMessage(HostHeard.class, this::onHostHeard)
        .onMessage(AddressesFound.class, this::onAddressesFound)
        .onMessage(DialEnded.class, this::onDialEnded)
        .onMessage(DialStopped.class, this::onDialStopped)
        .onMessage(SubscriberGone.class, this::onSubscriberGone)
        .onMessage(Stop.class, stop -> Behaviors.stopped())
        .onSignal(PostStop.class, stop -> onPostStop())
        .build();
  }

  // ---- asking for connections

  private Behavior<Command> onConnect(Connect connect) {
    connect(connect.peer(), new Given(List.of(), connect.addresses()), connect.replyTo());
    return this;
  }

  private Behavior<Command> onConnectTo(ConnectTo connectTo) {
    PeerId named = connectTo.address().peerId();
    if (named != null) {
      Given address = new Given(List.of(connectTo.address()), List.of());
      connect(named, address, connectTo.replyTo());
    } else if (join(new Target(null, connectTo.address()), null, connectTo.replyTo())) {
      startDial(new Target(null, connectTo.address()), List.of(connectTo.address()));
    }
    return this;
  }

  private void connect(PeerId peer, Given addresses, ActorRef<ConnectReply> replyTo) {
    if (peer.equals(host.peerId())) {
      replyTo.tell(
          new ConnectFailed(
              peer, new HostFailure(HostFailure.Kind.REFUSED, "peer " + peer + " is this peer")));
      return;
    }
    Remote remote = ledger.remotes.get(peer);
    if (remote != null) {
      replyTo.tell(new Connected(peer, remote.oldest().remoteAddress()));
      return;
    }
    Target target = new Target(peer, null);
    if (join(target, peer, replyTo)) {
      ActorRef<AddressBook.Found> found =
          getContext()
              .messageAdapter(
                  AddressBook.Found.class, f -> new AddressesFound(new Target(f.peer(), null), f));
      given.put(target, addresses);
      addressBook.tell(new AddressBook.Find(peer, found));
    }
  }

  /** Waits for a dial; says whether it is to be started. */
  private boolean join(Target target, @Nullable PeerId peer, ActorRef<ConnectReply> replyTo) {
    List<ActorRef<ConnectReply>> waiters = ledger.waiters.get(target);
    if (waiters == null) {
      if (ledger.waiters.size() >= settings.maxDials() + settings.maxWaitingDials()) {
        refuse(peer, replyTo, "too many dials wait their turn");
        return false;
      }
      waiters = new ArrayList<>();
      waiters.add(replyTo);
      ledger.waiters.put(target, waiters);
      return true;
    }
    if (waiters.size() >= settings.maxWaitersPerDial()) {
      refuse(peer, replyTo, "too many wait for the dial of " + target);
    } else {
      waiters.add(replyTo);
    }
    return false;
  }

  private static void refuse(
      @Nullable PeerId peer, ActorRef<ConnectReply> replyTo, String message) {
    replyTo.tell(
        new ConnectFailed(peer, new HostFailure(HostFailure.Kind.LIMIT_EXCEEDED, message)));
  }

  private Behavior<Command> onAddressesFound(AddressesFound found) {
    Given came = given.remove(found.target());
    if (came == null) {
      return this; // It has been called off meanwhile, or asked for twice.
    }
    List<Multiaddr> known = found.known().addresses();
    Set<Multiaddr> all = new LinkedHashSet<>();
    came.first().forEach(address -> all.add(address.withoutPeer()));
    all.addAll(known.subList(0, found.known().trusted()));
    came.hints().forEach(address -> all.add(address.withoutPeer()));
    all.addAll(known);
    startDial(found.target(), all.stream().limit(settings.maxAddressesPerDial()).toList());
    return this;
  }

  private void startDial(Target target, List<Multiaddr> addresses) {
    if (dials.size() >= settings.maxDials()) {
      waitingDials.add(new WaitingDial(target, addresses));
      return;
    }
    ActorRef<Command> self = getContext().getSelf();
    long number = names++;
    ActorRef<Dial.Command> dial =
        getContext()
            .spawn(
                Dial.create(
                    settings,
                    host,
                    target.peer(),
                    addresses,
                    outcome -> self.tell(new DialEnded(target, number, outcome))),
                "dial-" + number);
    dials.put(target, new Dialling(number, dial));
    getContext().watchWith(dial, new DialStopped(target, number));
  }

  private Behavior<Command> onDialEnded(DialEnded ended) {
    PeerId peer = ended.target().peer();
    ConnectionInfo connection = ended.outcome().connection();
    HostFailure failure = ended.outcome().failure();
    if (connection != null) {
      // The host's own event may still be in the mailbox; whoever is told must find the peer
      // connected.
      onOpened(connection);
      if (ledger.remotes.containsKey(connection.peer())) {
        answer(ended.target(), new Connected(connection.peer(), connection.remoteAddress()));
      } else {
        failure =
            new HostFailure(
                HostFailure.Kind.CONNECTION_LOST,
                "the connection to " + connection.peer() + " was lost as soon as it was made");
      }
    }
    if (failure != null && isUnderWay(ended.target(), ended.number())) {
      answer(ended.target(), new ConnectFailed(peer, failure));
    }
    return this;
  }

  private Behavior<Command> onDialStopped(DialStopped stopped) {
    if (isUnderWay(stopped.target(), stopped.number())) {
      dials.remove(stopped.target());
      answer(
          stopped.target(),
          new ConnectFailed(stopped.target().peer(), cancelled("the dial was cut short")));
      startWaitingDials();
    }
    return this;
  }

  private boolean isUnderWay(Target target, long number) {
    Dialling dialling = dials.get(target);
    return dialling != null && dialling.number() == number;
  }

  private void startWaitingDials() {
    while (dials.size() < settings.maxDials() && !waitingDials.isEmpty()) {
      WaitingDial next = waitingDials.remove();
      startDial(next.target(), next.addresses());
    }
  }

  /** Nobody waits for this dial any more, wherever it stands: the next one asked for is another. */
  private void callOff(Target target) {
    given.remove(target);
    waitingDials.removeIf(waiting -> waiting.target().equals(target));
    Dialling dialling = dials.remove(target);
    if (dialling != null) {
      getContext().stop(dialling.dial());
      startWaitingDials();
    }
  }

  private Behavior<Command> onPostStop() {
    HostFailure closed = new HostFailure(HostFailure.Kind.CLOSED, "the peer stops");
    answerAll(target -> new ConnectFailed(target.peer(), closed));
    return this;
  }

  private void answerAll(Function<Target, ConnectReply> reply) {
    new ArrayList<>(ledger.waiters.keySet()).forEach(target -> answer(target, reply.apply(target)));
  }

  private void answer(Target target, ConnectReply reply) {
    List<ActorRef<ConnectReply>> waiters = ledger.waiters.remove(target);
    if (waiters != null) {
      waiters.forEach(waiter -> waiter.tell(reply));
    }
  }

  private static HostFailure cancelled(String message) {
    return new HostFailure(HostFailure.Kind.CANCELLED, message);
  }

  private Behavior<Command> onDisconnect(Disconnect disconnect) {
    PeerId peer = disconnect.peer();
    Target target = new Target(peer, null);
    boolean wasDialled = ledger.waiters.containsKey(target);
    callOff(target);
    answer(target, new ConnectFailed(peer, cancelled("disconnected on request")));
    Remote remote = ledger.remotes.get(peer);
    if (remote != null) {
      remote.connections.keySet().forEach(id -> host.disconnect(id, "disconnected on request"));
    }
    disconnect.replyTo().tell(new DisconnectReply(peer, remote != null || wasDialled));
    return this;
  }

  private Behavior<Command> onWithdraw(Withdraw withdraw) {
    Target target = new Target(withdraw.peer(), null);
    List<ActorRef<ConnectReply>> waiters = ledger.waiters.get(target);
    if (waiters != null && waiters.remove(withdraw.replyTo()) && waiters.isEmpty()) {
      ledger.waiters.remove(target);
      callOff(target);
    }
    return this;
  }

  private Behavior<Command> onGetConnected(GetConnected get) {
    List<ConnectedPeer> peers = new ArrayList<>();
    ledger.remotes.forEach(
        (peer, remote) ->
            peers.add(
                new ConnectedPeer(
                    peer,
                    remote.oldest().remoteAddress(),
                    remote.oldest().direction(),
                    remote.connections.size(),
                    remote.identification)));
    get.replyTo().tell(new ConnectedPeers(peers));
    return this;
  }

  // ---- who hears, who stays

  private Behavior<Command> onSubscribe(Subscribe subscribe) {
    ActorRef<ConnectionsEvent> subscriber = subscribe.subscriber();
    ActorRef<SubscribeReply> replyTo = subscribe.replyTo();
    if (!ledger.subscribers.containsKey(subscriber)) {
      if (replyTo != null && ledger.subscribers.size() >= MAX_SUBSCRIBERS) {
        replyTo.tell(new SubscribeRefused(ledger.subscribers.size() + " subscribe already"));
        return this;
      }
      ledger.subscribers.put(subscriber, subscribe.from());
      getContext().watchWith(subscriber, new SubscriberGone(subscriber));
    }
    if (replyTo != null) {
      replyTo.tell(new Subscribed());
    }
    ledger.remotes.forEach((peer, remote) -> introduce(peer, remote, subscriber, subscribe.from()));
    return this;
  }

  private static void introduce(
      PeerId peer, Remote remote, ActorRef<ConnectionsEvent> subscriber, From from) {
    ConnectionInfo oldest = remote.oldest();
    if (from == From.CONNECTED) {
      subscriber.tell(new PeerConnected(peer, oldest.remoteAddress(), oldest.direction()));
    }
    if (remote.identification != null) {
      subscriber.tell(new PeerIdentified(peer, oldest.direction(), remote.identification));
    }
  }

  private Behavior<Command> onWatch(Watch watch) {
    ActorRef<ConnectionsEvent> watcher = watch.watcher();
    if (ledger
        .watchers
        .computeIfAbsent(watch.peer(), unused -> new LinkedHashSet<>())
        .add(watcher)) {
      getContext().watchWith(watcher, new SubscriberGone(watcher));
    }
    Remote remote = ledger.remotes.get(watch.peer());
    if (remote != null) {
      introduce(watch.peer(), remote, watcher, From.CONNECTED);
    }
    return this;
  }

  private Behavior<Command> onSubscriberGone(SubscriberGone gone) {
    ledger.subscribers.remove(gone.subscriber());
    ledger.watchers.values().forEach(watchers -> watchers.remove(gone.subscriber()));
    ledger.watchers.values().removeIf(Set::isEmpty);
    return this;
  }

  private Behavior<Command> onProtect(Protect protect) {
    Set<String> tags = ledger.protections.get(protect.peer());
    if (tags == null && ledger.protections.size() < MAX_TAGGED_PEERS) {
      tags = new LinkedHashSet<>();
      ledger.protections.put(protect.peer(), tags);
    }
    if (tags == null || (tags.size() >= MAX_TAGS_PER_PEER && !tags.contains(protect.tag()))) {
      getContext().getLog().warn("too many protections: {} for {}", protect.tag(), protect.peer());
    } else {
      tags.add(protect.tag());
    }
    return this;
  }

  private Behavior<Command> onUnprotect(Unprotect unprotect) {
    Set<String> tags = ledger.protections.get(unprotect.peer());
    if (tags != null && tags.remove(unprotect.tag()) && tags.isEmpty()) {
      ledger.protections.remove(unprotect.peer());
    }
    return this;
  }

  private Behavior<Command> onTag(Tag tag) {
    tag(tag.peer(), tag.tag(), tag.weight());
    return this;
  }

  private Behavior<Command> onUntag(Untag untag) {
    untag(untag.peer(), untag.tag());
    return this;
  }

  private Behavior<Command> onTagExactly(TagExactly exactly) {
    Set<PeerId> wanted = new LinkedHashSet<>(exactly.peers());
    for (PeerId peer : List.copyOf(ledger.tags.keySet())) {
      if (!wanted.contains(peer)) {
        untag(peer, exactly.tag());
      }
    }
    wanted.forEach(peer -> tag(peer, exactly.tag(), exactly.weight()));
    return this;
  }

  private void tag(PeerId peer, String tag, int weight) {
    Map<String, Integer> tags = ledger.tags.get(peer);
    if (tags == null && ledger.tags.size() < MAX_TAGGED_PEERS) {
      tags = new LinkedHashMap<>();
      ledger.tags.put(peer, tags);
    }
    if (tags == null || (tags.size() >= MAX_TAGS_PER_PEER && !tags.containsKey(tag))) {
      getContext().getLog().debug("too many tags: {} for {}", tag, peer);
    } else {
      tags.put(tag, weight);
    }
  }

  private void untag(PeerId peer, String tag) {
    Map<String, Integer> tags = ledger.tags.get(peer);
    if (tags != null && tags.remove(tag) != null && tags.isEmpty()) {
      ledger.tags.remove(peer);
    }
  }

  /** How many times the upper mark of inbound connections there may be while they are young. */
  static final int YOUNG_FACTOR = 2;

  private Behavior<Command> onTrimDue() {
    trim();
    return this;
  }

  /**
   * Closes what is too much and may be closed. While there is still too much, the timer runs: it
   * tries again when the young have grown old and the weights have changed.
   */
  private void trim() {
    trim(settings.inboundHighWater(), settings.inboundLowWater(), inbound, Standing::isInbound);
    trim(settings.highWater(), settings.lowWater(), standing, connection -> true);
    if (inbound > settings.inboundHighWater() || standing > settings.highWater()) {
      timers.startSingleTimer(new TrimDue(), settings.trimInterval());
    }
  }

  private void trim(int highWater, int lowWater, int count, Predicate<Standing> which) {
    if (count <= highWater) {
      return;
    }
    long youngSince = ticker.nanos() - settings.grace().toNanos();
    List<Trimming.Candidate> candidates = new ArrayList<>();
    ledger.remotes.forEach(
        (peer, remote) -> {
          if (ledger.protections.containsKey(peer)) {
            return;
          }
          Map<String, Integer> tags = ledger.tags.getOrDefault(peer, Map.of());
          long weight = tags.values().stream().mapToLong(Integer::longValue).sum();
          for (Standing connection : remote.connections.values()) {
            if (!connection.trimmed
                && which.test(connection)
                && connection.openedAtNanos - youngSince <= 0) {
              candidates.add(
                  new Trimming.Candidate(
                      connection.info.id(),
                      connection.info.direction(),
                      connection.openedAtNanos,
                      !tags.isEmpty(),
                      weight));
            }
          }
        });
    Set<ConnectionId> chosen = new LinkedHashSet<>(Trimming.choose(candidates, count - lowWater));
    ledger.remotes.values().stream()
        .flatMap(remote -> remote.connections.values().stream())
        .filter(connection -> chosen.contains(connection.info.id()))
        .forEach(
            connection -> {
              count(connection, -1);
              connection.trimmed = true;
            });
    chosen.forEach(id -> host.disconnect(id, "trimmed: too many connections"));
  }

  /** One more or one less that stands, unless it has been told to close and counts no more. */
  private void count(Standing connection, int change) {
    if (!connection.trimmed) {
      standing += change;
      inbound += connection.isInbound() ? change : 0;
    }
  }

  /**
   * Whether a remote has opened this one beyond the places for such, and nobody here wants it: the
   * others are protected, or as young.
   */
  private boolean isOneTooMany(ConnectionInfo connection) {
    PeerId peer = connection.peer();
    return connection.direction() == Direction.INBOUND
        && !ledger.protections.containsKey(peer)
        && !ledger.tags.containsKey(peer)
        && !ledger.waiters.containsKey(new Target(peer, null))
        && inbound > settings.inboundHighWater() * YOUNG_FACTOR;
  }

  // ---- what the host says

  private Behavior<Command> onHostHeard(HostHeard heard) {
    HostEvent event = heard.event();
    if (event instanceof HostEvent.Connected connected) {
      onOpened(connected.connection());
    } else if (event instanceof HostEvent.Identified identified) {
      onIdentified(identified);
    } else if (event instanceof HostEvent.Disconnected disconnected) {
      onEnded(disconnected);
    }
    return this;
  }

  private void onOpened(ConnectionInfo connection) {
    PeerId peer = connection.peer();
    Remote remote = ledger.remotes.get(peer);
    if (remote != null && remote.connections.containsKey(connection.id())) {
      return; // The host's event and the end of our dial both tell of it.
    }
    if (host.connections(peer).stream().noneMatch(open -> open.id().equals(connection.id()))) {
      // Either can reach the mailbox after the connection has come and gone.
      return;
    }
    boolean first = remote == null;
    if (remote == null) {
      remote = new Remote();
      ledger.remotes.put(peer, remote);
    }
    Standing added = new Standing(connection, ticker.nanos());
    remote.connections.put(connection.id(), added);
    count(added, 1);
    learnReached(connection);
    trimUnlessTried();
    if (isOneTooMany(connection)) {
      remote.connections.remove(connection.id());
      count(added, -1);
      if (first) {
        ledger.remotes.remove(peer);
      }
      host.disconnect(connection.id(), "the places for inbound connections are taken");
      return;
    }
    if (!first) {
      mindSurplus(peer, remote);
      return;
    }
    publish(new PeerConnected(peer, connection.remoteAddress(), connection.direction()));
    answer(new Target(peer, null), new Connected(peer, connection.remoteAddress()));
    callOff(new Target(peer, null));
  }

  /** Who cannot be trimmed now is tried again by the timer, not at each arrival. */
  private void trimUnlessTried() {
    if (!timers.isTimerActive(new TrimDue())) {
      trim();
    }
  }

  private void onIdentified(HostEvent.Identified identified) {
    Remote remote = ledger.remotes.get(identified.connection().peer());
    if (remote != null && remote.connections.containsKey(identified.connection().id())) {
      remote.identification = identified.identification();
      learnSaid(identified.connection().peer(), identified.identification());
      publish(
          new PeerIdentified(
              identified.connection().peer(),
              remote.oldest().direction(),
              identified.identification()));
    }
  }

  private void onEnded(HostEvent.Disconnected disconnected) {
    ConnectionInfo connection = disconnected.connection();
    Remote remote = ledger.remotes.get(connection.peer());
    Standing removed = remote == null ? null : remote.connections.remove(connection.id());
    if (remote == null || removed == null) {
      return;
    }
    count(removed, -1);
    if (!remote.connections.isEmpty()) {
      mindSurplus(connection.peer(), remote);
      return;
    }
    forget(removed, disconnected.reason());
  }

  /** Teaches the address book where we have reached a peer. */
  private void learnReached(ConnectionInfo connection) {
    if (connection.direction() == Direction.OUTBOUND) {
      List<Multiaddr> dialled = List.of(connection.remoteAddress());
      learn(connection.peer(), dialled, AddressBook.Source.CONNECTED);
    }
  }

  /** Teaches the address book where a peer says that it listens. */
  private void learnSaid(PeerId peer, Identification identification) {
    learn(
        peer,
        identification.listenAddresses(),
        identification.certified() ? AddressBook.Source.CERTIFIED : AddressBook.Source.IDENTIFIED);
  }

  private void learn(PeerId peer, List<Multiaddr> addresses, AddressBook.Source source) {
    addressBook.tell(new AddressBook.Learn(peer, addresses, source, settings.addressTimeToLive()));
  }

  private void forget(Standing ended, HostFailure reason) {
    ConnectionInfo last = ended.info;
    Remote remote = ledger.remotes.remove(last.peer());
    long stoodNanos = ticker.nanos() - ended.openedAtNanos;
    if (stoodNanos > settings.addressTimeToLive().toNanos() / 2) {
      // Much of what the address book was told when it began is forgotten there, or soon will be.
      learnReached(last);
      if (remote != null && remote.identification != null) {
        learnSaid(last.peer(), remote.identification);
      }
    }
    stopMinding(last.peer());
    publish(new PeerDisconnected(last.peer(), last.remoteAddress(), last.direction(), reason));
  }

  private void publish(ConnectionsEvent event) {
    ledger.subscribers.forEach(
        (subscriber, from) -> {
          if (from == From.CONNECTED || !(event instanceof PeerConnected)) {
            subscriber.tell(event);
          }
        });
    Set<ActorRef<ConnectionsEvent>> watchers = ledger.watchers.get(event.peer());
    if (watchers != null) {
      watchers.forEach(watcher -> watcher.tell(event));
    }
  }

  /** Has what is surplus looked after, where that is for this side to do. */
  private void mindSurplus(PeerId peer, Remote remote) {
    if (remote.connections.size() < 2 || host.peerId().compareTo(peer) > 0) {
      stopMinding(peer);
      return;
    }
    ActorRef<Connection.Command> child = children.get(peer);
    if (child != null) {
      child.tell(new Connection.Changed());
      return;
    }
    children.put(
        peer,
        getContext()
            .spawn(
                Behaviors.supervise(Connection.create(settings, host, peer))
                    .onFailure(SupervisorStrategy.restart()),
                "connection-" + peer + "-" + names++));
  }

  private void stopMinding(PeerId peer) {
    ActorRef<Connection.Command> child = children.remove(peer);
    if (child != null) {
      getContext().stop(child);
    }
  }

  /**
   * After a crash: answers those whose dials went with it, and brings the picture up to date with
   * the host.
   */
  private void recover() {
    answerAll(target -> new ConnectFailed(target.peer(), cancelled("connections restarted")));
    Set<ActorRef<ConnectionsEvent>> told = new LinkedHashSet<>(ledger.subscribers.keySet());
    ledger.watchers.values().forEach(told::addAll);
    told.forEach(subscriber -> getContext().watchWith(subscriber, new SubscriberGone(subscriber)));
    Set<ConnectionId> open = new LinkedHashSet<>();
    host.connections().forEach(connection -> open.add(connection.id()));
    for (Map.Entry<PeerId, Remote> entry : new ArrayList<>(ledger.remotes.entrySet())) {
      Remote remote = entry.getValue();
      Standing oldest = remote.connections.firstEntry().getValue();
      remote.connections.keySet().retainAll(open);
      if (remote.connections.isEmpty()) {
        forget(oldest, new HostFailure(HostFailure.Kind.CONNECTION_LOST, "lost meanwhile"));
      } else {
        remote.connections.values().forEach(connection -> count(connection, 1));
        mindSurplus(entry.getKey(), remote);
      }
    }
    host.connections().forEach(this::onOpened);
  }
}
