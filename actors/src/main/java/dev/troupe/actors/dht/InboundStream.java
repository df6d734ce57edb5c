package dev.troupe.actors.dht;

import dev.troupe.actors.dht.Responder.Response;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A DHT stream that a remote opened: reads a request, has it answered, writes the answer, reads the
 * next.
 *
 * <p>It belongs to the {@link Dht}, which hands it every {@link Event} of its stream; the stream's
 * event loop only sends these, so nothing here is touched by two threads. An actor of its own for
 * each request would cost more than the request.
 *
 * <p>Nothing more is requested from the remote while a request is with the Dht or an answer is not
 * written, so one that does not read its answers cannot make us queue them. When the remote has
 * closed its side, and everything is answered, ours is closed, and the end of the stream awaited.
 *
 * <p>Limits: requests of 64 KiB. The Dht minds the time: without a whole request for {@code
 * inboundIdle}, it resets the stream; so a remote that trickles bytes gains nothing, nor does one
 * that closes and does not read. The remote's faults end in a reset.
 */
final class InboundStream {

  /** What may happen to the stream. */
  sealed interface Event {
    record Received(ByteBuffer data) implements Event {}

    record Writable() implements Event {}

    record RemoteClosed() implements Event {}

    record Ended(@Nullable HostFailure failure) implements Event {}
  }

  /** What comes of it. */
  sealed interface Step {

    /** A whole request has come: it is to be {@linkplain InboundStream#answer answered}. */
    record Asked(KademliaMessage request) implements Step {}

    /** There is nothing to do until something happens. */
    record Waiting() implements Step {}

    /** Both sides have closed, and what was written is on its way. */
    record Closing() implements Step {}

    /** The stream has ended, or has been reset. */
    record Over() implements Step {}
  }

  private static final long CREDIT = 16 * 1024;
  private static final Step WAITING = new Step.Waiting();

  private final Stream stream;
  private final FrameDecoder incoming = new FrameDecoder(KademliaMessage.MAX_REQUEST_SIZE);
  private ByteBuffer outgoing = ByteBuffer.allocate(0);
  private long received;

  /** What has been read though nobody has asked for it yet; or why nothing can be read. */
  private @Nullable KademliaMessage ahead;

  private @Nullable String fault;
  private boolean answering;
  private boolean remoteClosed;
  private boolean closing;

  /** A stream that has not been started. */
  InboundStream(Stream stream) {
    this.stream = stream;
  }

  /** Starts it. The events come from the stream's event loop. */
  void begin(Consumer<Event> events) {
    stream.start(
        new StreamListener() {
          @Override
          public void onData(ByteBuffer data) {
            events.accept(new Event.Received(data));
          }

          @Override
          public void onWritable() {
            events.accept(new Event.Writable());
          }

          @Override
          public void onRemoteClosed() {
            events.accept(new Event.RemoteClosed());
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            events.accept(new Event.Ended(failure));
          }
        });
    stream.request(CREDIT);
  }

  /** The stream itself, for who it is with. */
  Stream stream() {
    return stream;
  }

  /** Something happened. */
  Step on(Event event) {
    if (event instanceof Event.Ended) {
      return new Step.Over();
    } else if (event instanceof Event.Received data) {
      received += data.data().remaining();
      incoming.feed(data.data());
    } else if (event instanceof Event.RemoteClosed) {
      remoteClosed = true;
    } else {
      stream.write(outgoing);
    }
    return proceed();
  }

  /** The request that was asked last has been answered. */
  Step answer(Response response) {
    answering = false;
    if (response instanceof Response.Refusal refusal) {
      return reset(refusal.reason());
    } else if (response instanceof Response.Answer answer) {
      outgoing = ByteBuffer.wrap(Frames.encode(answer.message().encode()));
      stream.write(outgoing);
    }
    return proceed();
  }

  /**
   * Another request of a type that needs no answer, if that is what has come next: it is to be
   * treated with the one that was asked last, and {@link #answer} is for both.
   */
  Optional<KademliaMessage> another(KademliaMessage.Type type) {
    KademliaMessage next = read();
    if (next != null && next.type() != type) {
      ahead = next;
      return Optional.empty();
    }
    return Optional.ofNullable(next);
  }

  private @Nullable KademliaMessage read() {
    KademliaMessage next = ahead;
    ahead = null;
    if (next != null || fault != null) {
      return next;
    }
    try {
      Bytes frame = incoming.next();
      return frame == null ? null : KademliaMessage.decode(frame);
    } catch (MalformedException e) {
      fault = "malformed request: " + e.getMessage();
      return null;
    }
  }

  /** Ends it. */
  Step reset(String reason) {
    stream.reset(0, reason);
    return new Step.Over();
  }

  private Step proceed() {
    if (answering || outgoing.hasRemaining() || closing) {
      return WAITING;
    }
    KademliaMessage request = read();
    if (request != null) {
      answering = true;
      return new Step.Asked(request);
    }
    if (fault != null) {
      return reset(fault);
    }
    if (remoteClosed) {
      if (incoming.buffered() > 0) {
        return reset("a request that was cut short");
      }
      closing = true;
      stream.closeWrite();
      return new Step.Closing();
    }
    if (received > 0) {
      stream.request(received);
      received = 0;
    }
    return WAITING;
  }
}
