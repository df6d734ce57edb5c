package dev.troupe.actors.virtualconnections;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
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

  private final Stream stream;
  private final int maxFrame;
  private final Deque<ByteBuffer> outgoing = new ArrayDeque<>();
  private ByteBuffer incoming = ByteBuffer.allocate(0);
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
    ByteBuffer joined = ByteBuffer.allocate(incoming.remaining() + data.remaining());
    incoming = joined.put(incoming).put(data).flip();
    try {
      while (incoming.remaining() >= 4) {
        int length = incoming.getInt(incoming.position());
        if (length < 0 || length > maxFrame) {
          throw new MalformedException("a frame of " + length + " bytes, over " + maxFrame);
        }
        if (incoming.remaining() - 4 < length) {
          return;
        }
        byte[] frame = new byte[length];
        incoming.getInt();
        incoming.get(frame);
        Envelope envelope = Envelope.decode(frame);
        if (!envelope.isAcknowledgement() && ++unanswered > MAX_UNANSWERED) {
          throw new MalformedException(MAX_UNANSWERED + " messages wait for acknowledgement");
        }
        heard.accept(envelope);
      }
    } catch (MalformedException e) {
      broken = true;
      stream.reset(0, String.valueOf(e.getMessage()));
    }
  }

  /** The remote will not acknowledge anything here any more, but may want to hear from us. */
  void onRemoteClosed() {
    remoteClosed = true;
    if (incoming.hasRemaining()) {
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
