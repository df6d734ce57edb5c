package dev.troupe.actors.virtualconnections;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.virtualconnections.VirtualConnections.SendFailure;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Messages to and from one peer under one protocol: sent one at a time, so that they arrive in
 * order, each until the remote has acknowledged it or the attempts are used up.
 *
 * <p><b>Parent</b>: {@link VirtualConnections}, which keeps each accepted message until this actor
 * has {@link VirtualConnections.Settled settled} it, and remembers what has been received.
 * <b>Streams</b>: opened when there is something to send; one that the remote opened is used just
 * as well. A further one does not replace the one in use, so simultaneous opens do not flap.
 * <b>Timers</b>: acknowledgement, backoff, idle, and closing: the remote's half of a stream that
 * was closed for idleness ends, or is reset. <b>A crash</b> ends the streams; the parent answers
 * what was under way.
 */
final class VirtualConnection extends AbstractBehavior<VirtualConnection.Command> {

  /** Streams kept at once; when the remote opens more, the oldest is reset. */
  private static final int MAX_STREAMS = 4;

  /**
   * How long the remote may take to close its half of a stream that was closed here for idleness;
   * the stream is reset then.
   */
  static final Duration CLOSING = Duration.ofSeconds(10);

  sealed interface Command {}

  /** The parent accepted a message. */
  record Transmit(long number, Bytes data) implements Command {}

  /** The remote opened a stream. */
  record Adopt(Stream stream) implements Command {}

  /** What was received has been handed to its receiver, or is a duplicate of what was. */
  record Acknowledge(EnvelopeStream stream, long id) implements Command {}

  private record Connected(boolean ok, String message) implements Command {}

  private record Opened(Opening opening) implements Command {}

  private record OpenFailed(HostFailure failure) implements Command {}

  private record FromStream(EnvelopeStream.Event event) implements Command {}

  private record Unacknowledged() implements Command {}

  private record TryAgain() implements Command {}

  private record Idle() implements Command {}

  private record EndClosing() implements Command {}

  /**
   * A stream on its way from the host to this actor: whichever of the two is the last to touch it
   * ends it when the actor stops meanwhile, so that it is not left behind in a dead mailbox.
   */
  private static final class Opening implements Completion<Stream> {
    private final ActorRef<Command> actor;
    private final AtomicReference<@Nullable Stream> stream = new AtomicReference<>();
    private volatile boolean calledOff;
    private @Nullable Cancellable asked;

    Opening(ActorRef<Command> actor) {
      this.actor = actor;
    }

    @Override
    public void succeeded(Stream opened) {
      stream.set(opened);
      if (calledOff) {
        discard();
      } else {
        actor.tell(new Opened(this));
      }
    }

    @Override
    public void failed(HostFailure failure) {
      actor.tell(new OpenFailed(failure));
    }

    @Nullable Stream take() {
      return stream.getAndSet(null);
    }

    void callOff() {
      calledOff = true;
      if (asked != null) {
        asked.cancel();
      }
      discard();
    }

    private void discard() {
      Stream unwanted = take();
      if (unwanted != null) {
        unwanted.reset(0, ENDED);
      }
    }
  }

  private static final String ENDED = "the virtual connection ended";

  static Behavior<Command> create(
      VirtualConnectionSettings settings,
      Host host,
      ActorRef<Connections.Command> connections,
      PeerId peer,
      ProtocolId protocol,
      long firstId,
      ActorRef<VirtualConnections.Command> parent) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new VirtualConnection(
                        context,
                        timers,
                        settings,
                        host,
                        connections,
                        peer,
                        protocol,
                        firstId,
                        parent)));
  }

  private final TimerScheduler<Command> timers;
  private final VirtualConnectionSettings settings;
  private final Host host;
  private final ActorRef<Connections.Command> connections;
  private final PeerId peer;
  private final ProtocolId protocol;
  private final long firstId;
  private final ActorRef<VirtualConnections.Command> parent;
  private final Deque<Transmit> queue = new ArrayDeque<>();
  private final List<EnvelopeStream> streams = new ArrayList<>();

  /** Streams closed on this side that the remote has not closed. */
  private final List<EnvelopeStream> closing = new ArrayList<>();

  private @Nullable Opening opening;
  private boolean connecting;

  /** What the head was sent on, while it waits for its acknowledgement. */
  private @Nullable EnvelopeStream awaiting;

  private boolean pausing;
  private int attempts;

  /** Whether the head has been sent at least once: the remote may have it. */
  private boolean headSent;

  /** How many commands of the parent came so far. */
  private long heard;

  private VirtualConnection(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      VirtualConnectionSettings settings,
      Host host,
      ActorRef<Connections.Command> connections,
      PeerId peer,
      ProtocolId protocol,
      long firstId,
      ActorRef<VirtualConnections.Command> parent) {
    super(context);
    this.timers = timers;
    this.settings = settings;
    this.host = host;
    this.connections = connections;
    this.peer = peer;
    this.protocol = protocol;
    this.firstId = firstId;
    this.parent = parent;
    restartIdle();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Transmit.class, this::onTransmit)
        .onMessage(Adopt.class, this::onAdopt)
        .onMessage(Acknowledge.class, this::onAcknowledge)
        .onMessage(Connected.class, this::onConnected)
        .onMessage(Opened.class, this::onOpened)
        .onMessage(OpenFailed.class, this::onOpenFailed)
        .onMessage(FromStream.class, this::onStreamEvent)
        .onMessage(Unacknowledged.class, late -> onUnacknowledged())
        .onMessage(TryAgain.class, again -> onTryAgain())
        .onMessage(Idle.class, idle -> onIdle())
        .onMessage(EndClosing.class, end -> onEndClosing())
        .onSignal(PostStop.class, stop -> onStop())
        .build();
  }

  // ---- sending

  private Behavior<Command> onTransmit(Transmit transmit) {
    heard++;
    queue.add(transmit);
    restartIdle();
    if (queue.size() == 1) {
      attempt();
    }
    return this;
  }

  private void attempt() {
    if (queue.isEmpty() || awaiting != null || pausing || connecting || opening != null) {
      return;
    }
    attempts++;
    EnvelopeStream stream = usable();
    if (stream == null) {
      connecting = true;
      connections.tell(
          new Connections.Connect(
              peer,
              List.of(),
              getContext()
                  .messageAdapter(
                      Connections.ConnectReply.class, VirtualConnection::connectedOrNot)));
    } else {
      transmitHead(stream);
    }
  }

  /** The oldest stream on which an acknowledgement may still come. */
  private @Nullable EnvelopeStream usable() {
    for (EnvelopeStream stream : streams) {
      if (stream.isUsable()) {
        return stream;
      }
    }
    return null;
  }

  private static Connected connectedOrNot(Connections.ConnectReply reply) {
    return reply instanceof Connections.ConnectFailed failed
        ? new Connected(false, failed.failure().message())
        : new Connected(true, "");
  }

  private Behavior<Command> onConnected(Connected connected) {
    connecting = false;
    EnvelopeStream stream = usable();
    if (stream != null) {
      transmitHead(stream);
    } else if (!connected.ok()) {
      failAttempt(SendFailure.UNREACHABLE, connected.message());
    } else {
      Opening begun = new Opening(getContext().getSelf());
      opening = begun;
      begun.asked = host.openStream(peer, List.of(protocol), begun);
    }
    return this;
  }

  private Behavior<Command> onOpened(Opened opened) {
    opening = null;
    Stream stream = opened.opening().take();
    if (stream != null) {
      adopt(stream);
    }
    EnvelopeStream usable = usable();
    if (usable != null) {
      transmitHead(usable);
    }
    return this;
  }

  private Behavior<Command> onOpenFailed(OpenFailed failed) {
    opening = null;
    EnvelopeStream stream = usable();
    if (stream != null) {
      transmitHead(stream);
    } else if (failed.failure().kind() == HostFailure.Kind.PROTOCOL_NOT_SUPPORTED) {
      settle(SendFailure.PROTOCOL_NOT_SUPPORTED, failed.failure().message());
    } else {
      failAttempt(SendFailure.UNREACHABLE, failed.failure().message());
    }
    return this;
  }

  private void transmitHead(EnvelopeStream stream) {
    awaiting = stream;
    headSent = true;
    timers.startSingleTimer(new Unacknowledged(), settings.acknowledgement());
    restartIdle();
    stream.send(new Envelope(headId(), queue.element().data()));
  }

  /** What is sent later has a greater one, whichever incarnation of this actor sends it. */
  private long headId() {
    return firstId + queue.element().number();
  }

  private Behavior<Command> onUnacknowledged() {
    EnvelopeStream silent = awaiting;
    if (silent != null) {
      awaiting = null;
      streams.remove(silent);
      silent.reset("no acknowledgement in time");
      failAttempt(
          SendFailure.NOT_ACKNOWLEDGED,
          "no acknowledgement from " + peer + " within " + settings.acknowledgement());
    }
    return this;
  }

  private void failAttempt(SendFailure reason, String message) {
    if (attempts >= settings.attempts()) {
      settle(reason, message);
    } else {
      pausing = true;
      Duration pause = settings.backoff().multipliedBy(1L << (attempts - 1));
      timers.startSingleTimer(new TryAgain(), pause);
    }
  }

  private Behavior<Command> onTryAgain() {
    pausing = false;
    attempt();
    return this;
  }

  /** The head is over, one way or the other; the next one has its turn. */
  private void settle(@Nullable SendFailure failure, String message) {
    // Whatever the last attempt met, nobody may conclude that the remote does not have it.
    SendFailure reason = failure != null && headSent ? SendFailure.NOT_ACKNOWLEDGED : failure;
    parent.tell(
        new VirtualConnections.Settled(
            peer, protocol, queue.remove().number(), attempts, reason, message));
    attempts = 0;
    headSent = false;
    restartIdle();
    attempt();
  }

  // ---- streams

  private Behavior<Command> onAdopt(Adopt adopt) {
    heard++;
    adopt(adopt.stream());
    return this;
  }

  private void adopt(Stream stream) {
    EnvelopeStream adopted =
        new EnvelopeStream(stream, VirtualConnections.maxFrame(settings.maxMessage()));
    ActorRef<Command> self = getContext().getSelf();
    adopted.start(event -> self.tell(new FromStream(event)));
    streams.add(adopted);
    if (streams.size() > MAX_STREAMS) {
      // The one in use may be the oldest: its message is under way.
      EnvelopeStream surplus = streams.remove(streams.get(0) == awaiting ? 1 : 0);
      surplus.reset("too many streams of one virtual connection");
    }
    restartIdle();
  }

  private Behavior<Command> onStreamEvent(FromStream from) {
    EnvelopeStream stream = from.event().stream();
    if (from.event() instanceof EnvelopeStream.Data data) {
      restartIdle();
      stream.onData(data.data(), envelope -> onEnvelope(stream, envelope));
    } else if (from.event() instanceof EnvelopeStream.Writable) {
      stream.onWritable();
    } else if (from.event() instanceof EnvelopeStream.RemoteClosed) {
      stream.onRemoteClosed();
      onNoAnswer(stream);
    } else if (from.event() instanceof EnvelopeStream.Closed) {
      streams.remove(stream);
      onNoAnswer(stream);
      if (closing.remove(stream)) {
        tellWhenIdle();
      }
    }
    return this;
  }

  /** No acknowledgement will come on this stream any more. */
  private void onNoAnswer(EnvelopeStream stream) {
    if (awaiting == stream) {
      awaiting = null;
      timers.cancel(new Unacknowledged());
      failAttempt(
          SendFailure.NOT_ACKNOWLEDGED, "the stream to " + peer + " ended before it acknowledged");
    }
  }

  private void onEnvelope(EnvelopeStream stream, Envelope envelope) {
    Bytes data = envelope.data();
    if (data != null) {
      parent.tell(
          new VirtualConnections.Arrived(
              peer, protocol, envelope.id(), data, stream, getContext().getSelf()));
    } else if (awaiting != null && envelope.id() == headId()) {
      awaiting = null;
      timers.cancel(new Unacknowledged());
      settle(null, "");
    }
  }

  private Behavior<Command> onAcknowledge(Acknowledge acknowledge) {
    if (streams.contains(acknowledge.stream())) {
      acknowledge.stream().acknowledge(acknowledge.id());
    }
    return this;
  }

  // ---- the end

  private void restartIdle() {
    timers.startSingleTimer(new Idle(), settings.idle());
  }

  private Behavior<Command> onIdle() {
    if (queue.isEmpty()) {
      if (!streams.isEmpty()) {
        closing.addAll(streams);
        streams.clear();
        timers.startSingleTimer(new EndClosing(), CLOSING);
        List.copyOf(closing).forEach(EnvelopeStream::close);
      }
      tellWhenIdle();
    }
    restartIdle();
    return this;
  }

  private Behavior<Command> onEndClosing() {
    closing.forEach(stream -> stream.reset("the remote did not close its side"));
    closing.clear();
    tellWhenIdle();
    return this;
  }

  private void tellWhenIdle() {
    if (queue.isEmpty() && streams.isEmpty() && closing.isEmpty()) {
      parent.tell(new VirtualConnections.WentIdle(peer, protocol, getContext().getSelf(), heard));
    }
  }

  private Behavior<Command> onStop() {
    if (opening != null) {
      opening.callOff();
    }
    streams.forEach(stream -> stream.reset(ENDED));
    closing.forEach(stream -> stream.reset(ENDED));
    return this;
  }
}
