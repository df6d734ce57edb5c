package dev.troupe.actors.virtualconnections;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One stream of a virtual connection, used by its actor only. What the stream says is told to the
 * actor, and comes back here through {@link #onData} and {@link #onWritable}.
 */
final class EnvelopeStream {

  /** What a stream tells the actor, from the event loop. */
  sealed interface Event {
    EnvelopeStream stream();
  }

  record Data(EnvelopeStream stream, ByteBuffer data) implements Event {}

  record Writable(EnvelopeStream stream) implements Event {}

  record RemoteClosed(EnvelopeStream stream) implements Event {}

  record Closed(EnvelopeStream stream, @Nullable HostFailure failure) implements Event {}

  private static final int WINDOW = 64 * 1024;

  /**
   * Frames that wait to be written; a remote that sends without reading its acknowledgements is
   * reset at this many.
   */
  private static final int MAX_FRAMES = 64;

  /**
   * Messages that wait for our acknowledgement; a remote that sends on without waiting for any is
   * reset at one more. Ours sends one at a time.
   */
  static final int MAX_UNANSWERED = 64;

  /**
   * The room a frame has at first: a remote that only says how much it will send holds no more of
   * our memory.
   */
  private static final int FIRST_ROOM = 4 * 1024;

  private final Stream stream;
  private final int maxFrame;
  private final Deque<ByteBuffer> outgoing = new ArrayDeque<>();
  private final ByteBuffer header = ByteBuffer.allocate(4);

  /** The frame under way: what of it has come, in room that doubles; null between frames. */
  private byte @Nullable [] frame;

  private int length;
  private int filled;
  private int unanswered;
  private boolean remoteClosed;
  private boolean broken;

  EnvelopeStream(Stream stream, int maxFrame) {
    this.stream = stream;
    this.maxFrame = maxFrame;
  }

  void start(Consumer<Event> actor) {
    stream.start(
        new StreamListener() {
          @Override
          public void onData(ByteBuffer data) {
            actor.accept(new Data(EnvelopeStream.this, data));
          }

          @Override
          public void onWritable() {
            actor.accept(new Writable(EnvelopeStream.this));
          }

          @Override
          public void onRemoteClosed() {
            actor.accept(new RemoteClosed(EnvelopeStream.this));
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            actor.accept(new Closed(EnvelopeStream.this, failure));
          }
        });
    stream.request(WINDOW);
  }

  /** Takes what came, and hands on each whole envelope. */
  void onData(ByteBuffer data, Consumer<Envelope> heard) {
    if (broken) {
      // What follows a malformed envelope may be anything.
      return;
    }
    stream.request(Math.max(1, data.remaining()));
    try {
      while (data.hasRemaining()) {
        byte[] frame = take(data);
        if (frame == null) {
          return;
        }
        Envelope envelope = Envelope.decode(frame);
        if (!envelope.isAcknowledgement() && ++unanswered > MAX_UNANSWERED) {
          throw new MalformedException(MAX_UNANSWERED + " messages wait for acknowledgement");
        }
        heard.accept(envelope);
      }
    } catch (MalformedException e) {
      broken = true;
      frame = null;
      stream.reset(0, String.valueOf(e.getMessage()));
    }
  }

  /** Takes what belongs to the frame under way, and returns it when it is whole. */
  private byte @Nullable [] take(ByteBuffer data) throws MalformedException {
    byte[] into = frame;
    if (into == null) {
      while (header.hasRemaining() && data.hasRemaining()) {
        header.put(data.get());
      }
      if (header.hasRemaining()) {
        return null;
      }
      length = header.getInt(0);
      if (length < 0 || length > maxFrame) {
        throw new MalformedException("a frame of " + length + " bytes, over " + maxFrame);
      }
      header.clear();
      filled = 0;
      into = new byte[Math.min(length, FIRST_ROOM)];
    }
    int part = Math.min(length - filled, data.remaining());
    if (filled + part > into.length) {
      into = Arrays.copyOf(into, Math.min(length, Math.max(filled + part, 2 * into.length)));
    }
    data.get(into, filled, part);
    filled += part;
    frame = filled == length ? null : into;
    return filled == length ? into : null;
  }

  /** The remote will not acknowledge anything here any more, but may want to hear from us. */
  void onRemoteClosed() {
    remoteClosed = true;
    if (frame != null || header.position() > 0) {
      stream.reset(0, "the remote closed amid an envelope");
    } else {
      closeWhenAnswered();
    }
  }

  /** Whether what is sent here can still be acknowledged. */
  boolean isUsable() {
    return !remoteClosed && !broken;
  }

  void acknowledge(long id) {
    unanswered--;
    send(new Envelope(id, null));
  }

  private void closeWhenAnswered() {
    if (remoteClosed && unanswered == 0 && outgoing.isEmpty()) {
      stream.closeWrite();
    }
  }

  void send(Envelope envelope) {
    if (outgoing.size() >= MAX_FRAMES) {
      stream.reset(0, "the remote does not read");
      return;
    }
    outgoing.add(envelope.encoded());
    onWritable();
  }

  void onWritable() {
    while (!outgoing.isEmpty()) {
      stream.write(outgoing.element());
      if (outgoing.element().hasRemaining()) {
        return;
      }
      outgoing.remove();
    }
    closeWhenAnswered();
  }

  void close() {
    stream.closeWrite();
  }

  void reset(String reason) {
    stream.reset(0, reason);
  }
}
