package dev.troupe.actors.builtin;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A stream as the host's users see it: callable from any thread, while all that touches the
 * connection happens on its event loop.
 *
 * <p>How much a writer may hand over is counted on both sides without a lock: the writer alone adds
 * to {@code taken}, the loop alone to {@code drained}, and their difference never exceeds the
 * stream's send buffer.
 *
 * <p>Half-closed. After {@link #closeWrite} the stream is looked at once every linger period. What
 * has not been sent must become less by {@link #LINGER_BYTES} in each, or be sent; and somebody
 * must have asked for bytes within {@link #UNREAD_PERIODS} of them. Otherwise nobody at the other
 * end, or at this one, cares for it any more, and it is reset. An answer that somebody waits for
 * may take as long as it does.
 */
final class HostStream implements Stream, StreamListener {

  /** The least that must be sent in each linger period while there is as much to send: 64 KiB. */
  static final int LINGER_BYTES = 64 * 1024;

  /** After so many linger periods without any demand, a half-closed stream is reset. */
  static final int UNREAD_PERIODS = 10;

  private final EventLoop loop;
  private final MuxedStream stream;
  private final ConnectionInfo connection;
  private final ProtocolId protocol;
  private final Direction direction;
  private final int capacity;
  private final long lingerNanos;
  private final Runnable onEnd;
  private final AtomicBoolean started = new AtomicBoolean();

  /** Bytes taken from the writer in all; written by the writer only. */
  private volatile long taken;

  /** Of these, bytes that have left the send buffer; written on the loop only. */
  private volatile long drained;

  private volatile boolean over;

  /** Tasks on their way to the loop. */
  private final AtomicInteger underWay = new AtomicInteger();

  // On the loop only.
  private long handedOver;
  private boolean writeClosed;
  private @Nullable Cancellable linger;
  private int unsent;
  private int unreadPeriods;

  /** A reader slower than the network has at each look been given all that it asked for. */
  private boolean askedSinceLook;

  private @Nullable StreamListener listener;
  private ByteBuffer early;
  private boolean remoteClosed;
  private boolean remoteCloseTold;
  private boolean ended;
  private @Nullable HostFailure failure;
  private boolean endTold;
  private boolean telling;

  /** What the listener asked for while it was being told something. */
  private long asked;

  /** What the listener may still be given. */
  private long demand;

  /** What the muxer may still give; more than the demand only for what the negotiation let in. */
  private long granted;

  /**
   * On the loop.
   *
   * @param lingerNanos how long each look at a half-closed stream is from the next
   */
  HostStream(
      EventLoop loop,
      MuxedStream stream,
      ConnectionInfo connection,
      ProtocolId protocol,
      Direction direction,
      ByteBuffer early,
      long granted,
      long lingerNanos,
      Runnable onEnd) {
    this.loop = loop;
    this.stream = stream;
    this.connection = connection;
    this.protocol = protocol;
    this.direction = direction;
    this.capacity = stream.room();
    this.early = early;
    this.granted = granted;
    this.lingerNanos = lingerNanos;
    this.onEnd = onEnd;
    stream.listen(this);
  }

  @Override
  public ConnectionInfo connection() {
    return connection;
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
  public void start(StreamListener newListener) {
    if (!started.compareAndSet(false, true)) {
      throw new IllegalStateException("the stream has been started before");
    }
    onLoop(
        () -> {
          listener = newListener;
          deliver();
        });
  }

  @Override
  public void request(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("a demand of " + bytes + " bytes");
    }
    onLoop(
        () -> {
          asked = asked + bytes < 0 ? Long.MAX_VALUE : asked + bytes;
          askedSinceLook = true;
          grant();
        });
  }

  /**
   * Passes on what was asked for, but not from inside a call of the listener, which would then be
   * called within itself.
   */
  private void grant() {
    while (asked > 0 && !telling) {
      demand = demand + asked < 0 ? Long.MAX_VALUE : demand + asked;
      asked = 0;
      deliver();
      long missing = demand - granted;
      if (missing > 0) {
        granted = demand;
        stream.request(missing);
      }
    }
  }

  private void tell(Runnable call) {
    telling = true;
    try {
      call.run();
    } finally {
      telling = false;
    }
    grant();
    deliver();
  }

  @Override
  public int write(ByteBuffer data) {
    if (over) {
      return 0;
    }
    int part = (int) Math.min(data.remaining(), capacity - (taken - drained));
    boolean all = part == data.remaining();
    ByteBuffer slice = data.slice(data.position(), part);
    data.position(data.position() + part);
    taken += part;
    if (part > 0) {
      onLoop(
          () -> {
            handedOver += part;
            if (!writeClosed) {
              stream.write(slice);
            }
            countDrained();
          });
    }
    if (!all) {
      // Never from inside this call, where the writer does not expect to be told.
      loop.execute(
          () -> {
            if (!ended) {
              stream.notifyWhenWritable();
            }
          });
    }
    return part;
  }

  private void countDrained() {
    drained = handedOver - (capacity - stream.room());
  }

  @Override
  public void closeWrite() {
    onLoop(
        () -> {
          if (!writeClosed) {
            writeClosed = true;
            stream.closeWrite();
            unsent = stream.unsent();
            lingerOn();
          }
        });
  }

  private void lingerOn() {
    if (!ended) {
      linger = loop.schedule(lingerNanos, this::look);
    }
  }

  private void look() {
    int before = unsent;
    unsent = stream.unsent();
    unreadPeriods = demand > 0 || asked > 0 || askedSinceLook ? 0 : unreadPeriods + 1;
    askedSinceLook = false;
    if (unsent > 0 && before - unsent < LINGER_BYTES) {
      stream.reset(0, "the remote did not take what was sent before the end");
    } else if (unreadPeriods >= UNREAD_PERIODS) {
      stream.reset(0, "the remote did not end its side, and nobody reads it");
    } else {
      lingerOn();
    }
  }

  @Override
  public void reset(long code, String reason) {
    onLoop(() -> stream.reset(code, reason));
  }

  /** Runs now what may run now, but never before what came earlier from another thread. */
  private void onLoop(Runnable task) {
    if (loop.inLoop() && underWay.get() == 0) {
      task.run();
    } else {
      underWay.incrementAndGet();
      loop.execute(
          () -> {
            underWay.decrementAndGet();
            task.run();
          });
    }
  }

  // ---- from the muxer, on the loop

  /** Tells the listener what has waited for it, in order. */
  private void deliver() {
    StreamListener hears = listener;
    if (hears == null || telling) {
      return;
    }
    while (demand > 0 && early.hasRemaining()) {
      int part = (int) Math.min(demand, early.remaining());
      ByteBuffer data = early.slice(early.position(), part);
      early.position(early.position() + part);
      spend(part);
      tell(() -> hears.onData(data));
    }
    if (remoteClosed && !remoteCloseTold && !early.hasRemaining()) {
      remoteCloseTold = true;
      tell(hears::onRemoteClosed);
    }
    // An orderly end waits until all that came before it has been asked for; a failure does not.
    if (ended && !endTold && (failure != null || remoteCloseTold)) {
      endTold = true;
      early.position(early.limit());
      tell(() -> hears.onClosed(failure));
    }
  }

  @Override
  public void onData(ByteBuffer data) {
    int size = data.remaining();
    if (granted != Long.MAX_VALUE) {
      granted -= size;
    }
    StreamListener hears = listener;
    if (hears != null && !telling && demand >= size && !early.hasRemaining()) {
      spend(size);
      tell(() -> hears.onData(data));
      return;
    }
    // What the negotiation let in beyond the agreement: at most its own demand.
    ByteBuffer joined = ByteBuffer.allocate(early.remaining() + size);
    early = joined.put(early).put(data).flip();
    deliver();
  }

  private void spend(int bytes) {
    if (demand != Long.MAX_VALUE) {
      demand -= bytes;
    }
  }

  @Override
  public void onWritable() {
    countDrained();
    StreamListener hears = listener;
    if (hears != null) {
      tell(hears::onWritable);
    }
  }

  @Override
  public void onRemoteClosed() {
    remoteClosed = true;
    deliver();
  }

  @Override
  public void onClosed(@Nullable HostFailure reason) {
    over = true;
    ended = true;
    failure = reason;
    if (linger != null) {
      linger.cancel();
    }
    onEnd.run();
    deliver();
  }
}
