package dev.troupe.simulation.world;

import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.HostFailure.Kind;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * One end of a stream. The sender may have one window of bytes under way or unread; the receiver
 * grants more as its listener takes what came, half a window at a time.
 */
final class SimulatedStream implements Stream {

  private final SimulatedConnection connection;
  private final long id;
  private final ProtocolId protocol;
  private final Direction direction;
  private final int window;
  private final Traffic.Counter sent;

  private @Nullable StreamListener listener;
  private @Nullable HostFailure failure;
  private boolean over;

  private long credit;
  private boolean writeFellShort;
  private boolean writeClosed;

  private final Queue<ByteBuffer> unread = new ArrayDeque<>(1);
  private long demand;
  private long ungranted;
  private boolean remoteClosed;
  private boolean remoteClosedTold;

  SimulatedStream(
      SimulatedConnection connection, long id, ProtocolId protocol, Direction direction) {
    this.connection = connection;
    this.id = id;
    this.protocol = protocol;
    this.direction = direction;
    this.sent = connection.network().traffic().of(protocol.toString());
    this.window = connection.window(connection.host());
    this.credit = connection.window(connection.farHost());
  }

  long id() {
    return id;
  }

  @Override
  public ConnectionInfo connection() {
    return connection.info();
  }

  @Override
  public ProtocolId protocol() {
    return protocol;
  }

  @Override
  public Direction direction() {
    return direction;
  }

  @Override
  public void start(StreamListener listener) {
    if (this.listener != null) {
      throw new IllegalStateException("the stream has been started before");
    }
    this.listener = listener;
    deliverLater();
  }

  // --- writing
  // --------------------------------------------------------------------------------------

  @Override
  public int write(ByteBuffer data) {
    if (over || failure != null || writeClosed) {
      return 0;
    }
    int taken = 0;
    int maxChunk = connection.network().settings().maxChunk();
    while (data.hasRemaining() && credit > 0) {
      byte[] chunk = new byte[(int) Math.min(Math.min(data.remaining(), credit), maxChunk)];
      data.get(chunk);
      taken += chunk.length;
      credit -= chunk.length;
      sent.add(chunk.length);
      connection.send(
          "data",
          chunk.length,
          Arrays.hashCode(chunk),
          end -> atFarEnd(end, far -> far.onData(chunk)));
    }
    writeFellShort |= data.hasRemaining();
    return taken;
  }

  @Override
  public void closeWrite() {
    if (over || failure != null || writeClosed) {
      return;
    }
    writeClosed = true;
    connection.send("fin", end -> atFarEnd(end, SimulatedStream::onFin));
    deliverLater();
  }

  private void onCredit(long bytes) {
    credit += bytes;
    deliver();
  }

  // --- reading
  // --------------------------------------------------------------------------------------

  @Override
  public void request(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("a request is for at least 1 byte, not " + bytes);
    }
    demand = demand + bytes < 0 ? Long.MAX_VALUE : demand + bytes;
    deliverLater();
  }

  private void onData(byte[] chunk) {
    unread.add(ByteBuffer.wrap(chunk));
    deliver();
  }

  private void onFin() {
    remoteClosed = true;
    deliver();
  }

  private void grant(int bytes) {
    ungranted += bytes;
    if (!remoteClosed && ungranted * 2 >= window) {
      long granted = ungranted;
      ungranted = 0;
      connection.send("window", end -> atFarEnd(end, far -> far.onCredit(granted)));
    }
  }

  // --- ending
  // ---------------------------------------------------------------------------------------

  @Override
  public void reset(long code, String reason) {
    if (over || failure != null) {
      return;
    }
    connection.send("reset", end -> end.onReset(id, code));
    fail(new HostFailure(Kind.STREAM_RESET, reason));
    deliverLater();
  }

  void onReset(long code) {
    fail(
        new HostFailure(Kind.STREAM_RESET, "peer " + remote() + " reset the stream, code " + code));
    deliver();
  }

  void onConnectionEnded(HostFailure lost) {
    fail(lost);
    deliverLater();
  }

  private void fail(HostFailure why) {
    if (over || failure != null) {
      return;
    }
    failure = why;
    unread.clear();
    connection.forget(this);
  }

  // --- telling
  // --------------------------------------------------------------------------------------

  private void deliverLater() {
    if (hasNews()) {
      connection.host().later(this::deliver);
    }
  }

  /** Whether the listener, if there is one, may hear something now. */
  private boolean hasNews() {
    return failure != null
        || (demand > 0 && !unread.isEmpty())
        || (remoteClosed && !remoteClosedTold)
        || (writeClosed && remoteClosedTold)
        || (writeFellShort && credit > 0);
  }

  /** Tells the listener all that it may hear now. Only on the host's loop. */
  private void deliver() {
    StreamListener to = listener;
    if (to == null || over) {
      return;
    }
    while (failure == null && demand > 0 && !unread.isEmpty()) {
      ByteBuffer head = unread.element();
      int size = (int) Math.min(demand, head.remaining());
      ByteBuffer part = head.slice(head.position(), size);
      head.position(head.position() + size);
      if (!head.hasRemaining()) {
        unread.remove();
      }
      if (demand != Long.MAX_VALUE) {
        demand -= size;
      }
      grant(size);
      to.onData(part);
    }
    if (failure == null && remoteClosed && unread.isEmpty() && !remoteClosedTold) {
      remoteClosedTold = true;
      to.onRemoteClosed();
    }
    if (failure == null && writeFellShort && credit > 0 && !writeClosed) {
      writeFellShort = false;
      to.onWritable();
    }
    if (failure != null || (writeClosed && remoteClosedTold)) {
      over = true;
      connection.forget(this);
      to.onClosed(failure);
    }
  }

  private interface AtFarEnd {
    void run(SimulatedStream stream);
  }

  private void atFarEnd(SimulatedConnection end, AtFarEnd action) {
    SimulatedStream stream = end.stream(id);
    if (stream != null) {
      action.run(stream);
    }
  }
}
