package dev.troupe.actors.dht;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.bootstrap.BootstrapSettings;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.HostListener;
import dev.troupe.actors.host.Identification;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamHandler;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.Ticker;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One real {@link Dht} on virtual time, among scripted peers: host, connections and address book
 * are played by this class.
 */
final class DhtFixture implements AutoCloseable {

  static final PeerId SELF = Script.peer(0);

  final SimulatedSystem system;
  final Map<PeerId, Script> remotes = new LinkedHashMap<>();

  /** Whom the Dht had dialled, in order, and when (virtual nanoseconds). */
  final List<PeerId> dials = new ArrayList<>();

  final List<Long> dialTimes = new ArrayList<>();
  final Map<PeerId, List<Multiaddr>> addressBook = new LinkedHashMap<>();

  /** Whose word it is. */
  final Map<PeerId, PeerId> tellers = new LinkedHashMap<>();

  /** Whom the Dht wanted to be connected to, and then did not. */
  final List<PeerId> withdrawn = new ArrayList<>();

  /** Who carries which tag, and whose connections are not to be trimmed at all. */
  final Map<String, List<PeerId>> tagged = new LinkedHashMap<>();

  final Set<PeerId> protectedPeers = new LinkedHashSet<>();

  /** Whether streams throw when they are started: a bug of ours, as far as their user can tell. */
  boolean brokenStreams;

  /** Where the Dht's own host listens. */
  List<Multiaddr> listens = List.of(Script.address(0));

  /** How many streams have been opened and have not ended. */
  int openStreams;

  /** How many walks have been measured. */
  int walks;

  final Set<PeerId> connected = new LinkedHashSet<>();
  final List<ActorRef<ConnectionsEvent>> listeners = new ArrayList<>();
  final Map<ProtocolId, StreamHandler> handlers = new LinkedHashMap<>();
  final ActorRef<Dht.Command> dht;
  final Probe<Dht.StateChanged> states;

  DhtFixture(DhtSettings settings, Script... remotes) {
    this(0, settings, remotes);
  }

  DhtFixture(long seed, DhtSettings settings, Script... remotes) {
    this(seed, settings, Store.NONE, remotes);
  }

  DhtFixture(DhtSettings settings, Store store, Script... remotes) {
    this(0, settings, store, remotes);
  }

  private DhtFixture(long seed, DhtSettings settings, Store store, Script... remotes) {
    system = SimulatedSystem.create(seed, seed == 0 ? Order.FIFO : Order.RANDOM);
    for (Script remote : remotes) {
      this.remotes.put(remote.peer, remote);
    }
    ActorRef<Connections.Command> connections = system.spawn(connections(), "connections");
    ActorRef<AddressBook.Command> book = system.spawn(addressBook(), "address-book");
    ActorRef<BootstrapPool.Command> pool =
        settings.bootstrapPeers().isEmpty() || settings.mode() == DhtMode.OFF
            ? null
            : system.spawn(
                BootstrapPool.create(
                    BootstrapSettings.DEFAULT,
                    settings.bootstrapPeers(),
                    SELF,
                    new FixtureWorld(),
                    Store.NONE,
                    connections),
                "bootstrap");
    dht =
        system.spawn(
            Dht.create(
                settings, new FixtureWorld(), new ScriptedHost(), connections, book, pool, store),
            "dht");
    states = system.probe("states");
    dht.tell(new Dht.Subscribe(states.ref()));
    system.runUntilIdle();
  }

  static DhtSettings joining(Script... bootstrapPeers) {
    return DhtSettings.DEFAULT.withBootstrapPeers(
        Arrays.stream(bootstrapPeers).map(Script::bootstrapAddress).toList());
  }

  Dht.StateChanged state() {
    Probe<Dht.StateChanged> probe = system.probe();
    dht.tell(new Dht.GetState(probe.ref()));
    return probe.next();
  }

  /** Makes the actor throw: our bug, as far as it can tell. */
  void crash() {
    dht.tell(new Dht.GetState(null));
    system.runUntilIdle();
  }

  void advance(Duration duration) {
    system.advance(duration);
  }

  /** A remote connects, or is connected, and says who it is. */
  void identify(Script remote) {
    remotes.put(remote.peer, remote);
    connected.add(remote.peer);
    listeners.forEach(listener -> tellOf(remote, listener));
    system.runUntilIdle();
  }

  /** The same, and its connection is gone when that is heard, though nobody has said so yet. */
  void identifyAndGo(Script remote) {
    remotes.put(remote.peer, remote);
    listeners.forEach(listener -> tellOf(remote, listener));
    system.runUntilIdle();
  }

  void disconnect(Script remote) {
    connected.remove(remote.peer);
    for (ActorRef<ConnectionsEvent> listener : listeners) {
      listener.tell(
          new ConnectionsEvent.PeerDisconnected(
              remote.peer, remote.address, Direction.OUTBOUND, lost()));
    }
    system.runUntilIdle();
  }

  /** A remote opens a DHT stream; null when nobody handles the protocol. */
  @Nullable InboundPipe openInbound(PeerId sender) {
    StreamHandler handler = handlers.get(DhtSettings.DEFAULT.protocol());
    if (handler == null) {
      return null;
    }
    InboundPipe pipe = new InboundPipe(sender);
    handler.onStream(pipe);
    system.runUntilIdle();
    return pipe;
  }

  @Override
  public void close() {
    system.close();
  }

  private static HostFailure lost() {
    return new HostFailure(HostFailure.Kind.CONNECTION_LOST, "it went away");
  }

  private static void tellOf(Script remote, ActorRef<ConnectionsEvent> listener) {
    listener.tell(
        new ConnectionsEvent.PeerConnected(remote.peer, remote.address, Direction.OUTBOUND));
    listener.tell(
        new ConnectionsEvent.PeerIdentified(
            remote.peer,
            Direction.OUTBOUND,
            new Identification(
                "scripted",
                "ipfs/0.1.0",
                remote.server ? List.of(DhtSettings.DEFAULT.protocol()) : List.of(),
                remote.listens,
                null,
                false)));
  }

  private void tag(String tag, PeerId peer, boolean carries) {
    List<PeerId> peers = new ArrayList<>(tagged.getOrDefault(tag, List.of()));
    peers.remove(peer);
    if (carries) {
      peers.add(peer);
    }
    tagged.put(tag, peers);
  }

  private Behavior<Connections.Command> connections() {
    return Behaviors.receive(Connections.Command.class)
        .onMessage(
            Connections.Subscribe.class,
            subscribe -> {
              if (!listeners.contains(subscribe.subscriber())) {
                listeners.add(subscribe.subscriber());
              }
              connected.forEach(peer -> tellOf(remotes.get(peer), subscribe.subscriber()));
              return Behaviors.same();
            })
        .onMessage(
            Connections.Watch.class,
            watch -> {
              if (!listeners.contains(watch.watcher())) {
                listeners.add(watch.watcher());
              }
              if (connected.contains(watch.peer())) {
                tellOf(remotes.get(watch.peer()), watch.watcher());
              }
              return Behaviors.same();
            })
        .onMessage(
            Connections.Connect.class,
            connect -> {
              connect(connect.peer(), connect.replyTo());
              return Behaviors.same();
            })
        .onMessage(
            Connections.TagExactly.class,
            exactly -> {
              tagged.put(exactly.tag(), exactly.peers());
              return Behaviors.same();
            })
        .onMessage(
            Connections.Tag.class,
            tag -> {
              tag(tag.tag(), tag.peer(), true);
              return Behaviors.same();
            })
        .onMessage(
            Connections.Untag.class,
            untag -> {
              tag(untag.tag(), untag.peer(), false);
              return Behaviors.same();
            })
        .onMessage(
            Connections.Protect.class,
            protect -> {
              protectedPeers.add(protect.peer());
              return Behaviors.same();
            })
        .onMessage(
            Connections.Withdraw.class,
            withdraw -> {
              withdrawn.add(withdraw.peer());
              return Behaviors.same();
            })
        .onMessage(
            Connections.ConnectTo.class,
            connect -> {
              remotes.values().stream()
                  .filter(remote -> remote.address.equals(connect.address()))
                  .findFirst()
                  .ifPresent(remote -> connect(remote.peer, connect.replyTo()));
              return Behaviors.same();
            })
        .build();
  }

  private void connect(PeerId peer, ActorRef<Connections.ConnectReply> replyTo) {
    Script remote = remotes.get(peer);
    if (remote != null && connected.contains(peer)) {
      replyTo.tell(new Connections.Connected(peer, remote.address));
      return;
    }
    dials.add(peer);
    dialTimes.add(system.now());
    Duration dialTime = remote == null ? Script.LATENCY : remote.dialTime;
    system.schedule(
        dialTime,
        () -> {
          if (remote == null || !remote.reachable) {
            replyTo.tell(
                new Connections.ConnectFailed(
                    peer, new HostFailure(HostFailure.Kind.REFUSED, "nobody at " + peer)));
            return;
          }
          if (connected.add(peer)) {
            listeners.forEach(listener -> tellOf(remote, listener));
          }
          replyTo.tell(new Connections.Connected(peer, remote.address));
        });
  }

  private Behavior<AddressBook.Command> addressBook() {
    return Behaviors.receive(AddressBook.Command.class)
        .onMessage(
            AddressBook.Find.class,
            find -> {
              find.replyTo()
                  .tell(
                      new AddressBook.Found(
                          find.peer(), addressBook.getOrDefault(find.peer(), List.of())));
              return Behaviors.same();
            })
        .onMessage(
            AddressBook.Learn.class,
            learn -> {
              addressBook.put(learn.peer(), learn.addresses());
              tellers.put(learn.peer(), learn.toldBy());
              return Behaviors.same();
            })
        .build();
  }

  private final class ScriptedHost implements Host {

    @Override
    public PeerId peerId() {
      return SELF;
    }

    @Override
    public List<Multiaddr> listenAddresses() {
      return listens;
    }

    @Override
    public Cancellable openStream(
        PeerId peer, List<ProtocolId> protocols, Completion<Stream> completion) {
      Script remote = remotes.get(peer);
      boolean[] cancelled = {false};
      system.schedule(
          remote == null ? Script.LATENCY : remote.openingTime,
          () -> {
            if (cancelled[0]) {
              completion.failed(new HostFailure(HostFailure.Kind.CANCELLED, "cancelled"));
            } else if (remote == null || !connected.contains(peer)) {
              completion.failed(new HostFailure(HostFailure.Kind.NOT_CONNECTED, "gone"));
            } else if (remote.drops > 0) {
              remote.drops--;
              connected.remove(peer);
              completion.failed(lost());
            } else if (!remote.opens) {
              completion.failed(new HostFailure(HostFailure.Kind.TIMED_OUT, "no stream"));
            } else {
              openStreams++;
              completion.succeeded(new OutboundPipe(remote));
            }
          });
      return () -> cancelled[0] = true;
    }

    @Override
    public void handle(ProtocolId protocol, StreamHandler handler) {
      if (handlers.putIfAbsent(protocol, handler) != null) {
        throw new IllegalStateException("handled already");
      }
    }

    @Override
    public void unhandle(ProtocolId protocol) {
      handlers.remove(protocol);
    }

    @Override
    public void start(HostListener listener) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void listen(Multiaddr address, Completion<List<Multiaddr>> completion) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Cancellable dial(
        Multiaddr address, @Nullable PeerId expected, Completion<ConnectionInfo> completion) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<ConnectionInfo> connections(PeerId peer) {
      Script remote = connected.contains(peer) ? remotes.get(peer) : null;
      return remote == null
          ? List.of()
          : List.of(
              new ConnectionInfo(
                  new ConnectionId(1), peer, remote.address, remote.reached, Direction.OUTBOUND));
    }

    @Override
    public List<ConnectionInfo> connections() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int openStreams(ConnectionId connection) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void disconnect(ConnectionId connection, String reason) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close(Runnable done) {
      throw new UnsupportedOperationException();
    }
  }

  /** A stream to a scripted peer. */
  private final class OutboundPipe extends Pipe {

    private final Script script;
    private final FrameDecoder requests = new FrameDecoder(1 << 20);
    private final List<KademliaMessage> taken = new ArrayList<>();
    private boolean answered;
    private int outstanding;

    OutboundPipe(Script script) {
      super(script.peer, Direction.OUTBOUND);
      this.script = script;
      script.streams.add(taken);
    }

    @Override
    public int write(ByteBuffer data) {
      int size = data.remaining();
      requests.feed(data);
      try {
        for (Bytes frame = requests.next(); frame != null; frame = requests.next()) {
          KademliaMessage request = KademliaMessage.decode(frame);
          script.requests.add(request);
          taken.add(request);
          boolean isPut = request.type() == KademliaMessage.Type.PUT_VALUE;
          if (!script.silent && !(script.ignoresPuts && isPut)) {
            outstanding++;
            system.schedule(
                script.latency.plus(script.takes.multipliedBy(taken.size() - 1)),
                () -> respond(request));
          }
        }
      } catch (MalformedException e) {
        throw new AssertionError(e);
      }
      return size;
    }

    private void respond(KademliaMessage request) {
      outstanding--;
      KademliaMessage answer = script.answer.apply(request);
      if (answer == null) {
        end(new HostFailure(HostFailure.Kind.STREAM_RESET, "refused"));
        return;
      }
      if (request.type() != KademliaMessage.Type.ADD_PROVIDER) {
        deliver(Frames.encode(answer.encode()), script.trickle);
      }
      // It waits for us to close before it does; as go-libp2p and js-libp2p do, it would take more
      // requests.
      answered = outstanding == 0;
      if (answered && writeClosed && !script.lingers) {
        end(null);
      }
    }

    @Override
    public void closeWrite() {
      super.closeWrite();
      if (answered && !script.lingers) {
        end(null);
      }
    }

    @Override
    void ended() {
      openStreams--;
    }
  }

  /** A stream that a test has opened to the Dht. */
  final class InboundPipe extends Pipe {

    private final FrameDecoder answers = new FrameDecoder(1 << 20);

    /** How many more bytes the Dht may write before the stream is full. */
    int room = Integer.MAX_VALUE;

    /** Whether it has ended once both sides have closed. */
    boolean ends = true;

    private boolean remoteClosed;

    InboundPipe(PeerId sender) {
      super(sender, Direction.INBOUND);
    }

    void send(KademliaMessage request) {
      sendBytes(Frames.encode(request.encode()));
    }

    void sendBytes(byte[] bytes) {
      deliver(bytes);
      system.runUntilIdle();
    }

    void closeRemote() {
      remoteClosed = true;
      if (!over) {
        listener.onRemoteClosed();
      }
      system.runUntilIdle();
    }

    @Override
    public void closeWrite() {
      super.closeWrite();
      if (remoteClosed && ends && !over) {
        over = true;
        system.execute(() -> listener.onClosed(null));
      }
    }

    void makeRoom() {
      room = Integer.MAX_VALUE;
      listener.onWritable();
      system.runUntilIdle();
    }

    KademliaMessage answer() throws MalformedException {
      return KademliaMessage.decode(answerBytes());
    }

    Bytes answerBytes() throws MalformedException {
      Bytes frame = answers.next();
      if (frame == null) {
        throw new AssertionError("no answer; reset: " + resetReason);
      }
      return frame;
    }

    boolean hasAnswered() {
      return answers.buffered() > 0;
    }

    @Override
    public int write(ByteBuffer data) {
      int size = Math.min(room, data.remaining());
      room -= size;
      byte[] taken = new byte[size];
      data.get(taken);
      answers.feed(ByteBuffer.wrap(taken));
      return size;
    }
  }

  /** What both kinds of stream have in common. */
  abstract class Pipe implements Stream {

    private final PeerId remote;
    private final Direction direction;
    StreamListener listener;
    boolean over;
    boolean writeClosed;
    @Nullable String resetReason;
    long credit;

    Pipe(PeerId remote, Direction direction) {
      this.remote = remote;
      this.direction = direction;
    }

    void deliver(byte[] bytes, Duration pause) {
      if (pause.isZero()) {
        deliver(bytes);
        return;
      }
      for (int i = 0; i < bytes.length; i++) {
        byte[] one = {bytes[i]};
        system.schedule(pause.multipliedBy(i + 1), () -> deliver(one));
      }
    }

    void deliver(byte[] bytes) {
      if (!over) {
        listener.onData(ByteBuffer.wrap(bytes));
      }
    }

    void end(@Nullable HostFailure failure) {
      if (!over) {
        over = true;
        if (failure == null) {
          listener.onRemoteClosed();
        }
        listener.onClosed(failure);
        ended();
      }
    }

    void ended() {}

    @Override
    public ConnectionInfo connection() {
      Multiaddr address = Script.address(9);
      return new ConnectionInfo(new ConnectionId(1), remote, address, address, direction);
    }

    @Override
    public ProtocolId protocol() {
      return DhtSettings.DEFAULT.protocol();
    }

    @Override
    public Direction direction() {
      return direction;
    }

    @Override
    public void start(StreamListener listener) {
      if (brokenStreams) {
        throw new IllegalStateException("broken on purpose");
      }
      this.listener = listener;
    }

    @Override
    public void request(long bytes) {
      credit += bytes;
    }

    @Override
    public void closeWrite() {
      writeClosed = true;
    }

    @Override
    public void reset(long code, String reason) {
      resetReason = reason;
      if (!over) {
        over = true;
        ended();
        if (listener != null) {
          system.execute(
              () -> listener.onClosed(new HostFailure(HostFailure.Kind.STREAM_RESET, reason)));
        }
      }
    }
  }

  private final class FixtureWorld implements World {

    private final Crypto crypto = new PortableCrypto();

    @Override
    public void onWalked(int asked, int hops, Duration took) {
      walks++;
    }

    @Override
    public Crypto crypto() {
      return crypto;
    }

    @Override
    public RandomSource keyMaterial() {
      throw new UnsupportedOperationException();
    }

    @Override
    public RandomGenerator random(PeerId owner, String purpose) {
      return system.random(purpose);
    }

    @Override
    public Ticker ticker() {
      return system::now;
    }

    @Override
    public InstantSource clock() {
      return system.clock();
    }

    @Override
    public Host createHost(PrivateKey identity, HostSettings settings) {
      throw new UnsupportedOperationException();
    }
  }
}
