package dev.troupe.actors.connections;

import static java.util.Objects.requireNonNull;

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
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Which peers this one is connected to, and should be.
 *
 * <p><b>Owns</b> the picture of who is connected, and one dial a peer at a time. <b>Parent</b>: the
 * peer. <b>Children</b>: a {@link Dial} for each dial under way, a {@link Connection} for each
 * connected remote. <b>States</b>: one.
 *
 * <p><b>Who sends what</b>: the peer passes on the host's events ({@link HostHeard}); the DHT,
 * gossip, virtual connections and the user ask for connections; whoever subscribed hears of each
 * peer connected, identified and disconnected, in that order.
 *
 * <p><b>Limits</b>: {@link ConnectionsSettings}. Beyond {@code maxDials}, dials wait their turn;
 * beyond {@code maxWaitingDials} they are refused. Beyond {@code highWater} connected peers, those
 * that nobody protects go, the lowest weight first.
 *
 * <p><b>Timers</b>: none of its own (a dial has its budget). <b>A crash loses</b> dials under way:
 * all who wait for one are answered {@code CANCELLED}. Subscribers, protections, tags and who is
 * connected survive, so subscribers notice nothing.
 */
public final class Connections extends AbstractBehavior<Connections.Command> {

  /** What connections is told. */
  public sealed interface Command {}

  /**
   * Asks to be connected to a peer: answered at once when it is, otherwise after one dial of all
   * its known addresses. Whoever asks while that dial is under way shares it.
   *
   * @param addresses where to dial beside what the address book knows, without {@code /p2p}; may be
   *     empty
   */
  public record Connect(PeerId peer, List<Multiaddr> addresses, ActorRef<ConnectReply> replyTo)
      implements Command {
    public Connect {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * Asks to dial one address, whoever answers there, or the peer that its {@code /p2p} names: that
   * is {@link Connect} with this address.
   */
  public record ConnectTo(Multiaddr address, ActorRef<ConnectReply> replyTo) implements Command {}

  /** Asks to close all connections to a peer and to call off its dial. */
  public record Disconnect(PeerId peer, ActorRef<DisconnectReply> replyTo) implements Command {}

  /** Asks who is connected. */
  public record GetConnected(ActorRef<ConnectedPeers> replyTo) implements Command {}

  /**
   * Asks to hear of every {@link ConnectionsEvent} from now on; those who are connected already are
   * told first, as events. Ends when the subscriber does.
   */
  public record Subscribe(ActorRef<ConnectionsEvent> subscriber) implements Command {}

  /**
   * Keeps the connections to a peer from being trimmed, for as long as at least one tag protects
   * them.
   */
  public record Protect(PeerId peer, String tag) implements Command {}

  /** Takes one protection back. */
  public record Unprotect(PeerId peer, String tag) implements Command {}

  /**
   * Gives a peer a weight under a tag; where connections must be trimmed, the lowest sums go first.
   */
  public record Tag(PeerId peer, String tag, int weight) implements Command {}

  /** Takes one tag back. */
  public record Untag(PeerId peer, String tag) implements Command {}

  /** The host's listener says this; nobody else does. */
  public record HostHeard(HostEvent event) implements Command {}

  private record AddressesFound(Target target, List<Multiaddr> addresses) implements Command {}

  private record DialEnded(Target target, Dial.Ended outcome) implements Command {}

  private record DialStopped(Target target, ActorRef<Dial.Command> dial) implements Command {}

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
                          new Connections(context, settings, ticker, host, addressBook, ledger)))
              .onFailure(SupervisorStrategy.restart());
        });
  }

  /** What a restart must not lose. */
  private static final class Ledger {
    final Set<ActorRef<ConnectionsEvent>> subscribers = new LinkedHashSet<>();
    final Map<PeerId, Remote> remotes = new LinkedHashMap<>();
    final Map<PeerId, Set<String>> protections = new LinkedHashMap<>();
    final Map<PeerId, Map<String, Integer>> tags = new LinkedHashMap<>();
    final Map<Target, List<ActorRef<ConnectReply>>> waiters = new LinkedHashMap<>();
  }

  /** One connected peer. */
  private static final class Remote {
    final TreeMap<ConnectionId, ConnectionInfo> connections = new TreeMap<>();
    final long connectedAtNanos;
    @Nullable Identification identification;

    Remote(long connectedAtNanos) {
      this.connectedAtNanos = connectedAtNanos;
    }

    ConnectionInfo oldest() {
      return connections.firstEntry().getValue();
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

  private record WaitingDial(Target target, List<Multiaddr> addresses) {}

  private final ConnectionsSettings settings;
  private final Ticker ticker;
  private final Host host;
  private final ActorRef<AddressBook.Command> addressBook;
  private final Ledger ledger;
  private final Map<PeerId, ActorRef<Connection.Command>> children = new LinkedHashMap<>();
  private final Map<Target, ActorRef<Dial.Command>> dials = new LinkedHashMap<>();

  /** The addresses that came with a request, while the address book is asked for more. */
  private final Map<Target, List<Multiaddr>> given = new LinkedHashMap<>();

  private final Deque<WaitingDial> waitingDials = new ArrayDeque<>();
  private long names;

  private Connections(
      ActorContext<Command> context,
      ConnectionsSettings settings,
      Ticker ticker,
      Host host,
      ActorRef<AddressBook.Command> addressBook,
      Ledger ledger) {
    super(context);
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
        .onMessage(Disconnect.class, this::onDisconnect)
        .onMessage(GetConnected.class, this::onGetConnected)
        .onMessage(Subscribe.class, this::onSubscribe)
        .onMessage(Protect.class, this::onProtect)
        .onMessage(Unprotect.class, this::onUnprotect)
        .onMessage(Tag.class, this::onTag)
        .onMessage(Untag.class, this::onUntag)
        .onMessage(HostHeard.class, this::onHostHeard)
        .onMessage(AddressesFound.class, this::onAddressesFound)
        .onMessage(DialEnded.class, this::onDialEnded)
        .onMessage(DialStopped.class, this::onDialStopped)
        .onMessage(SubscriberGone.class, this::onSubscriberGone)
        .onSignal(PostStop.class, stop -> onPostStop())
        .build();
  }

  // ---- asking for connections

  private Behavior<Command> onConnect(Connect connect) {
    connect(connect.peer(), connect.addresses(), connect.replyTo());
    return this;
  }

  private Behavior<Command> onConnectTo(ConnectTo connectTo) {
    PeerId named = connectTo.address().peerId();
    if (named != null) {
      connect(named, List.of(connectTo.address()), connectTo.replyTo());
    } else if (join(new Target(null, connectTo.address()), null, connectTo.replyTo())) {
      startDial(new Target(null, connectTo.address()), List.of(connectTo.address()));
    }
    return this;
  }

  private void connect(PeerId peer, List<Multiaddr> addresses, ActorRef<ConnectReply> replyTo) {
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
                  AddressBook.Found.class,
                  f -> new AddressesFound(new Target(f.peer(), null), f.addresses()));
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
    List<Multiaddr> first = given.remove(found.target());
    if (!ledger.waiters.containsKey(found.target())) {
      return this;
    }
    Set<Multiaddr> all = new LinkedHashSet<>();
    if (first != null) {
      first.forEach(address -> all.add(address.withoutPeer()));
    }
    all.addAll(found.addresses());
    startDial(found.target(), all.stream().limit(settings.maxAddressesPerDial()).toList());
    return this;
  }

  private void startDial(Target target, List<Multiaddr> addresses) {
    if (dials.size() >= settings.maxDials()) {
      waitingDials.add(new WaitingDial(target, addresses));
      return;
    }
    ActorRef<Command> self = getContext().getSelf();
    ActorRef<Dial.Command> dial =
        getContext()
            .spawn(
                Dial.create(
                    settings,
                    host,
                    target.peer(),
                    addresses,
                    outcome -> self.tell(new DialEnded(target, outcome))),
                "dial-" + names++);
    dials.put(target, dial);
    getContext().watchWith(dial, new DialStopped(target, dial));
  }

  private Behavior<Command> onDialEnded(DialEnded ended) {
    PeerId peer = ended.target().peer();
    ConnectionInfo connection = ended.outcome().connection();
    HostFailure failure = ended.outcome().failure();
    if (connection != null) {
      // The host's own event may still be in the mailbox; whoever is told must find the peer
      // connected.
      onOpened(connection);
      answer(ended.target(), new Connected(connection.peer(), connection.remoteAddress()));
    } else if (failure != null) {
      answer(ended.target(), new ConnectFailed(peer, failure));
    }
    return this;
  }

  private Behavior<Command> onDialStopped(DialStopped stopped) {
    if (dials.remove(stopped.target(), stopped.dial())) {
      answer(
          stopped.target(),
          new ConnectFailed(stopped.target().peer(), cancelled("the dial was cut short")));
    }
    WaitingDial next = waitingDials.poll();
    while (next != null && !ledger.waiters.containsKey(next.target())) {
      // Its peer has connected meanwhile.
      next = waitingDials.poll();
    }
    if (next != null) {
      startDial(next.target(), next.addresses());
    }
    return this;
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
    waitingDials.removeIf(waiting -> waiting.target().equals(target));
    ActorRef<Dial.Command> dial = dials.get(target);
    if (dial != null) {
      getContext().stop(dial);
    }
    answer(target, new ConnectFailed(peer, cancelled("disconnected on request")));
    Remote remote = ledger.remotes.get(peer);
    if (remote != null) {
      remote.connections.keySet().forEach(id -> host.disconnect(id, "disconnected on request"));
    }
    disconnect.replyTo().tell(new DisconnectReply(peer, remote != null || dial != null));
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
    if (ledger.subscribers.add(subscriber)) {
      getContext().watchWith(subscriber, new SubscriberGone(subscriber));
    }
    ledger.remotes.forEach(
        (peer, remote) -> {
          ConnectionInfo oldest = remote.oldest();
          subscriber.tell(new PeerConnected(peer, oldest.remoteAddress(), oldest.direction()));
          if (remote.identification != null) {
            subscriber.tell(new PeerIdentified(peer, remote.identification));
          }
        });
    return this;
  }

  private Behavior<Command> onSubscriberGone(SubscriberGone gone) {
    ledger.subscribers.remove(gone.subscriber());
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
    Map<String, Integer> tags = ledger.tags.get(tag.peer());
    if (tags == null && ledger.tags.size() < MAX_TAGGED_PEERS) {
      tags = new LinkedHashMap<>();
      ledger.tags.put(tag.peer(), tags);
    }
    if (tags == null || (tags.size() >= MAX_TAGS_PER_PEER && !tags.containsKey(tag.tag()))) {
      getContext().getLog().warn("too many tags: {} for {}", tag.tag(), tag.peer());
    } else {
      tags.put(tag.tag(), tag.weight());
    }
    return this;
  }

  private Behavior<Command> onUntag(Untag untag) {
    Map<String, Integer> tags = ledger.tags.get(untag.peer());
    if (tags != null && tags.remove(untag.tag()) != null && tags.isEmpty()) {
      ledger.tags.remove(untag.peer());
    }
    return this;
  }

  private void trim() {
    if (ledger.remotes.size() <= settings.highWater()) {
      return;
    }
    long now = ticker.nanos();
    List<PeerId> candidates = new ArrayList<>();
    ledger.remotes.forEach(
        (peer, remote) -> {
          if (!ledger.protections.containsKey(peer)
              && now - remote.connectedAtNanos >= settings.grace().toNanos()) {
            candidates.add(peer);
          }
        });
    candidates.sort(Comparator.comparingLong(this::weight));
    candidates.stream()
        .limit(ledger.remotes.size() - settings.lowWater())
        .flatMap(peer -> requireNonNull(ledger.remotes.get(peer)).connections.keySet().stream())
        .forEach(id -> host.disconnect(id, "trimmed: too many connections"));
  }

  private long weight(PeerId peer) {
    return ledger.tags.getOrDefault(peer, new LinkedHashMap<>()).values().stream()
        .mapToLong(Integer::longValue)
        .sum();
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
    if (remote != null) {
      if (remote.connections.put(connection.id(), connection) == null) {
        requireNonNull(children.get(peer)).tell(new Connection.Changed());
      }
      return;
    }
    if (host.connections().stream().noneMatch(open -> open.id().equals(connection.id()))) {
      // A dial's success can reach the mailbox after its connection has come and gone.
      return;
    }
    remote = new Remote(ticker.nanos());
    remote.connections.put(connection.id(), connection);
    ledger.remotes.put(peer, remote);
    spawnConnection(peer);
    publish(new PeerConnected(peer, connection.remoteAddress(), connection.direction()));
    answer(new Target(peer, null), new Connected(peer, connection.remoteAddress()));
    ActorRef<Dial.Command> dial = dials.get(new Target(peer, null));
    if (dial != null) {
      getContext().stop(dial);
    }
    trim();
  }

  private void onIdentified(HostEvent.Identified identified) {
    Remote remote = ledger.remotes.get(identified.connection().peer());
    if (remote != null && remote.connections.containsKey(identified.connection().id())) {
      remote.identification = identified.identification();
      publish(new PeerIdentified(identified.connection().peer(), identified.identification()));
    }
  }

  private void onEnded(HostEvent.Disconnected disconnected) {
    ConnectionInfo connection = disconnected.connection();
    Remote remote = ledger.remotes.get(connection.peer());
    if (remote == null || remote.connections.remove(connection.id()) == null) {
      return;
    }
    if (!remote.connections.isEmpty()) {
      requireNonNull(children.get(connection.peer())).tell(new Connection.Changed());
      return;
    }
    forget(connection, disconnected.reason());
  }

  private void forget(ConnectionInfo last, HostFailure reason) {
    ledger.remotes.remove(last.peer());
    ActorRef<Connection.Command> child = children.remove(last.peer());
    if (child != null) {
      getContext().stop(child);
    }
    publish(new PeerDisconnected(last.peer(), last.remoteAddress(), last.direction(), reason));
  }

  private void publish(ConnectionsEvent event) {
    ledger.subscribers.forEach(subscriber -> subscriber.tell(event));
  }

  private void spawnConnection(PeerId peer) {
    ActorRef<Connection.Command> child =
        getContext()
            .spawn(
                Behaviors.supervise(Connection.create(settings, host, peer))
                    .onFailure(SupervisorStrategy.restart()),
                "connection-" + peer + "-" + names++);
    children.put(peer, child);
  }

  /**
   * After a crash: answers those whose dials went with it, and brings the picture up to date with
   * the host.
   */
  private void recover() {
    answerAll(target -> new ConnectFailed(target.peer(), cancelled("connections restarted")));
    ledger.subscribers.forEach(
        subscriber -> getContext().watchWith(subscriber, new SubscriberGone(subscriber)));
    Set<ConnectionId> open = new LinkedHashSet<>();
    host.connections().forEach(connection -> open.add(connection.id()));
    for (Map.Entry<PeerId, Remote> entry : new ArrayList<>(ledger.remotes.entrySet())) {
      Remote remote = entry.getValue();
      ConnectionInfo oldest = remote.oldest();
      remote.connections.keySet().retainAll(open);
      if (remote.connections.isEmpty()) {
        forget(oldest, new HostFailure(HostFailure.Kind.CONNECTION_LOST, "lost meanwhile"));
      } else {
        spawnConnection(entry.getKey());
      }
    }
    host.connections().forEach(this::onOpened);
  }
}
