package dev.troupe.simulation.testkit;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One stream of a {@link FakePeer}: what a {@link Script} does things with, and what it has seen.
 * What is called on it again replaces what was there before.
 */
public final class FakeStream {

  /** The longest frame that {@link #onFrame} reads. */
  public static final int MAX_FRAME = 4 << 20;

  private final Simulation simulation;
  private final Stream stream;
  private final List<Bytes> data = new ArrayList<>();
  private final List<Bytes> frames = new ArrayList<>();
  private final Queue<ByteBuffer> unsent = new ArrayDeque<>();
  private Consumer<Bytes> onData = ignored -> {};
  private Runnable onRemoteClosed = () -> {};
  private boolean reading;
  private boolean closing;
  private boolean remoteClosed;
  private boolean over;
  private @Nullable HostFailure failure;

  FakeStream(Simulation simulation, Stream stream) {
    this.simulation = simulation;
    this.stream = stream;
    stream.start(new Listener());
  }

  // --- what a script does
  // ---------------------------------------------------------------------------

  /** Reads, and hands on what comes, in pieces as they come. */
  public FakeStream onData(Consumer<Bytes> consumer) {
    onData = consumer;
    read();
    return this;
  }

  /**
   * Reads frames: messages, each behind its length as a varint, as most protocols of libp2p have
   * them. Resets the stream when it gets something else.
   */
  public FakeStream onFrame(Consumer<Bytes> consumer) {
    FrameDecoder decoder = new FrameDecoder(MAX_FRAME);
    return onData(
        piece -> {
          decoder.feed(piece.asReadOnlyBuffer());
          try {
            for (Bytes frame = decoder.next(); frame != null; frame = decoder.next()) {
              frames.add(frame);
              consumer.accept(frame);
            }
          } catch (MalformedException e) {
            reset();
          }
        });
  }

  /** Does something once the remote will send no more. */
  public FakeStream onRemoteClosed(Runnable action) {
    onRemoteClosed = action;
    if (remoteClosed) {
      action.run();
    }
    return this;
  }

  /** Sends bytes as they are; what there is no room for waits. */
  public void send(Bytes bytes) {
    unsent.add(ByteBuffer.wrap(bytes.toArray()));
    flush();
  }

  /** Sends a message behind its length as a varint. */
  public void sendFrame(Bytes message) {
    send(Bytes.wrap(Frames.encode(message)));
  }

  /** Closes the fake's side, once all has been sent. */
  public void close() {
    closing = true;
    flush();
  }

  /** Ends the stream at once, in both directions. */
  public void reset() {
    stream.reset(0, "reset by the script");
  }

  /** Does something after some virtual time. */
  public void after(Duration delay, Runnable action) {
    simulation.system().schedule(delay, action);
  }

  // --- what it has seen
  // -----------------------------------------------------------------------------

  /** Who is at the other end. */
  public PeerId remote() {
    return stream.remote();
  }

  /** What it speaks. */
  public ProtocolId protocol() {
    return stream.protocol();
  }

  /** All that was read so far. */
  public Bytes received() {
    return data.stream().reduce(Bytes.EMPTY, Bytes::concat);
  }

  /** The frames that {@link #onFrame} read so far. */
  public List<Bytes> frames() {
    return List.copyOf(frames);
  }

  /** Whether the remote has closed its side. */
  public boolean isRemoteClosed() {
    return remoteClosed;
  }

  /** Whether it has ended, in order or not. */
  public boolean isOver() {
    return over;
  }

  /** Why it ended; null while it goes on, and when it was closed in order. */
  public @Nullable HostFailure failure() {
    return failure;
  }

  // --- the work
  // -------------------------------------------------------------------------------------

  private void read() {
    if (!reading) {
      reading = true;
      stream.request(Long.MAX_VALUE);
    }
  }

  private void flush() {
    while (!unsent.isEmpty()) {
      stream.write(unsent.element());
      if (unsent.element().hasRemaining()) {
        return;
      }
      unsent.remove();
    }
    if (closing) {
      stream.closeWrite();
    }
  }

  private final class Listener implements StreamListener {
    @Override
    public void onData(ByteBuffer piece) {
      Bytes bytes = Bytes.wrap(piece);
      data.add(bytes);
      onData.accept(bytes);
    }

    @Override
    public void onWritable() {
      flush();
    }

    @Override
    public void onRemoteClosed() {
      remoteClosed = true;
      onRemoteClosed.run();
    }

    @Override
    public void onClosed(@Nullable HostFailure why) {
      over = true;
      failure = why;
    }
  }
}
