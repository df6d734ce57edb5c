package dev.troupe.simulation.world;

import dev.troupe.actors.link.EventLoop;
import dev.troupe.actors.link.RawLink;
import dev.troupe.actors.link.RawLinkListener;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * One end of a link. At most one window of bytes is under way or unread at the other end; what does
 * not fit waits here, and makes the link unwritable above the high-water mark.
 */
final class SimulatedLink implements RawLink {

  /** Bytes that may wait here before the link says that it is not writable. */
  private static final int HIGH_WATER = 128 * 1024;

  private final SimulatedNetwork network;
  private final SimulatedLoop loop;
  private final Pipe out;
  private final Traffic.Counter sent;
  private final Multiaddr local;
  private final Multiaddr remote;
  private @Nullable SimulatedLink far;
  private @Nullable RawLinkListener listener;

  private @Nullable ByteBuffer reserved;
  private final Queue<ByteBuffer> committed = new ArrayDeque<>();
  private final Queue<ByteBuffer> waiting = new ArrayDeque<>();
  private long queued;
  private long credit;
  private boolean unwritable;
  private boolean closing;

  private final Queue<ByteBuffer> unread = new ArrayDeque<>();
  private int ungranted;
  private boolean reading = true;
  private boolean farClosed;
  private boolean over;

  SimulatedLink(
      SimulatedNetwork network, SimulatedLoop loop, Pipe out, Multiaddr local, Multiaddr remote) {
    this.network = network;
    this.loop = loop;
    this.out = out;
    this.sent = network.traffic().of(Traffic.LINKS);
    this.local = local;
    this.remote = remote;
    this.credit = network.settings().window();
  }

  void join(SimulatedLink other) {
    this.far = other;
    out.carries(this::lost, other::lost);
  }

  @Override
  public EventLoop loop() {
    return loop;
  }

  @Override
  public Multiaddr localAddress() {
    return local;
  }

  @Override
  public Multiaddr remoteAddress() {
    return remote;
  }

  @Override
  public void start(RawLinkListener listener) {
    if (this.listener != null) {
      throw new IllegalStateException("the link has been started before");
    }
    this.listener = listener;
    loop.execute(this::deliver);
  }

  // --- writing
  // --------------------------------------------------------------------------------------

  @Override
  public ByteBuffer reserve(int capacity) {
    if (reserved != null) {
      throw new IllegalStateException("a buffer is out already");
    }
    ByteBuffer buffer = network.linkBuffer().take(capacity);
    reserved = buffer;
    return buffer;
  }

  @Override
  public void commit() {
    ByteBuffer buffer = reserved;
    if (buffer == null) {
      throw new IllegalStateException("no buffer is out");
    }
    reserved = null;
    ByteBuffer said = network.linkBuffer().copyOf(buffer);
    if (said.hasRemaining() && !over && !closing) {
      queued += said.remaining();
      committed.add(said);
      unwritable |= !isWritable();
    }
  }

  @Override
  public void flush() {
    waiting.addAll(committed);
    committed.clear();
    transmit();
  }

  private void transmit() {
    while (!over && credit > 0 && !waiting.isEmpty()) {
      ByteBuffer head = waiting.element();
      int size = (int) Math.min(Math.min(head.remaining(), credit), network.settings().maxChunk());
      ByteBuffer chunk = head.slice(head.position(), size);
      head.position(head.position() + size);
      if (!head.hasRemaining()) {
        waiting.remove();
      }
      queued -= size;
      credit -= size;
      sent.add(size);
      send("bytes", size, chunk.hashCode(), link -> link.onChunk(chunk));
    }
    if (closing && waiting.isEmpty() && !over) {
      send("fin", SimulatedLink::onFin);
      end("closed");
    }
  }

  private void onCredit(int bytes) {
    credit += bytes;
    transmit();
    if (unwritable && isWritable() && !over && listener != null) {
      unwritable = false;
      listener.onWritable();
    }
  }

  @Override
  public boolean isWritable() {
    return queued < HIGH_WATER;
  }

  // --- reading
  // --------------------------------------------------------------------------------------

  @Override
  public void setReading(boolean reading) {
    this.reading = reading;
    if (reading && (farClosed || !unread.isEmpty())) {
      loop.execute(this::deliver);
    }
  }

  private void onChunk(ByteBuffer chunk) {
    unread.add(chunk);
    deliver();
  }

  private void onFin() {
    farClosed = true;
    deliver();
  }

  private void lost() {
    loop.execute(() -> end("the connection was lost"));
  }

  private void onReset() {
    end("the remote aborted the link");
  }

  private void deliver() {
    RawLinkListener to = listener;
    if (to == null || over) {
      return;
    }
    boolean any = false;
    while (!over && reading && !unread.isEmpty()) {
      ByteBuffer chunk = unread.remove();
      int size = chunk.remaining();
      any = true;
      grant(size);
      to.onRead(chunk);
    }
    if (any && !over) {
      to.onReadComplete();
    }
    if (farClosed && unread.isEmpty()) {
      end("the remote closed the link");
    }
  }

  /** Half a window at a time, as TCP does. */
  private void grant(int bytes) {
    ungranted += bytes;
    if (ungranted * 2 >= network.settings().window()) {
      int granted = ungranted;
      ungranted = 0;
      send("window", link -> link.onCredit(granted));
    }
  }

  // --- the end
  // --------------------------------------------------------------------------------------

  @Override
  public void close() {
    if (!closing && !over) {
      flush();
      closing = true;
      transmit();
    }
  }

  @Override
  public void abort() {
    if (!over) {
      send("reset", SimulatedLink::onReset);
      end("aborted");
    }
  }

  private void end(String reason) {
    if (over) {
      return;
    }
    over = true;
    committed.clear();
    waiting.clear();
    unread.clear();
    loop.execute(
        () -> {
          if (listener != null) {
            listener.onClosed(reason);
          }
        });
  }

  private interface Arrival {
    void run(SimulatedLink link);
  }

  private void send(String what, Arrival arrival) {
    send(what, 0, 0, arrival);
  }

  private void send(String what, long size, int digest, Arrival arrival) {
    out.send(
        what,
        size,
        digest,
        () -> {
          SimulatedLink end = far;
          if (end != null) {
            end.loop.arrive(
                () -> {
                  if (!end.over) {
                    arrival.run(end);
                  }
                });
          }
        });
  }
}
