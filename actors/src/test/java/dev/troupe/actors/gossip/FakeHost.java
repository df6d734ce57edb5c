package dev.troupe.actors.gossip;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.Host;
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

/**
 * A host whose network is the test: it answers each request for a stream, and opens streams in the
 * name of remotes.
 */
final class FakeHost implements Host {

  static final ProtocolId MESHSUB = new ProtocolId("/meshsub/1.1.0");

  /** One request for a stream. */
  static final class Opening {
    final PeerId peer;
    final List<ProtocolId> protocols;
    final Completion<Stream> completion;
    boolean cancelled;

    Opening(PeerId peer, List<ProtocolId> protocols, Completion<Stream> completion) {
      this.peer = peer;
      this.protocols = protocols;
      this.completion = completion;
    }

    FakeStream succeed() {
      FakeStream stream = new FakeStream(connection(peer, Direction.OUTBOUND), Direction.OUTBOUND);
      completion.succeeded(stream);
      return stream;
    }

    void fail(HostFailure.Kind kind) {
      completion.failed(new HostFailure(kind, "no stream, by order of the test"));
    }
  }

  private final PeerId self;
  final List<Opening> openings = new ArrayList<>();
  final Map<ProtocolId, StreamHandler> handlers = new LinkedHashMap<>();

  FakeHost(PeerId self) {
    this.self = self;
  }

  static ConnectionInfo connection(PeerId peer, Direction direction) {
    try {
      Multiaddr address = Multiaddr.parse("/ip4/127.0.0.1/tcp/4001");
      return new ConnectionInfo(new ConnectionId(1), peer, address, address, direction);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  /** The request not yet taken by the test; there must be one. */
  Opening takeOpening() {
    return openings.remove(0);
  }

  /** A remote opens a stream to us. */
  FakeStream accept(PeerId peer) {
    FakeStream stream = new FakeStream(connection(peer, Direction.INBOUND), Direction.INBOUND);
    handlers.get(MESHSUB).onStream(stream);
    return stream;
  }

  @Override
  public PeerId peerId() {
    return self;
  }

  @Override
  public Cancellable openStream(
      PeerId peer, List<ProtocolId> protocols, Completion<Stream> completion) {
    Opening opening = new Opening(peer, protocols, completion);
    openings.add(opening);
    return () -> opening.cancelled = true;
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
  public List<Multiaddr> listenAddresses() {
    return List.of();
  }

  @Override
  public Cancellable dial(
      Multiaddr address, PeerId expected, Completion<ConnectionInfo> completion) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<ConnectionInfo> connections(PeerId peer) {
    return connections().stream().filter(connection -> connection.peer().equals(peer)).toList();
  }

  @Override
  public List<ConnectionInfo> connections() {
    return List.of();
  }

  @Override
  public int openStreams(ConnectionId connection) {
    return 0;
  }

  @Override
  public void disconnect(ConnectionId connection, String reason) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close(Runnable done) {
    done.run();
  }
}
