package dev.troupe.actors.builtin;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.actors.link.RawLink;
import dev.troupe.actors.link.RawLinkListener;
import dev.troupe.protocol.connection.ConnectionCloseReason;
import dev.troupe.protocol.connection.ConnectionEvents;
import dev.troupe.protocol.connection.ConnectionMachine;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.NoiseTransport;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Turns a {@link ConnectionMachine} over a {@link RawLink}, on the link's own event loop: what the
 * link brings goes in, what the machine has to say goes out, gathered into full records and flushed
 * once a turn, and its deadlines are kept.
 */
final class LinkDriver implements MuxedConnection, RawLinkListener, ConnectionEvents {

  /** How much is asked of the link at once: room for two full records. */
  private static final int OUTPUT_BUFFER = 2 * (2 + NoiseTransport.MAX_RECORD);

  /** How long a closing link may take to send what is left before it is aborted: 5 s. */
  private static final long LINGER_NANOS = 5_000_000_000L;

  private final RawLink link;
  private final Listener listener;
  private final ByteBuffer scratch;
  private final ConnectionMachine machine;
  private final Map<Integer, DrivenStream> streams = new LinkedHashMap<>();

  private boolean reading;
  private boolean turnScheduled;
  private boolean ended;
  private boolean linkClosed;
  private long timerAt = Long.MAX_VALUE;
  private @Nullable Cancellable timer;

  /**
   * A driver for a link that has not been started; on its loop.
   *
   * @param scratch at least {@link NoiseTransport#MAX_PLAINTEXT} bytes that only this loop uses
   * @param machine makes the machine that reports to the driver
   */
  LinkDriver(
      RawLink link,
      Listener listener,
      ByteBuffer scratch,
      Function<ConnectionEvents, ConnectionMachine> machine) {
    this.link = link;
    this.listener = listener;
    this.scratch = scratch;
    this.machine = machine.apply(this);
  }

  void start() {
    machine.start(link.loop().nanos());
    link.start(this);
    turn();
  }

  // ---- the link

  @Override
  public void onRead(ByteBuffer data) {
    reading = true;
    machine.receive(data, link.loop().nanos());
  }

  @Override
  public void onReadComplete() {
    reading = false;
    turn();
  }

  @Override
  public void onWritable() {
    turn();
  }

  @Override
  public void onClosed(String reason) {
    linkClosed = true;
    if (timer != null) {
      timer.cancel();
    }
    machine.onTransportClosed(link.loop().nanos());
    listener.onReleased();
  }

  /** Everything that follows a change of the machine: output, deadline, end. */
  private void turn() {
    turnScheduled = false;
    if (linkClosed) {
      return;
    }
    boolean any = false;
    while (machine.hasOutput() && link.isWritable()) {
      ByteBuffer out = link.reserve(OUTPUT_BUFFER);
      int written = machine.transmit(out, scratch, link.loop().nanos());
      link.commit();
      if (written == 0) {
        break;
      }
      any = true;
    }
    if (any) {
      link.flush();
    }
    if (ended && !machine.hasOutput()) {
      link.close();
    }
    keepDeadline();
  }

  private void scheduleTurn() {
    if (!reading && !turnScheduled) {
      turnScheduled = true;
      link.loop().execute(this::turn);
    }
  }

  private void keepDeadline() {
    long deadline = machine.deadlineNanos();
    if (deadline == Long.MAX_VALUE || (timer != null && timerAt - deadline <= 0)) {
      return;
    }
    if (timer != null) {
      timer.cancel();
    }
    timerAt = deadline;
    timer = link.loop().schedule(deadline - link.loop().nanos(), this::onTimer);
  }

  private void onTimer() {
    timer = null;
    machine.onDeadline(link.loop().nanos());
    turn();
  }

  // ---- the machine

  @Override
  public void onSecured(PeerId remote, PublicKey key, ProtocolId muxer) {
    listener.onSecured(remote);
  }

  @Override
  public void onStreamOpened(int id) {
    DrivenStream stream = new DrivenStream(id);
    streams.put(id, stream);
    listener.onStream(stream);
  }

  @Override
  public void onStreamData(int id, ByteBuffer data) {
    DrivenStream stream = streams.get(id);
    if (stream != null) {
      stream.listener().onData(data);
    }
  }

  @Override
  public void onStreamWritable(int id) {
    DrivenStream stream = streams.get(id);
    if (stream != null) {
      stream.listener().onWritable();
    }
  }

  @Override
  public void onStreamRemoteClosed(int id) {
    DrivenStream stream = streams.get(id);
    if (stream != null) {
      stream.listener().onRemoteClosed();
    }
  }

  @Override
  public void onStreamClosed(int id) {
    DrivenStream stream = streams.remove(id);
    if (stream != null) {
      stream.listener().onClosed(null);
    }
  }

  @Override
  public void onStreamReset(int id, long code) {
    DrivenStream stream = streams.remove(id);
    if (stream != null) {
      stream
          .listener()
          .onClosed(
              new HostFailure(
                  HostFailure.Kind.STREAM_RESET,
                  "the remote reset the stream (code " + code + ")"));
    }
  }

  @Override
  public void onClosed(ConnectionCloseReason reason) {
    ended = true;
    HostFailure failure = new HostFailure(kindOf(reason.kind()), reason.message());
    List<DrivenStream> open = new ArrayList<>(streams.values());
    streams.clear();
    open.forEach(stream -> stream.listener().onClosed(failure));
    listener.onEnded(failure);
    if (!linkClosed) {
      scheduleTurn();
      link.loop().schedule(LINGER_NANOS, link::abort);
    }
  }

  private static HostFailure.Kind kindOf(ConnectionCloseReason.Kind kind) {
    return switch (kind) {
      case CLOSED_LOCALLY -> HostFailure.Kind.CLOSED;
      case CLOSED_BY_REMOTE, LOST -> HostFailure.Kind.CONNECTION_LOST;
      case TIMED_OUT, UNRESPONSIVE -> HostFailure.Kind.TIMED_OUT;
      case WRONG_PEER -> HostFailure.Kind.WRONG_PEER;
      case NOTHING_IN_COMMON, HANDSHAKE_FAILED -> HostFailure.Kind.HANDSHAKE_FAILED;
      case PROTOCOL_VIOLATION -> HostFailure.Kind.MALFORMED;
    };
  }

  // ---- the muxed connection

  @Override
  public EventLoop loop() {
    return link.loop();
  }

  @Override
  public @Nullable MuxedStream openStream() {
    int id = machine.openStream(link.loop().nanos());
    if (id < 0) {
      return null;
    }
    DrivenStream stream = new DrivenStream(id);
    streams.put(id, stream);
    scheduleTurn();
    return stream;
  }

  @Override
  public boolean isOver() {
    return ended;
  }

  @Override
  public void close(long code, String reason) {
    if (!ended) {
      machine.close(code, reason, link.loop().nanos());
    }
  }

  private final class DrivenStream implements MuxedStream {
    private final int id;
    private @Nullable StreamListener listener;

    DrivenStream(int id) {
      this.id = id;
    }

    StreamListener listener() {
      if (listener == null) {
        throw new IllegalStateException("nobody listens to stream " + id);
      }
      return listener;
    }

    @Override
    public void listen(StreamListener newListener) {
      listener = newListener;
    }

    @Override
    public void request(long bytes) {
      machine.request(id, bytes, link.loop().nanos());
      scheduleTurn();
    }

    @Override
    public int write(ByteBuffer data) {
      int taken = machine.write(id, data, link.loop().nanos());
      scheduleTurn();
      return taken;
    }

    @Override
    public int unsent() {
      return machine.unsent(id);
    }

    @Override
    public int room() {
      return machine.room(id);
    }

    @Override
    public void notifyWhenWritable() {
      machine.notifyWhenWritable(id);
    }

    @Override
    public void closeWrite() {
      machine.closeWrite(id, link.loop().nanos());
      scheduleTurn();
    }

    @Override
    public void reset(long code, String reason) {
      if (streams.remove(id) != null) {
        machine.reset(id, code, link.loop().nanos());
        scheduleTurn();
        listener().onClosed(new HostFailure(HostFailure.Kind.STREAM_RESET, reason));
      }
    }
  }
}
