package dev.troupe.actors.fakes;

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
import org.jspecify.annotations.Nullable;

/**
 * A host whose network is the test: it answers each request for a stream or to listen, and opens
 * streams in the name of remotes.
 */
public final class ScriptedHost implements Host {

  /** One request for a stream. */
  public static final class Opening {
    private final PeerId peer;
    private final ProtocolId protocol;
    private final Completion<Stream> completion;

    /** Whether it was called off. */
    public boolean cancelled;

    Opening(PeerId peer, ProtocolId protocol, Completion<Stream> completion) {
      this.peer = peer;
      this.protocol = protocol;
      this.completion = completion;
    }

    /** The first protocol that was asked for. */
    public ProtocolId protocol() {
      return protocol;
    }

    /** The stream is open. */
    public ScriptedStream succeed() {
      return succeed(Long.MAX_VALUE);
    }

    /** The stream is open, with room for so many bytes. */
    public ScriptedStream succeed(long room) {
      ScriptedStream stream =
          new ScriptedStream(connection(peer, Direction.OUTBOUND), protocol, Direction.OUTBOUND);
      stream.room = room;
      completion.succeeded(stream);
      return stream;
    }

    /** There is no stream. */
    public void fail(HostFailure.Kind kind) {
      completion.failed(new HostFailure(kind, "no stream, by order of the test"));
    }
  }

  /** One request to listen. */
  public static final class Listening {
    private final Multiaddr address;
    private final Completion<List<Multiaddr>> completion;

    Listening(Multiaddr address, Completion<List<Multiaddr>> completion) {
      this.address = address;
      this.completion = completion;
    }

    /** It listens. */
    public void succeed() {
      completion.succeeded(List.of(address));
    }

    /** It does not. */
    public void fail(HostFailure.Kind kind) {
      completion.failed(new HostFailure(kind, "no listening, by order of the test"));
    }
  }

  private final PeerId self;
  private final Map<ProtocolId, StreamHandler> handlers = new LinkedHashMap<>();

  /** Requests for streams, the oldest first. */
  public final List<Opening> openings = new ArrayList<>();

  /** Requests to listen, the oldest first. */
  public final List<Listening> listenings = new ArrayList<>();

  /** What is to be run when nothing of the host is left, for each call of {@link #close}. */
  public final List<Runnable> closings = new ArrayList<>();

  /** A host of this identity. */
  public ScriptedHost(PeerId self) {
    this.self = self;
  }

  private static ConnectionInfo connection(PeerId peer, Direction direction) {
    try {
      Multiaddr address = Multiaddr.parse("/ip4/127.0.0.1/tcp/4001");
      return new ConnectionInfo(new ConnectionId(1), peer, address, address, direction);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  /** The oldest request for a stream that the test did not take; there must be one. */
  public Opening takeOpening() {
    return openings.remove(0);
  }

  /** A remote opens a stream to us; somebody must handle its protocol. */
  public ScriptedStream accept(PeerId peer, ProtocolId protocol) {
    ScriptedStream stream =
        new ScriptedStream(connection(peer, Direction.INBOUND), protocol, Direction.INBOUND);
    handlers.get(protocol).onStream(stream);
    return stream;
  }

  /** Whether streams of a protocol are accepted. */
  public boolean handles(ProtocolId protocol) {
    return handlers.containsKey(protocol);
  }

  @Override
  public PeerId peerId() {
    return self;
  }

  @Override
  public Cancellable openStream(
      PeerId peer, List<ProtocolId> protocols, Completion<Stream> completion) {
    Opening opening = new Opening(peer, protocols.get(0), completion);
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
    // Nothing happens on this host but what the test orders.
  }

  @Override
  public void listen(Multiaddr address, Completion<List<Multiaddr>> completion) {
    listenings.add(new Listening(address, completion));
  }

  @Override
  public List<Multiaddr> listenAddresses() {
    return List.of();
  }

  @Override
  public Cancellable dial(
      Multiaddr address, @Nullable PeerId expected, Completion<ConnectionInfo> completion) {
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
    closings.add(done);
  }
}
