package dev.troupe.simulation.world;

import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.HostFailure.Kind;
import dev.troupe.actors.host.Identification;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamHandler;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One end of a connection. What it sends runs at the other end, on the loop of the host there. */
final class SimulatedConnection {

  private final SimulatedNetwork network;
  private final SimulatedHost host;
  private final SimulatedHost farHost;
  private final ConnectionInfo info;
  private final Pipe out;
  private final Map<Long, SimulatedStream> streams = new LinkedHashMap<>();
  private final Map<Long, Call<Stream>> opening = new LinkedHashMap<>();
  private @Nullable SimulatedConnection far;
  private long nextStream;
  private boolean over;

  SimulatedConnection(
      SimulatedNetwork network,
      SimulatedHost host,
      SimulatedHost farHost,
      ConnectionInfo info,
      Pipe out) {
    this.network = network;
    this.host = host;
    this.farHost = farHost;
    this.info = info;
    this.out = out;
    this.nextStream = info.direction() == Direction.OUTBOUND ? 1 : 2;
  }

  /** Names the other end; the dialler's end lives before the listener's does. */
  void join(SimulatedConnection other) {
    this.far = other;
  }

  ConnectionInfo info() {
    return info;
  }

  SimulatedHost host() {
    return host;
  }

  SimulatedHost farHost() {
    return farHost;
  }

  /** What one direction of a stream may have under way to this receiver. */
  int window(SimulatedHost receiver) {
    return Math.min(network.settings().window(), receiver.settings().maxReceiveWindow());
  }

  SimulatedNetwork network() {
    return network;
  }

  int openStreams() {
    return streams.size() + opening.size();
  }

  // --- faults
  // ---------------------------------------------------------------------------------------

  boolean isOn(SimulatedWorld machine) {
    return host.machine() == machine;
  }

  boolean isTo(SimulatedWorld machine) {
    return farHost.machine() == machine;
  }

  boolean isAcross(Collection<SimulatedWorld> side, Collection<SimulatedWorld> other) {
    SimulatedWorld here = host.machine();
    SimulatedWorld there = farHost.machine();
    return (side.contains(here) && other.contains(there))
        || (side.contains(there) && other.contains(here));
  }

  boolean isCutOff() {
    return farHost.isDead()
        || out.isStale()
        || network.partedSince(host.machine(), farHost.machine()) >= 0;
  }

  /** From now on the network may lose it, which ends it here and then at the other end. */
  void mayBeLost() {
    out.carries(
        this::lost,
        () -> {
          SimulatedConnection end = far;
          if (end != null) {
            end.lost();
          }
        });
  }

  private void lost() {
    host.later(
        () ->
            end(
                new HostFailure(
                    Kind.CONNECTION_LOST, "the connection to peer " + info.peer() + " was lost")));
  }

  /** Nothing comes from the other end any more: gives up when that lasts. */
  void suspect() {
    long since = network.partedSince(host.machine(), farHost.machine());
    network
        .system()
        .schedule(
            network.settings().silence(),
            () ->
                host.later(
                    () -> {
                      boolean still =
                          since >= 0
                              && network.partedSince(host.machine(), farHost.machine()) == since;
                      if (farHost.isDead() || out.isStale() || still) {
                        end(
                            new HostFailure(
                                Kind.TIMED_OUT,
                                "nothing heard of peer "
                                    + info.peer()
                                    + " for "
                                    + network.settings().silence().toMillis()
                                    + " ms"));
                      }
                    }));
  }

  // --- sending
  // --------------------------------------------------------------------------------------

  void send(String what, Consumer<SimulatedConnection> arrival) {
    send(what, 0, 0, arrival);
  }

  void send(String what, long size, int digest, Consumer<SimulatedConnection> arrival) {
    if (over) {
      return;
    }
    out.send(
        what,
        size,
        digest,
        () ->
            farHost.arrive(
                () -> {
                  SimulatedConnection end = far;
                  if (end != null && !end.over) {
                    arrival.accept(end);
                  }
                }));
  }

  void sendIdentification(Identification identification) {
    send("identify", end -> end.host.identified(end, identification));
  }

  // --- streams
  // --------------------------------------------------------------------------------------

  void open(Call<Stream> call, List<ProtocolId> protocols) {
    if (openStreams() >= host.settings().maxStreamsPerConnection()) {
      call.fail(
          Kind.LIMIT_EXCEEDED,
          "connection "
              + info.id()
              + " has "
              + host.settings().maxStreamsPerConnection()
              + " streams");
      return;
    }
    long id = nextStream;
    nextStream += 2;
    opening.put(id, call);
    call.onFailure(
        () -> {
          if (opening.remove(id) != null) {
            send("reset", end -> end.onReset(id, 0));
          }
        });
    send("open", end -> end.onOpen(id, protocols));
  }

  private void onOpen(long id, List<ProtocolId> protocols) {
    if (openStreams() >= host.settings().maxStreamsPerConnection()) {
      send("reset", end -> end.onReset(id, 0));
      return;
    }
    for (ProtocolId protocol : protocols) {
      StreamHandler handler = host.handler(protocol);
      if (handler != null) {
        SimulatedStream stream = new SimulatedStream(this, id, protocol, Direction.INBOUND);
        streams.put(id, stream);
        send("accept", end -> end.onAccepted(id, protocol));
        handler.onStream(stream);
        return;
      }
    }
    send("refuse", end -> end.onRefused(id, protocols));
  }

  private void onAccepted(long id, ProtocolId protocol) {
    Call<Stream> call = opening.remove(id);
    if (call != null) {
      SimulatedStream stream = new SimulatedStream(this, id, protocol, Direction.OUTBOUND);
      streams.put(id, stream);
      call.succeed(stream);
    }
  }

  private void onRefused(long id, List<ProtocolId> protocols) {
    Call<Stream> call = opening.remove(id);
    if (call != null) {
      call.fail(
          Kind.PROTOCOL_NOT_SUPPORTED, "peer " + info.peer() + " speaks none of " + protocols);
    }
  }

  void onReset(long id, long code) {
    Call<Stream> call = opening.remove(id);
    if (call != null) {
      call.fail(Kind.STREAM_RESET, "peer " + info.peer() + " reset the stream");
    }
    SimulatedStream stream = streams.get(id);
    if (stream != null) {
      stream.onReset(code);
    }
  }

  @Nullable SimulatedStream stream(long id) {
    return streams.get(id);
  }

  void forget(SimulatedStream stream) {
    streams.remove(stream.id());
  }

  // --- the end
  // --------------------------------------------------------------------------------------

  /** We close it: the other end hears so after all that was sent before. */
  void close(HostFailure reason) {
    send(
        "go-away",
        end ->
            end.end(
                new HostFailure(
                    Kind.CONNECTION_LOST, "peer " + end.info.peer() + " closed the connection")));
    end(reason);
  }

  /** The listener never took it, or is closing. */
  void remoteClosed(String message) {
    host.later(() -> end(new HostFailure(Kind.CONNECTION_LOST, message)));
  }

  private void end(HostFailure reason) {
    if (over) {
      return;
    }
    over = true;
    for (Call<Stream> call : List.copyOf(opening.values())) {
      call.fail(reason.kind(), reason.message());
    }
    opening.clear();
    for (SimulatedStream stream : new ArrayList<>(streams.values())) {
      stream.onConnectionEnded(reason);
    }
    host.ended(this, reason);
  }
}
