package dev.troupe.actors.connections;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.HostListener;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamHandler;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A host whose network is the test: it answers each dial, and connects in the name of remotes. */
final class DialableHost implements Host {

  /** One dial of one address. */
  final class Attempt {
    final Multiaddr address;
    private final Completion<ConnectionInfo> completion;
    boolean cancelled;

    Attempt(Multiaddr address, Completion<ConnectionInfo> completion) {
      this.address = address;
      this.completion = completion;
    }

    ConnectionInfo succeed(PeerId peer) {
      ConnectionInfo made = open(peer, address, Direction.OUTBOUND);
      completion.succeeded(made);
      return made;
    }

    void fail(HostFailure.Kind kind, String message) {
      completion.failed(new HostFailure(kind, message));
    }
  }

  private final PeerId self;
  private final List<ConnectionInfo> open = new ArrayList<>();
  private long numbers;
  final List<Attempt> attempts = new ArrayList<>();
  final List<ConnectionInfo> disconnected = new ArrayList<>();
  final Map<ConnectionId, Integer> streams = new LinkedHashMap<>();

  /** What is disconnected stays open until the test loses it. */
  boolean slowToDisconnect;

  Consumer<HostEvent> hears = event -> {};

  DialableHost(PeerId self) {
    this.self = self;
  }

  /** We have connected to a remote. */
  ConnectionInfo reach(PeerId peer) {
    try {
      return open(peer, Multiaddr.parse("/ip4/192.0.2.8/tcp/4001"), Direction.OUTBOUND);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  /** A remote connects to us. */
  ConnectionInfo accept(PeerId peer) {
    try {
      return open(peer, Multiaddr.parse("/ip4/192.0.2.9/tcp/4001"), Direction.INBOUND);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private ConnectionInfo open(PeerId peer, Multiaddr address, Direction direction) {
    ConnectionInfo made =
        new ConnectionInfo(new ConnectionId(++numbers), peer, address, address, direction);
    open.add(made);
    hears.accept(new HostEvent.Connected(made));
    return made;
  }

  /** A connection goes away. */
  void lose(ConnectionInfo connection) {
    open.remove(connection);
    hears.accept(
        new HostEvent.Disconnected(
            connection, new HostFailure(HostFailure.Kind.CONNECTION_LOST, "lost")));
  }

  /** Something happens, and nobody is told. */
  void silently(Runnable what) {
    Consumer<HostEvent> before = hears;
    hears = event -> {};
    what.run();
    hears = before;
  }

  @Override
  public PeerId peerId() {
    return self;
  }

  @Override
  public Cancellable dial(
      Multiaddr address, @Nullable PeerId expected, Completion<ConnectionInfo> completion) {
    Attempt attempt = new Attempt(address, completion);
    attempts.add(attempt);
    return () -> attempt.cancelled = true;
  }

  @Override
  public List<ConnectionInfo> connections(PeerId peer) {
    return connections().stream().filter(connection -> connection.peer().equals(peer)).toList();
  }

  @Override
  public List<ConnectionInfo> connections() {
    return List.copyOf(open);
  }

  @Override
  public int openStreams(ConnectionId connection) {
    return streams.getOrDefault(connection, 0);
  }

  @Override
  public void disconnect(ConnectionId connection, String reason) {
    open.stream()
        .filter(each -> each.id().equals(connection))
        .findFirst()
        .ifPresent(
            each -> {
              disconnected.add(each);
              if (!slowToDisconnect) {
                lose(each);
              }
            });
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
  public List<Multiaddr> listenAddresses() {
    return List.of();
  }

  @Override
  public Cancellable openStream(
      PeerId peer, List<ProtocolId> protocols, Completion<Stream> completion) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void handle(ProtocolId protocol, StreamHandler handler) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void unhandle(ProtocolId protocol) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close(Runnable done) {
    throw new UnsupportedOperationException();
  }
}
