package dev.troupe.actors.peer;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.dht.Readiness;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.health.Health;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.names.Resolution;
import dev.troupe.actors.perf.Perf;
import dev.troupe.actors.ping.Ping;
import dev.troupe.actors.presence.Presence;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.multistream.ProtocolId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * One libp2p peer: one identity, and all actors that serve it. The only address that an embedder
 * needs: what is meant for a child goes through it, made by the factory methods of this class.
 *
 * <p><b>Owns</b> the host and the store. <b>Parent</b>: {@link
 * dev.troupe.actors.peermanager.PeerManager}, or whoever spawns it. <b>Children</b>: address book,
 * connections, bootstrap pool, DHT, health, gossip, virtual connections, presence, and a
 * short-lived one for each ping, perf, opening of a stream and dial of a {@code /dnsaddr}.
 *
 * <p><b>States</b>: opening, where something is to outlive the peer (messages wait in a stash until
 * the store is open), then listening (they wait on until every listen address is bound), then
 * running, then stopping (the children answer what is open; then the host closes, then the store;
 * then this actor stops). A store that cannot be opened, or a listen address that cannot be bound,
 * stops it at once.
 *
 * <p><b>Who sends what</b>: the embedder sends commands; whoever made it hears {@link Listening} or
 * {@link StoreFailed} or {@link ListenFailed} once, and at last {@link Ended}. <b>Limits</b>:
 * {@value #STASH} messages while opening and listening, a further one is refused; {@value
 * #MAX_ERRANDS} of these short-lived ones at once, and {@value #MAX_ACCEPTORS} acceptors of
 * streams, a further one is refused. <b>Timers</b>: the end is forced 5 s after the stop; idle ping
 * streams are looked for once a minute. <b>A crash loses</b> the whole peer: its children restart
 * by themselves, and this actor, which only passes messages on, is not restarted; its parent
 * notices.
 */
public final class Peer {

  /** What a peer is told; made by the factory methods of {@link Peer}. */
  public sealed interface Command {}

  private record ToConnections(Connections.Command command) implements Command {}

  private record ToDht(Dht.Command command) implements Command {}

  private record ToGossip(Gossip.Command command) implements Command {}

  private record ToHealth(Health.Command command) implements Command {}

  private record ToVirtualConnections(VirtualConnections.Command command) implements Command {}

  private record ToPresence(Presence.Command command) implements Command {}

  private record GetInfo(ActorRef<Info> replyTo) implements Command {}

  private record DoPing(PeerId peer, int count, Duration budget, ActorRef<PingReply> replyTo)
      implements Command {}

  private record DoPerf(
      PeerId peer,
      long uploadBytes,
      long downloadBytes,
      Duration budget,
      ActorRef<PerfReply> replyTo)
      implements Command {}

  private record OpenStream(
      PeerId peer, List<ProtocolId> protocols, Duration budget, ActorRef<OpenStreamReply> replyTo)
      implements Command {}

  private record AcceptStreams(
      ProtocolId protocol, ActorRef<StreamAccepted> acceptor, ActorRef<AcceptStreamsReply> replyTo)
      implements Command {}

  private record AcceptorEnded(ProtocolId protocol, ActorRef<StreamAccepted> acceptor)
      implements Command {}

  private record Stop() implements Command {}

  private record Bound() implements Command {}

  private record BindFailed(HostFailure failure) implements Command {}

  private record HostClosed() implements Command {}

  private record StoreOpened(Store store) implements Command {}

  private record StoreNotOpened(StoreFailure failure) implements Command {}

  private record StoreClosed() implements Command {}

  private record EndForced() implements Command {}

  private record EndIdlePings() implements Command {}

  /** How starting went, and that all is over. */
  public sealed interface Started {}

  /**
   * The peer runs.
   *
   * @param addresses where it can be dialled, each with {@code /p2p}
   */
  public record Listening(PeerId peer, List<Multiaddr> addresses) implements Started {
    public Listening {
      addresses = List.copyOf(addresses);
    }
  }

  /** What the peer has kept cannot be opened; it stops, and has changed nothing. */
  public record StoreFailed(PeerId peer, StoreFailure failure) implements Started {}

  /** The peer cannot listen where it was told to, and stops. */
  public record ListenFailed(PeerId peer, HostFailure failure) implements Started {}

  /**
   * Nothing of the peer's host and its store is left, so that its identity and its ports are free.
   * After a crash, and where the end was forced, that is later than the end of the actor; and it is
   * never said where the host cannot be closed.
   */
  public record Ended(PeerId peer, ActorRef<Command> self) implements Started {}

  /** Who the peer is, and where it listens (each with {@code /p2p}). */
  public record Info(PeerId peer, List<Multiaddr> addresses) {
    public Info {
      addresses = List.copyOf(addresses);
    }
  }

  /** The outcome of a ping. */
  public sealed interface PingReply {}

  /** The round trips in nanoseconds, in order. */
  public record Pinged(PeerId peer, List<Long> roundTripNanos) implements PingReply {
    public Pinged {
      roundTripNanos = List.copyOf(roundTripNanos);
    }
  }

  /** The outcome of a perf. */
  public sealed interface PerfReply {}

  /** How long both halves took. */
  public record Measured(PeerId peer, Perf.Timing timing) implements PerfReply {}

  /** The outcome of opening a stream. */
  public sealed interface OpenStreamReply {}

  /** A stream that has not been started; the receiver's, to start or to reset. */
  public record StreamOpened(Stream stream) implements OpenStreamReply {}

  /** The ping, the perf or the opening of a stream came to nothing. */
  public record ErrandFailed(PeerId peer, HostFailure failure)
      implements PingReply, PerfReply, OpenStreamReply {}

  /** Whether streams of a protocol are accepted. */
  public sealed interface AcceptStreamsReply {}

  /** The acceptor hears of each stream that a remote opens, until it stops. */
  public record Accepting(ProtocolId protocol) implements AcceptStreamsReply {}

  /** The protocol is served already, or too many are. */
  public record AcceptingRefused(ProtocolId protocol, String reason)
      implements AcceptStreamsReply {}

  /** A remote opened a stream; it has not been started: the acceptor's, to start or to reset. */
  public record StreamAccepted(Stream stream) {}

  // ---- commands

  /** Asks to be connected to whoever is at an address, or behind a {@code /dnsaddr}. */
  public static Command connectTo(Multiaddr address, ActorRef<Connections.ConnectReply> replyTo) {
    return new ToConnections(new Connections.ConnectTo(address, replyTo));
  }

  /** Asks to be connected to a peer at its known addresses. */
  public static Command connect(PeerId peer, ActorRef<Connections.ConnectReply> replyTo) {
    return new ToConnections(new Connections.Connect(peer, List.of(), replyTo));
  }

  /** Asks to be disconnected from a peer. */
  public static Command disconnect(PeerId peer, ActorRef<Connections.DisconnectReply> replyTo) {
    return new ToConnections(new Connections.Disconnect(peer, replyTo));
  }

  /** Asks who is connected. */
  public static Command getConnected(ActorRef<Connections.ConnectedPeers> replyTo) {
    return new ToConnections(new Connections.GetConnected(replyTo));
  }

  /** Asks to hear who connects, identifies and disconnects, until the subscriber stops. */
  public static Command subscribeConnections(
      ActorRef<ConnectionsEvent> subscriber, ActorRef<Connections.SubscribeReply> replyTo) {
    return new ToConnections(new Connections.Subscribe(subscriber, replyTo));
  }

  /** Asks to hear the states of the DHT, until the subscriber stops. */
  public static Command subscribeDht(ActorRef<Dht.StateChanged> subscriber) {
    return new ToDht(new Dht.Subscribe(subscriber));
  }

  /** Asks for the state of the DHT. */
  public static Command getDhtState(ActorRef<Dht.StateChanged> replyTo) {
    return new ToDht(new Dht.GetState(replyTo));
  }

  /** Asks who is in the routing table of the DHT. */
  public static Command getDhtTable(ActorRef<Dht.Table> replyTo) {
    return new ToDht(new Dht.GetTable(replyTo));
  }

  /** Asks how many records the DHT holds. */
  public static Command getDhtRecords(ActorRef<Dht.Records> replyTo) {
    return new ToDht(new Dht.GetRecords(replyTo));
  }

  /** Asks how healthy the peer is. */
  public static Command getHealth(ActorRef<HealthReport> replyTo) {
    return new ToHealth(new Health.GetReport(replyTo));
  }

  /** Asks to hear of changes of health, failures of bootstrap peers and alerts. */
  public static Command subscribeHealth(ActorRef<Health.Event> subscriber) {
    return new ToHealth(new Health.Subscribe(subscriber));
  }

  /** Asks to dial all bootstrap peers again that cannot be reached. */
  public static Command retry(ActorRef<BootstrapPool.OfferReply> replyTo) {
    return new ToHealth(new Health.Retry(replyTo));
  }

  /** Asks to use the backups among the bootstrap peers now, and one more where it is given. */
  public static Command useBackup(
      @Nullable Multiaddr address, ActorRef<BootstrapPool.OfferReply> replyTo) {
    return new ToHealth(new Health.UseBackup(address, replyTo));
  }

  /** Asks to verify, step by step, that this peer and another (or any) find each other. */
  public static Command verify(@Nullable PeerId partner, ActorRef<Health.VerifyReply> replyTo) {
    return new ToHealth(new Health.Verify(partner, replyTo));
  }

  /** Asks whether values can be stored and found, trying for a while. */
  public static Command probeReadiness(ActorRef<Health.ProbeReply> replyTo) {
    return new ToHealth(new Health.ProbeReadiness(replyTo));
  }

  /** Asks to announce that this peer provides what a key names, as soon as the DHT is ready. */
  public static Command provide(Multihash key, ActorRef<Dht.ProvideReply> replyTo) {
    return new ToDht(new Dht.Provide(key, Readiness.UNTIL_GATE_OPENS, replyTo));
  }

  /** Asks to provide many keys without a lookup for each. */
  public static Command startProviding(
      List<Multihash> keys, ActorRef<Dht.StartProvidingReply> replyTo) {
    return new ToDht(new Dht.StartProviding(keys, replyTo));
  }

  /** Asks to provide a key no more. */
  public static Command stopProviding(Multihash key, ActorRef<Dht.StopProvidingReply> replyTo) {
    return new ToDht(new Dht.StopProviding(key, replyTo));
  }

  /** Asks who provides what a key names, as soon as the DHT is ready. */
  public static Command findProviders(
      Multihash key, int limit, ActorRef<Dht.FindProvidersReply> replyTo) {
    return new ToDht(new Dht.FindProviders(key, limit, Readiness.UNTIL_GATE_OPENS, replyTo));
  }

  /** Asks to store a value, as soon as the DHT is ready. */
  public static Command putValue(Bytes key, Bytes value, ActorRef<Dht.PutValueReply> replyTo) {
    return new ToDht(new Dht.PutValue(key, value, Readiness.UNTIL_GATE_OPENS, replyTo));
  }

  /** Asks for a value, as soon as the DHT is ready. */
  public static Command getValue(Bytes key, ActorRef<Dht.GetValueReply> replyTo) {
    return new ToDht(new Dht.GetValue(key, Readiness.UNTIL_GATE_OPENS, replyTo));
  }

  /**
   * Asks for a value that at least so many peers return one of, as soon as the DHT is ready.
   *
   * @param quorum see {@link Dht.GetValue}
   */
  public static Command getValue(Bytes key, int quorum, ActorRef<Dht.GetValueReply> replyTo) {
    return new ToDht(new Dht.GetValue(key, quorum, Readiness.UNTIL_GATE_OPENS, replyTo));
  }

  /** Asks for a peer's addresses, as soon as the DHT is ready. */
  public static Command findPeer(PeerId peer, ActorRef<Dht.FindPeerReply> replyTo) {
    return new ToDht(new Dht.FindPeer(peer, Readiness.UNTIL_GATE_OPENS, replyTo));
  }

  /** An operation of the DHT with a readiness budget of its own. */
  public static Command dht(Dht.Operation operation) {
    return new ToDht(operation);
  }

  /** Asks to hear a topic, until the subscriber stops or unsubscribes. */
  public static Command subscribe(
      String topic,
      ActorRef<Gossip.TopicEvent> subscriber,
      ActorRef<Gossip.SubscribeReply> replyTo) {
    return new ToGossip(new Gossip.Subscribe(topic, subscriber, replyTo));
  }

  /** Asks to hear a topic no more. */
  public static Command unsubscribe(
      String topic,
      ActorRef<Gossip.TopicEvent> subscriber,
      ActorRef<Gossip.UnsubscribeReply> replyTo) {
    return new ToGossip(new Gossip.Unsubscribe(topic, subscriber, replyTo));
  }

  /** Asks to publish to a topic. */
  public static Command publish(String topic, Bytes data, ActorRef<Gossip.PublishReply> replyTo) {
    return new ToGossip(new Gossip.Publish(topic, data, replyTo));
  }

  /** Asks who is subscribed to a topic. */
  public static Command getTopicPeers(String topic, ActorRef<Gossip.TopicPeers> replyTo) {
    return new ToGossip(new Gossip.GetTopicPeers(topic, replyTo));
  }

  /** Asks to receive what others send under a protocol. */
  public static Command startProtocol(
      ProtocolId protocol,
      ActorRef<VirtualConnections.Received> receiver,
      ActorRef<VirtualConnections.StartReply> replyTo) {
    return new ToVirtualConnections(new VirtualConnections.Start(protocol, receiver, replyTo));
  }

  /** Asks to receive nothing more under a protocol. */
  public static Command stopProtocol(
      ProtocolId protocol, ActorRef<VirtualConnections.StopReply> replyTo) {
    return new ToVirtualConnections(new VirtualConnections.Stop(protocol, replyTo));
  }

  /** Asks to send a message; answered after the remote's acknowledgement. */
  public static Command send(
      PeerId peer,
      ProtocolId protocol,
      Bytes data,
      ActorRef<VirtualConnections.SendReply> replyTo) {
    return new ToVirtualConnections(new VirtualConnections.Send(peer, protocol, data, replyTo));
  }

  /**
   * Asks to be found under an identity of an application, such as {@code /eth/0x…}, until that is
   * withdrawn.
   *
   * @param agentId for the application; may be empty
   * @param agentName for people; may be empty
   */
  public static Command announcePresence(
      String identity, String agentId, String agentName, ActorRef<Presence.AnnounceReply> replyTo) {
    return new ToPresence(new Presence.Announce(identity, agentId, agentName, replyTo));
  }

  /** Asks to be found under an identity no more. */
  public static Command withdrawPresence(String identity, ActorRef<Presence.Withdrawn> replyTo) {
    return new ToPresence(new Presence.Withdraw(identity, replyTo));
  }

  /** Asks which other peers are present under an identity, as soon as the DHT is ready. */
  public static Command findPresence(String identity, ActorRef<Presence.FindReply> replyTo) {
    return new ToPresence(new Presence.Find(identity, replyTo));
  }

  /** Asks under which identities this peer is to be found, and how that goes. */
  public static Command getPresence(ActorRef<Presence.AllAnnounced> replyTo) {
    return new ToPresence(new Presence.GetAnnounced(replyTo));
  }

  /** Asks who the peer is. */
  public static Command getInfo(ActorRef<Info> replyTo) {
    return new GetInfo(replyTo);
  }

  /**
   * Asks to ping a peer.
   *
   * @param count 1 to {@link Ping#MAX_COUNT}
   * @param budget for all of it, connecting included
   */
  public static Command ping(PeerId peer, int count, Duration budget, ActorRef<PingReply> replyTo) {
    return new DoPing(peer, count, budget, replyTo);
  }

  /** Asks to measure a stream to a peer, within a budget. */
  public static Command perf(
      PeerId peer,
      long uploadBytes,
      long downloadBytes,
      Duration budget,
      ActorRef<PerfReply> replyTo) {
    return new DoPerf(peer, uploadBytes, downloadBytes, budget, replyTo);
  }

  /**
   * Asks for a stream to a peer, which is connected first where it is not; {@link
   * dev.troupe.actors.streams.StreamFlow} makes a flow of it.
   *
   * @param protocols what it may speak, the preferred first; at least one
   * @param budget for all of it, connecting included
   */
  public static Command openStream(
      PeerId peer, List<ProtocolId> protocols, Duration budget, ActorRef<OpenStreamReply> replyTo) {
    return new OpenStream(peer, List.copyOf(protocols), budget, replyTo);
  }

  /**
   * Asks to be given the streams that remotes open for a protocol, until the acceptor stops. How
   * many there may be at once is the host's limit of streams.
   */
  public static Command acceptStreams(
      ProtocolId protocol,
      ActorRef<StreamAccepted> acceptor,
      ActorRef<AcceptStreamsReply> replyTo) {
    return new AcceptStreams(protocol, acceptor, replyTo);
  }

  /** Asks to stop: what is open is answered, all connections are closed, then the actor stops. */
  public static Command stop() {
    return new Stop();
  }

  // ---- the actor

  /** How many messages wait until the peer listens. */
  static final int STASH = 1000;

  /** How many pings, perfs, openings of streams and dials of names there may be at once. */
  public static final int MAX_ERRANDS = 256;

  /** How many protocols may have an acceptor of streams. */
  public static final int MAX_ACCEPTORS = 256;

  private static final Duration END = Duration.ofSeconds(5);

  /**
   * Makes a peer.
   *
   * @param starter hears once whether it runs, and once that nothing of it is left
   */
  public static Behavior<Command> create(
      PeerSettings settings, World world, ActorRef<Started> starter) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    Behaviors.withStash(
                        STASH,
                        stash ->
                            settings.store().isPresent()
                                ? opening(context, timers, stash, settings, world, starter)
                                : new Peer(
                                        context,
                                        timers,
                                        stash,
                                        settings,
                                        world,
                                        starter,
                                        Store.NONE)
                                    .begin())));
  }

  /** Waits for the store, before there is anything else of the peer. */
  private static Behavior<Command> opening(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      StashBuffer<Command> stash,
      PeerSettings settings,
      World world,
      ActorRef<Started> starter) {
    PeerId id = settings.identity().peerId();
    ActorRef<Command> self = context.getSelf();
    Supplier<Info> nowhere = () -> new Info(id, List.of());
    StoreOpening opening =
        new StoreOpening(
            store -> self.tell(new StoreOpened(store)),
            failure -> self.tell(new StoreNotOpened(failure)));
    world.openStore(settings.store(), id, opening);
    return Behaviors.receive(Command.class)
        .onMessage(
            StoreOpened.class,
            opened -> {
              opening.take();
              return new Peer(context, timers, stash, settings, world, starter, opened.store())
                  .begin();
            })
        .onMessage(
            StoreNotOpened.class,
            failed -> {
              starter.tell(new StoreFailed(id, failed.failure()));
              return Behaviors.stopped();
            })
        .onMessage(Stop.class, stop -> Behaviors.stopped())
        .onAnyMessage(
            early -> {
              if (stash.isFull()) {
                refuse(early, Refusal.CROWDED, nowhere);
              } else {
                stash.stash(early);
              }
              return Behaviors.same();
            })
        .onSignal(
            PostStop.class,
            gone -> {
              stash.forEach(early -> refuse(early, Refusal.STOPPING, nowhere));
              opening.callOff(() -> starter.tell(new Ended(id, self)));
              return Behaviors.same();
            })
        .build();
  }

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final StashBuffer<Command> stash;
  private final PeerSettings settings;
  private final World world;
  private final ActorRef<Started> starter;
  private final Store store;
  private final Host host;
  private final Ping.Answering pings;
  private final ActorRef<AddressBook.Command> addressBook;
  private final ActorRef<Connections.Command> connections;
  private int unbound;
  private int errands;
  private int acceptors;
  private boolean hostClosed;
  private boolean storeClosed;
  private long names;
  private final List<ActorRef<?>> ending = new ArrayList<>();

  private @Nullable ActorRef<BootstrapPool.Command> bootstrapPool;
  private @Nullable ActorRef<Dht.Command> dht;
  private @Nullable ActorRef<Health.Command> health;
  private @Nullable ActorRef<Gossip.Command> gossip;
  private @Nullable ActorRef<VirtualConnections.Command> virtualConnections;
  private @Nullable ActorRef<Presence.Command> presence;

  private Peer(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      StashBuffer<Command> stash,
      PeerSettings settings,
      World world,
      ActorRef<Started> starter,
      Store store) {
    this.context = context;
    this.timers = timers;
    this.stash = stash;
    this.settings = settings;
    this.world = world;
    this.starter = starter;
    this.store = store;
    this.host = world.createHost(settings.identity(), settings.host());
    this.addressBook =
        context.spawn(
            AddressBook.create(
                settings.addressBook(),
                world.ticker(),
                world.clock(),
                bootstrapAddresses().stream()
                    .filter(address -> !Resolution.isNeeded(address))
                    .toList(),
                store),
            "addressbook");
    this.connections =
        context.spawn(
            Connections.create(settings.connections(), world.ticker(), host, addressBook),
            "connections");
    this.pings = Ping.answer(host);
    timers.startTimerWithFixedDelay(new EndIdlePings(), Ping.Answering.IDLE);
    if (settings.servePerf()) {
      Perf.serve(host);
    }
    host.start(event -> connections.tell(new Connections.HostHeard(event)));
  }

  /** Those to join the DHT through: of the primaries and the backups, all but this peer itself. */
  private List<Multiaddr> bootstrapAddresses() {
    List<Multiaddr> all = new ArrayList<>(settings.dht().bootstrapPeers());
    all.addAll(settings.bootstrap().backups());
    all.removeIf(address -> host.peerId().equals(address.peerId()));
    return all;
  }

  private Behavior<Command> begin() {
    unbound = settings.listen().size();
    ActorRef<Command> self = context.getSelf();
    settings
        .listen()
        .forEach(
            address ->
                host.listen(
                    address,
                    new Completion<>() {
                      @Override
                      public void succeeded(List<Multiaddr> bound) {
                        self.tell(new Bound());
                      }

                      @Override
                      public void failed(HostFailure failure) {
                        self.tell(new BindFailed(failure));
                      }
                    }));
    return unbound == 0 ? run() : listening();
  }

  private Behavior<Command> listening() {
    return Behaviors.receive(Command.class)
        .onMessage(Bound.class, bound -> --unbound == 0 ? run() : Behaviors.same())
        .onMessage(BindFailed.class, this::onBindFailed)
        .onMessage(Stop.class, stop -> stash.unstashAll(beginStopping()))
        .onMessage(EndIdlePings.class, look -> endIdlePings())
        .onAnyMessage(this::onEarly)
        .onSignal(PostStop.class, gone -> onPostStop())
        .build();
  }

  private Behavior<Command> endIdlePings() {
    pings.endIdle();
    return Behaviors.same();
  }

  private Behavior<Command> onEarly(Command command) {
    if (stash.isFull()) {
      refuse(command, Refusal.CROWDED);
    } else {
      stash.stash(command);
    }
    return Behaviors.same();
  }

  private Behavior<Command> onBindFailed(BindFailed failed) {
    starter.tell(new ListenFailed(host.peerId(), failed.failure()));
    return stash.unstashAll(beginStopping());
  }

  private Behavior<Command> run() {
    if (settings.dht().mode() != DhtMode.OFF && !bootstrapAddresses().isEmpty()) {
      bootstrapPool =
          context.spawn(
              BootstrapPool.create(
                  settings.bootstrap(),
                  settings.dht().bootstrapPeers(),
                  host.peerId(),
                  world,
                  store,
                  connections),
              "bootstrap");
    }
    dht =
        context.spawn(
            Dht.create(settings.dht(), world, host, connections, addressBook, bootstrapPool, store),
            "dht");
    health =
        context.spawn(
            Health.create(
                settings.health(),
                settings.dht().protocol(),
                world,
                host,
                connections,
                dht,
                bootstrapPool),
            "health");
    gossip =
        context.spawn(
            Gossip.create(settings.gossip(), settings.identity(), world, host, connections, dht),
            "gossip");
    virtualConnections =
        context.spawn(
            VirtualConnections.create(settings.virtualConnections(), world, host, connections),
            "virtualconnections");
    presence =
        context.spawn(
            Presence.create(settings.presence(), settings.identity(), world, host, dht),
            "presence");
    starter.tell(new Listening(host.peerId(), addresses()));
    return stash.unstashAll(running());
  }

  private List<Multiaddr> addresses() {
    return host.listenAddresses().stream().map(address -> address.withPeer(host.peerId())).toList();
  }

  private Behavior<Command> running() {
    return Behaviors.receive(Command.class)
        .onMessage(ToConnections.class, this::onToConnections)
        .onMessage(ToDht.class, to -> pass(dht, to.command()))
        .onMessage(ToGossip.class, to -> pass(gossip, to.command()))
        .onMessage(ToHealth.class, to -> pass(health, to.command()))
        .onMessage(ToVirtualConnections.class, to -> pass(virtualConnections, to.command()))
        .onMessage(ToPresence.class, to -> pass(presence, to.command()))
        .onMessage(GetInfo.class, this::onGetInfo)
        .onMessage(DoPing.class, this::onPing)
        .onMessage(DoPerf.class, this::onPerf)
        .onMessage(OpenStream.class, this::onOpenStream)
        .onMessage(AcceptStreams.class, this::onAcceptStreams)
        .onMessage(AcceptorEnded.class, this::onAcceptorEnded)
        .onMessage(EndIdlePings.class, look -> endIdlePings())
        .onMessage(Stop.class, stop -> beginStopping())
        .onSignal(Terminated.class, ended -> onErrandEnded())
        .onSignal(PostStop.class, gone -> onPostStop())
        .build();
  }

  private static <T> Behavior<Command> pass(@Nullable ActorRef<T> child, T command) {
    if (child == null) {
      throw new IllegalStateException("running without its children");
    }
    child.tell(command);
    return Behaviors.same();
  }

  private Behavior<Command> onToConnections(ToConnections to) {
    if (to.command() instanceof Connections.ConnectTo connect
        && Resolution.isNeeded(connect.address())) {
      PeerId named = connect.address().peerId();
      return errand(
          "dial",
          failure -> connect.replyTo().tell(new Connections.ConnectFailed(named, failure)),
          failed -> NamedDial.create(world, connect, connections, failed));
    }
    return pass(connections, to.command());
  }

  private Behavior<Command> onGetInfo(GetInfo get) {
    get.replyTo().tell(new Info(host.peerId(), addresses()));
    return Behaviors.same();
  }

  private Behavior<Command> onPing(DoPing ping) {
    PeerId peer = ping.peer();
    if (ping.count() < 1 || ping.count() > Ping.MAX_COUNT) {
      ping.replyTo()
          .tell(
              new ErrandFailed(
                  peer,
                  new HostFailure(
                      HostFailure.Kind.LIMIT_EXCEEDED,
                      "pings are 1 to " + Ping.MAX_COUNT + ", not " + ping.count())));
      return Behaviors.same();
    }
    return errand(
        "ping",
        failure -> ping.replyTo().tell(new ErrandFailed(peer, failure)),
        failed ->
            Errand.<List<Long>>create(
                peer,
                ping.budget(),
                connections,
                completion ->
                    Ping.run(
                        host, world.ticker(), world.keyMaterial(), peer, ping.count(), completion),
                roundTrips -> ping.replyTo().tell(new Pinged(peer, roundTrips)),
                failed));
  }

  private Behavior<Command> onPerf(DoPerf perf) {
    PeerId peer = perf.peer();
    if (perf.uploadBytes() < 0 || perf.downloadBytes() < 0) {
      perf.replyTo()
          .tell(
              new ErrandFailed(
                  peer,
                  new HostFailure(HostFailure.Kind.LIMIT_EXCEEDED, "a negative number of bytes")));
      return Behaviors.same();
    }
    return errand(
        "perf",
        failure -> perf.replyTo().tell(new ErrandFailed(peer, failure)),
        failed ->
            Errand.<Perf.Timing>create(
                peer,
                perf.budget(),
                connections,
                completion ->
                    Perf.run(
                        host,
                        world.ticker(),
                        peer,
                        perf.uploadBytes(),
                        perf.downloadBytes(),
                        completion),
                timing -> perf.replyTo().tell(new Measured(peer, timing)),
                failed));
  }

  private Behavior<Command> onOpenStream(OpenStream open) {
    PeerId peer = open.peer();
    if (open.protocols().isEmpty()) {
      open.replyTo()
          .tell(
              new ErrandFailed(
                  peer,
                  new HostFailure(
                      HostFailure.Kind.PROTOCOL_NOT_SUPPORTED, "no protocol is asked for")));
      return Behaviors.same();
    }
    StreamOpening opening = new StreamOpening(host, peer, open.protocols());
    return errand(
        "stream",
        failure -> open.replyTo().tell(new ErrandFailed(peer, failure)),
        failed ->
            Errand.<Stream>create(
                peer,
                open.budget(),
                connections,
                opening::start,
                stream -> {
                  opening.take();
                  open.replyTo().tell(new StreamOpened(stream));
                },
                failed));
  }

  private Behavior<Command> onAcceptStreams(AcceptStreams accept) {
    ProtocolId protocol = accept.protocol();
    ActorRef<StreamAccepted> acceptor = accept.acceptor();
    if (acceptors >= MAX_ACCEPTORS) {
      accept
          .replyTo()
          .tell(new AcceptingRefused(protocol, acceptors + " protocols have an acceptor already"));
      return Behaviors.same();
    }
    try {
      host.handle(protocol, stream -> acceptor.tell(new StreamAccepted(stream)));
    } catch (IllegalStateException e) {
      accept.replyTo().tell(new AcceptingRefused(protocol, protocol + " is served already"));
      return Behaviors.same();
    }
    acceptors++;
    context.spawnAnonymous(acceptorWatch(protocol, acceptor));
    accept.replyTo().tell(new Accepting(protocol));
    return Behaviors.same();
  }

  /** An actor may be watched with one message only, and one acceptor may serve many protocols. */
  private Behavior<Void> acceptorWatch(ProtocolId protocol, ActorRef<StreamAccepted> acceptor) {
    ActorRef<Command> self = context.getSelf();
    return Behaviors.setup(
        watch -> {
          watch.watch(acceptor);
          return Behaviors.receive(Void.class)
              .onSignal(
                  Terminated.class,
                  ended -> {
                    self.tell(new AcceptorEnded(protocol, acceptor));
                    return Behaviors.stopped();
                  })
              .build();
        });
  }

  private Behavior<Command> onAcceptorEnded(AcceptorEnded ended) {
    host.unhandle(ended.protocol());
    acceptors--;
    return Behaviors.same();
  }

  private Behavior<Command> errand(
      String name,
      java.util.function.Consumer<HostFailure> failed,
      java.util.function.Function<java.util.function.Consumer<HostFailure>, Behavior<?>> errand) {
    if (errands >= MAX_ERRANDS) {
      failed.accept(
          new HostFailure(
              HostFailure.Kind.LIMIT_EXCEEDED,
              MAX_ERRANDS + " pings, perfs, openings and dials of names are under way"));
    } else {
      errands++;
      context.watch(context.spawn(errand.apply(failed), name + "-" + names++));
    }
    return Behaviors.same();
  }

  private Behavior<Command> onErrandEnded() {
    errands--;
    return Behaviors.same();
  }

  // ---- the end

  private Behavior<Command> beginStopping() {
    timers.startSingleTimer(new EndForced(), END);
    endChild(health, new Health.Stop());
    if (bootstrapPool != null) {
      // Health ends it, after what it has passed on.
      ending.add(bootstrapPool);
      context.watch(bootstrapPool);
    }
    endChild(presence, new Presence.Stop());
    endChild(dht, new Dht.Stop());
    endChild(gossip, new Gossip.Stop());
    endChild(virtualConnections, new VirtualConnections.End());
    if (ending.isEmpty()) {
      closeHost();
    }
    return stopping();
  }

  /** It answers what is open, and what is in its mailbox, before it ends. */
  private <T> void endChild(@Nullable ActorRef<T> child, T command) {
    if (child != null) {
      ending.add(child);
      context.watch(child);
      child.tell(command);
    }
  }

  private Behavior<Command> stopping() {
    return Behaviors.receive(Command.class)
        .onMessage(HostClosed.class, closed -> onHostClosed())
        .onMessage(StoreClosed.class, closed -> onStoreClosed())
        .onMessage(EndForced.class, forced -> Behaviors.stopped())
        .onAnyMessage(
            late -> {
              refuse(late, Refusal.STOPPING);
              return Behaviors.same();
            })
        .onSignal(
            Terminated.class,
            ended -> {
              if (ended.getRef().equals(connections)) {
                return onConnectionsEnded();
              } else if (ended.getRef().equals(addressBook)) {
                closeStore();
                return Behaviors.same();
              }
              if (ending.remove(ended.getRef()) && ending.isEmpty()) {
                closeHost();
              }
              return Behaviors.same();
            })
        .onSignal(PostStop.class, gone -> onPostStop())
        .build();
  }

  /** However this actor ends, in a crash as well, its sockets and files do not outlive it. */
  private Behavior<Command> onPostStop() {
    ActorRef<Started> told = starter;
    Ended ended = new Ended(host.peerId(), context.getSelf());
    Store there = store;
    if (!hostClosed) {
      host.close(() -> there.close(() -> told.tell(ended)));
    } else if (store.keeps() && !storeClosed) {
      there.close(() -> told.tell(ended));
    }
    return Behaviors.same();
  }

  /**
   * Connections hear of the end of the last one before this, and end after the others; the address
   * book, which learns from them, and the store after these.
   */
  private Behavior<Command> onHostClosed() {
    hostClosed = true;
    if (!store.keeps()) {
      starter.tell(new Ended(host.peerId(), context.getSelf()));
    }
    context.watch(connections);
    connections.tell(new Connections.Stop());
    return Behaviors.same();
  }

  private Behavior<Command> onConnectionsEnded() {
    if (!store.keeps()) {
      return Behaviors.stopped();
    }
    context.watch(addressBook);
    addressBook.tell(new AddressBook.Stop());
    return Behaviors.same();
  }

  private void closeStore() {
    ActorRef<Command> self = context.getSelf();
    store.close(() -> self.tell(new StoreClosed()));
  }

  private Behavior<Command> onStoreClosed() {
    storeClosed = true;
    starter.tell(new Ended(host.peerId(), context.getSelf()));
    return Behaviors.stopped();
  }

  /** Answers what came too late, or too early in too great a number. */
  private void refuse(Command command, Refusal refusal) {
    refuse(command, refusal, () -> new Info(host.peerId(), addresses()));
  }

  private static void refuse(Command command, Refusal refusal, Supplier<Info> info) {
    if (command instanceof GetInfo get) {
      get.replyTo().tell(info.get());
    } else if (command instanceof DoPing ping) {
      ping.replyTo().tell(new ErrandFailed(ping.peer(), refusal.failure()));
    } else if (command instanceof DoPerf perf) {
      perf.replyTo().tell(new ErrandFailed(perf.peer(), refusal.failure()));
    } else if (command instanceof OpenStream open) {
      open.replyTo().tell(new ErrandFailed(open.peer(), refusal.failure()));
    } else if (command instanceof AcceptStreams accept) {
      accept.replyTo().tell(new AcceptingRefused(accept.protocol(), refusal.failure().message()));
    } else if (command instanceof ToDht to) {
      refusal.answer(to.command());
    } else if (command instanceof ToHealth to) {
      refusal.answer(to.command());
    } else if (command instanceof ToGossip to) {
      refusal.answer(to.command());
    } else if (command instanceof ToVirtualConnections to) {
      refusal.answer(to.command());
    } else if (command instanceof ToPresence to) {
      refusal.answer(to.command());
    } else if (command instanceof ToConnections to) {
      refusal.answer(to.command());
    }
  }

  private void closeHost() {
    ActorRef<Command> self = context.getSelf();
    host.close(() -> self.tell(new HostClosed()));
  }
}
