package dev.troupe.simulation.world;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.HostFailure.Kind;
import dev.troupe.actors.host.HostListener;
import dev.troupe.actors.host.Identification;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamHandler;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.SerialExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A host without bytes below the stream: who is at the other end is known without proof, streams
 * agree on a protocol in one round trip, identify is a record. One loop runs all its callbacks, in
 * order.
 */
final class SimulatedHost implements Host, Listening {

  private static final String PROTOCOL_VERSION = "ipfs/0.1.0";

  private final SimulatedNetwork network;
  private final SimulatedWorld machine;
  private final HostSettings settings;
  private final PeerId peerId;
  private final SerialExecutor loop;
  private final String name;
  private final Set<Call<?>> calls = new LinkedHashSet<>();
  private final Map<ProtocolId, StreamHandler> handlers = new LinkedHashMap<>();
  private final TreeMap<ConnectionId, SimulatedConnection> connections = new TreeMap<>();

  /** The same by peer, the oldest first. */
  private final Map<PeerId, List<SimulatedConnection>> peers = new LinkedHashMap<>();

  private final List<Endpoint> listening = new ArrayList<>();
  private @Nullable HostListener listener;
  private long connectionNumber;
  private int upgrading;
  private int dialling;
  private boolean pushPending;
  private boolean closed;
  private boolean dead;

  SimulatedHost(
      SimulatedNetwork network,
      SimulatedWorld machine,
      PrivateKey identity,
      HostSettings settings,
      String name) {
    this.network = network;
    this.machine = machine;
    this.settings = settings;
    this.peerId = identity.peerId();
    this.name = name;
    this.loop = network.system().serialExecutor("host " + name);
  }

  @Override
  public PeerId peerId() {
    return peerId;
  }

  @Override
  public void start(HostListener listener) {
    if (this.listener != null) {
      throw new IllegalStateException("the host has been started before");
    }
    this.listener = listener;
  }

  // --- listening
  // ------------------------------------------------------------------------------------

  @Override
  public void listen(Multiaddr address, Completion<List<Multiaddr>> completion) {
    requireStarted();
    Call<List<Multiaddr>> call = new Call<>(this, completion);
    if (refuseClosed(call)) {
      return;
    }
    Endpoint asked = Endpoint.of(address);
    if (asked == null || asked.isName()) {
      call.fail(Kind.UNSUPPORTED_ADDRESS, "no transport here listens at " + address);
      return;
    }
    List<Endpoint> bound = machine.bind(asked, this);
    if (bound.isEmpty()) {
      call.fail(Kind.ADDRESS_UNAVAILABLE, address + " is in use, or not on this machine");
      return;
    }
    listening.addAll(bound);
    List<Multiaddr> addresses = bound.stream().map(Endpoint::address).toList();
    emit(new HostEvent.ListenAddressesChanged(listenAddresses()));
    identifyAgain();
    later(() -> call.succeed(addresses));
  }

  @Override
  public List<Multiaddr> listenAddresses() {
    return listening.stream().map(Endpoint::address).toList();
  }

  // --- dialling
  // -------------------------------------------------------------------------------------

  @Override
  public Cancellable dial(
      Multiaddr address, @Nullable PeerId expected, Completion<ConnectionInfo> completion) {
    requireStarted();
    Call<ConnectionInfo> call = new Call<>(this, completion);
    if (refuseClosed(call)) {
      return call;
    }
    Endpoint named = Endpoint.of(address);
    if (named == null) {
      call.fail(Kind.UNSUPPORTED_ADDRESS, "no transport here speaks " + address);
      return call;
    }
    Endpoint target = named.isName() ? SimulatedWorld.resolve(network, named) : named;
    if (target == null) {
      call.fail(Kind.UNREACHABLE, address + " does not resolve");
      return call;
    }
    if (connections.size() + dialling >= settings.maxConnections()) {
      call.fail(Kind.LIMIT_EXCEEDED, "this host has " + settings.maxConnections() + " connections");
      return call;
    }
    dialling++;
    call.onFailure(() -> dialling--);
    timeOut(call, settings.dialTimeout(), "no answer from " + address);
    SimulatedWorld there = machine.machineAt(target);
    if (there != null && network.losesDial(machine, there)) {
      return call;
    }
    if (there == null) {
      if (target.isMemory()) {
        call.fail(Kind.REFUSED, "nobody listens at " + address);
      }
      return call; // nobody there: no answer, ever
    }
    new Handshake(call, address.withoutPeer(), target, expected, there).begin();
    return call;
  }

  private static @Nullable SimulatedHost listenerAt(SimulatedWorld there, Endpoint target) {
    return there.listener(target) instanceof SimulatedHost host ? host : null;
  }

  /**
   * One dial: there, back with who answers, and there again, after which both ends are connected.
   */
  private final class Handshake {
    private final Call<ConnectionInfo> call;
    private final Multiaddr address;
    private final Endpoint target;
    private final @Nullable PeerId expected;
    private final SimulatedWorld there;
    private final Endpoint source;
    private final Pipe out;
    private final Pipe back;
    private boolean upgradingThere;
    private org.apache.pekko.actor.@Nullable Cancellable upgradeLimit;

    Handshake(
        Call<ConnectionInfo> call,
        Multiaddr address,
        Endpoint target,
        @Nullable PeerId expected,
        SimulatedWorld there) {
      this.call = call;
      this.address = address;
      this.target = target;
      this.expected = expected;
      this.there = there;
      this.source = machine.source(target);
      this.out = new Pipe(network, machine, there);
      this.back = new Pipe(network, there, machine);
    }

    void begin() {
      out.send("dial", this::arrive);
    }

    private void arrive() {
      SimulatedHost answering = listenerAt(there, target);
      if (answering == null) {
        back.send("refuse", () -> call.fail(Kind.REFUSED, "nobody listens at " + address));
        return;
      }
      if (answering.upgrading >= answering.settings.maxUpgrading()
          || answering.connections.size() + answering.upgrading
              >= answering.settings.maxConnections()) {
        back.send(
            "close", () -> call.fail(Kind.HANDSHAKE_FAILED, address + " closed the connection"));
        return;
      }
      answering.upgrading++;
      upgradingThere = true;
      upgradeLimit =
          network.system().schedule(answering.settings.dialTimeout(), () -> upgraded(answering));
      back.send("hello", () -> loop.arrive(() -> heard(answering)));
    }

    private void heard(SimulatedHost answering) {
      if (dead) {
        return;
      }
      if (call.isDecided()) {
        out.send("abort", () -> upgraded(answering));
        return;
      }
      boolean self = answering.peerId.equals(peerId);
      if (self || (expected != null && !expected.equals(answering.peerId))) {
        call.fail(
            Kind.WRONG_PEER,
            self
                ? address + " is this host itself"
                : address + " is " + answering.peerId + ", not the expected " + expected);
        out.send("abort", () -> upgraded(answering));
        return;
      }
      dialling--;
      ConnectionInfo info =
          new ConnectionInfo(
              new ConnectionId(++connectionNumber),
              answering.peerId,
              address,
              target.address(),
              Direction.OUTBOUND);
      SimulatedConnection connection =
          new SimulatedConnection(network, SimulatedHost.this, answering, info, out);
      out.send("finish", () -> answering.loop.arrive(() -> finish(answering, connection)));
      opened(connection);
      call.succeed(info);
    }

    private void finish(SimulatedHost answering, SimulatedConnection dialler) {
      boolean inTime = upgradingThere;
      upgraded(answering);
      if (answering.dead) {
        return;
      }
      if (answering.closed || !inTime) {
        back.send("close", () -> dialler.remoteClosed("the remote closed the connection"));
        return;
      }
      Multiaddr from = source.address();
      ConnectionInfo info =
          new ConnectionInfo(
              new ConnectionId(++answering.connectionNumber),
              peerId,
              from,
              from,
              Direction.INBOUND);
      SimulatedConnection connection =
          new SimulatedConnection(network, answering, SimulatedHost.this, info, back);
      connection.join(dialler);
      dialler.join(connection);
      answering.opened(connection);
    }

    private void upgraded(SimulatedHost answering) {
      if (upgradingThere) {
        upgradingThere = false;
        answering.upgrading--;
        if (upgradeLimit != null) {
          upgradeLimit.cancel();
        }
      }
    }
  }

  // --- connections
  // ----------------------------------------------------------------------------------

  /** Only on the loop. */
  private void opened(SimulatedConnection connection) {
    connections.put(connection.info().id(), connection);
    peers.computeIfAbsent(connection.info().peer(), peer -> new ArrayList<>()).add(connection);
    network.opened(connection);
    connection.mayBeLost();
    tell(new HostEvent.Connected(connection.info()));
    connection.sendIdentification(identification(connection));
    if (connection.isCutOff()) {
      connection.suspect(); // the crash or the partition came before this connection was known
    }
  }

  void identified(SimulatedConnection connection, Identification identification) {
    tell(new HostEvent.Identified(connection.info(), identification));
  }

  void ended(SimulatedConnection connection, HostFailure reason) {
    remove(connection);
    network.ended(connection);
    emit(new HostEvent.Disconnected(connection.info(), reason));
  }

  private void remove(SimulatedConnection connection) {
    connections.remove(connection.info().id());
    List<SimulatedConnection> same = peers.get(connection.info().peer());
    if (same != null && same.remove(connection) && same.isEmpty()) {
      peers.remove(connection.info().peer());
    }
  }

  private Identification identification(SimulatedConnection connection) {
    return new Identification(
        settings.agentVersion(),
        PROTOCOL_VERSION,
        List.copyOf(handlers.keySet()),
        listenAddresses(),
        connection.info().reached(),
        true);
  }

  /** Identify push to all, once for all that changes within one turn. */
  private void identifyAgain() {
    if (pushPending || closed) {
      return;
    }
    pushPending = true;
    later(
        () -> {
          pushPending = false;
          for (SimulatedConnection connection : List.copyOf(connections.values())) {
            connection.sendIdentification(identification(connection));
          }
        });
  }

  @Override
  public List<ConnectionInfo> connections() {
    return connections.values().stream().map(SimulatedConnection::info).toList();
  }

  @Override
  public List<ConnectionInfo> connections(PeerId peer) {
    List<SimulatedConnection> open = peers.get(peer);
    return open == null ? List.of() : open.stream().map(SimulatedConnection::info).toList();
  }

  @Override
  public int openStreams(ConnectionId connection) {
    SimulatedConnection open = connections.get(connection);
    return open == null ? 0 : open.openStreams();
  }

  @Override
  public void disconnect(ConnectionId connection, String reason) {
    SimulatedConnection open = connections.get(connection);
    if (open != null && !dead) {
      remove(open);
      open.close(new HostFailure(Kind.CLOSED, reason));
    }
  }

  // --- streams
  // --------------------------------------------------------------------------------------

  @Override
  public Cancellable openStream(
      PeerId peer, List<ProtocolId> protocols, Completion<Stream> completion) {
    if (protocols.isEmpty()) {
      throw new IllegalArgumentException("a stream needs a protocol");
    }
    Call<Stream> call = new Call<>(this, completion);
    if (refuseClosed(call)) {
      return call;
    }
    List<SimulatedConnection> open = peers.get(peer);
    if (open == null) {
      call.fail(Kind.NOT_CONNECTED, "not connected to peer " + peer);
      return call;
    }
    timeOut(call, settings.streamTimeout(), "no answer to the stream for " + protocols);
    open.get(0).open(call, List.copyOf(protocols));
    return call;
  }

  @Override
  public void handle(ProtocolId protocol, StreamHandler handler) {
    if (handlers.putIfAbsent(protocol, handler) != null) {
      throw new IllegalStateException(protocol + " has a handler already");
    }
    identifyAgain();
  }

  @Override
  public void unhandle(ProtocolId protocol) {
    if (handlers.remove(protocol) != null) {
      identifyAgain();
    }
  }

  @Nullable StreamHandler handler(ProtocolId protocol) {
    return handlers.get(protocol);
  }

  HostSettings settings() {
    return settings;
  }

  // --- the end
  // --------------------------------------------------------------------------------------

  @Override
  public void close(Runnable done) {
    if (dead) {
      return;
    }
    if (!closed) {
      closed = true;
      machine.unbind(this);
      listening.clear();
      List.copyOf(calls).forEach(call -> call.fail(Kind.CLOSED, "this host is closing"));
      for (SimulatedConnection connection : List.copyOf(connections.values())) {
        remove(connection);
        connection.close(new HostFailure(Kind.CLOSED, "this host is closing"));
      }
    }
    later(
        () -> {
          machine.forget(this);
          done.run();
        });
  }

  /** The machine crashed: nothing is called back any more. */
  void die() {
    dead = true;
    closed = true;
    connections.clear();
    peers.clear();
  }

  boolean isDead() {
    return dead;
  }

  // --- parts
  // ----------------------------------------------------------------------------------------

  Set<Call<?>> calls() {
    return calls;
  }

  @Override
  public SimulatedWorld machine() {
    return machine;
  }

  @Override
  public void moved(Endpoint before, Endpoint now) {
    listening.replaceAll(each -> each.equals(before) ? now : each);
    emit(new HostEvent.ListenAddressesChanged(listenAddresses()));
    identifyAgain();
  }

  /** Runs something on the loop, unless the machine has crashed by then. */
  void later(Runnable task) {
    loop.execute(
        () -> {
          if (!dead) {
            task.run();
          }
        });
  }

  /** Runs what the network brings on the loop, unless the machine has crashed by then. */
  void arrive(Runnable task) {
    loop.arrive(
        () -> {
          if (!dead) {
            task.run();
          }
        });
  }

  private void emit(HostEvent event) {
    later(() -> tell(event));
  }

  /** Only on the loop. */
  private void tell(HostEvent event) {
    HostListener to = listener;
    if (to != null && !dead) {
      to.onEvent(event);
    }
  }

  private void requireStarted() {
    if (listener == null) {
      throw new IllegalStateException("the host has not been started");
    }
  }

  private boolean refuseClosed(Call<?> call) {
    if (closed) {
      call.fail(Kind.CLOSED, "this host is closed");
    }
    return closed;
  }

  private void timeOut(Call<?> call, Duration limit, String message) {
    call.timer(
        network
            .system()
            .schedule(
                limit,
                () -> call.fail(Kind.TIMED_OUT, message + " within " + limit.toMillis() + " ms")));
  }

  @Override
  public String toString() {
    return "SimulatedHost(" + name + ")";
  }
}
