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
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.BehaviorBuilder;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * A DHT stream that a remote opened: reads a request, has it answered, writes the answer, reads the
 * next.
 *
 * <p>Owns: the stream. Parent: the {@link Dht}, which answers the requests ({@link Dht.Serve}). No
 * children.
 *
 * <p>States: <i>Reading</i>, <i>Answering</i> (one request is with the Dht), <i>Writing</i>.
 * Nothing more is requested from the remote while an answer is not written, so one that does not
 * read its answers cannot make us queue them. <i>Closing</i>: both sides have closed, and what was
 * written is on its way.
 *
 * <p>Limits: requests of 64 KiB. Timer: without a whole request for {@code inboundIdle}, the stream
 * is reset; so a remote that trickles bytes gains nothing, nor does one that closes and does not
 * read. The actor lives, and counts against the limits of the Dht, until its stream has ended.
 *
 * <p>The remote's faults end in a reset. A crash resets the stream, and the Dht counts one less.
 */
final class InboundStream {

  /** What an inbound stream is told. */
  sealed interface Command {}

  /** The Dht answered. */
  record Answered(Response response) implements Command {}

  private record Received(ByteBuffer data) implements Command {}

  private record Writable() implements Command {}

  private record RemoteClosed() implements Command {}

  private record Ended(@Nullable HostFailure failure) implements Command {}

  private record Idle() implements Command {}

  private static final long CREDIT = 16 * 1024;

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final Stream stream;
  private final Duration idle;
  private final ActorRef<? super Dht.Serve> dht;
  private final FrameDecoder incoming = new FrameDecoder(KademliaMessage.MAX_REQUEST_SIZE);
  private ByteBuffer outgoing = ByteBuffer.allocate(0);
  private long received;
  private boolean remoteClosed;
  private boolean ended;

  /** Starts the stream. */
  static Behavior<Command> create(Stream stream, Duration idle, ActorRef<? super Dht.Serve> dht) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new InboundStream(context, timers, stream, idle, dht).begin()));
  }

  private InboundStream(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Stream stream,
      Duration idle,
      ActorRef<? super Dht.Serve> dht) {
    this.context = context;
    this.timers = timers;
    this.stream = stream;
    this.idle = idle;
    this.dht = dht;
  }

  // States

  private Behavior<Command> begin() {
    ActorRef<Command> self = context.getSelf();
    stream.start(
        new StreamListener() {
          @Override
          public void onData(ByteBuffer data) {
            self.tell(new Received(data));
          }

          @Override
          public void onWritable() {
            self.tell(new Writable());
          }

          @Override
          public void onRemoteClosed() {
            self.tell(new RemoteClosed());
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            self.tell(new Ended(failure));
          }
        });
    stream.request(CREDIT);
    timers.startSingleTimer(new Idle(), idle);
    return reading();
  }

  /** Waits for a whole request. */
  private Behavior<Command> reading() {
    return inEveryState()
        .onMessage(
            Received.class,
            message -> {
              take(message);
              return read();
            })
        .onMessage(
            RemoteClosed.class,
            unused -> {
              remoteClosed = true;
              return read();
            })
        .build();
  }

  /** A request is with the Dht. */
  private Behavior<Command> answering() {
    return inEveryState()
        .onMessage(Received.class, this::onEarlyData)
        .onMessage(RemoteClosed.class, this::onEarlyClose)
        .onMessage(Answered.class, this::onAnswered)
        .build();
  }

  /** An answer has not been taken whole. */
  private Behavior<Command> writing() {
    return inEveryState()
        .onMessage(Received.class, this::onEarlyData)
        .onMessage(RemoteClosed.class, this::onEarlyClose)
        .onMessage(Writable.class, unused -> write())
        .build();
  }

  /** Nothing is left to do, but the stream has not ended. */
  private Behavior<Command> closing() {
    return inEveryState().build();
  }

  private BehaviorBuilder<Command> inEveryState() {
    return Behaviors.receive(Command.class)
        .onMessage(
            Ended.class,
            unused -> {
              ended = true;
              return Behaviors.stopped();
            })
        .onMessage(Idle.class, unused -> reset("no request in time"))
        .onSignal(PostStop.class, unused -> onStopped());
  }

  // Handlers

  private Behavior<Command> read() {
    try {
      Bytes frame = incoming.next();
      if (frame != null) {
        timers.startSingleTimer(new Idle(), idle);
        dht.tell(
            new Dht.Serve(
                stream.remote(), KademliaMessage.decode(frame), context.getSelf().narrow()));
        return answering();
      }
    } catch (MalformedException e) {
      return reset("malformed request: " + e.getMessage());
    }
    if (remoteClosed) {
      if (incoming.buffered() > 0) {
        return reset("a request that was cut short");
      }
      stream.closeWrite();
      timers.startSingleTimer(new Idle(), idle);
      return closing();
    }
    if (received > 0) {
      stream.request(received);
      received = 0;
    }
    return reading();
  }

  private Behavior<Command> onAnswered(Answered answered) {
    if (answered.response() instanceof Response.Answer answer) {
      outgoing = ByteBuffer.wrap(Frames.encode(answer.message().encode()));
      return write();
    } else if (answered.response() instanceof Response.Refusal refusal) {
      return reset(refusal.reason());
    }
    return read();
  }

  private Behavior<Command> write() {
    stream.write(outgoing);
    return outgoing.hasRemaining() ? writing() : read();
  }

  private Behavior<Command> onEarlyData(Received data) {
    take(data);
    return Behaviors.same();
  }

  private Behavior<Command> onEarlyClose(RemoteClosed closed) {
    remoteClosed = true;
    return Behaviors.same();
  }

  private void take(Received message) {
    received += message.data().remaining();
    incoming.feed(message.data());
  }

  private Behavior<Command> reset(String reason) {
    context
        .getLog()
        .atDebug()
        .addKeyValue("peer", stream.remote())
        .addKeyValue("reason", reason)
        .log("A DHT stream of a remote is reset");
    stream.reset(0, reason);
    ended = true;
    return Behaviors.stopped();
  }

  private Behavior<Command> onStopped() {
    if (!ended) {
      stream.reset(0, "the DHT stops");
    }
    return Behaviors.same();
  }
}
