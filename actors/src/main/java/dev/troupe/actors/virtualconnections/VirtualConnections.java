package dev.troupe.actors.virtualconnections;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Ordered, acknowledged messages between this peer and others: one {@link VirtualConnection} a pair
 * of remote peer and protocol.
 *
 * <p><b>Owns</b> what must outlive a crash of a child: every accepted message until it is settled,
 * and which messages have been received. <b>Parent</b>: the peer. <b>Children</b>: the virtual
 * connections, made when needed, ended when idle. <b>States</b>: serving, then ending, on {@link
 * End}, which refuses what is still in the mailbox.
 *
 * <p><b>Who sends what</b>: the user starts protocols and sends; the host brings the streams that
 * remotes open. A message is acknowledged once its receiver has been told it. One that arrives
 * again is acknowledged again and not told again, as far as the last {@value #REMEMBERED} of its
 * pair are remembered. One that arrives after a later one is not told at all: a connection had
 * stalled, and its sender has been told that it was not acknowledged.
 *
 * <p><b>Limits</b>: {@link VirtualConnectionSettings}. <b>Timers</b>: none (its children have
 * theirs). <b>A crash of a child</b> answers its messages {@code CRASHED}. <b>A crash of this
 * actor</b> does so for all messages; started protocols go on.
 */
public final class VirtualConnections extends AbstractBehavior<VirtualConnections.Command> {

  /** What virtual connections are told. */
  public sealed interface Command {}

  /** Asks to receive what remotes send under a protocol. Ends when the receiver does. */
  public record Start(
      ProtocolId protocol, ActorRef<Received> receiver, ActorRef<StartReply> replyTo)
      implements Command {}

  /** Asks to receive nothing more under a protocol. */
  public record Stop(ProtocolId protocol, ActorRef<StopReply> replyTo) implements Command {}

  /**
   * Asks to send a message; messages to one peer under one protocol arrive in the order of asking.
   *
   * @param replyTo answered once: after the remote's acknowledgement, or when the last attempt
   *     failed
   */
  public record Send(PeerId peer, ProtocolId protocol, Bytes data, ActorRef<SendReply> replyTo)
      implements Command {}

  /**
   * Answers everything that is open, with {@code STOPPING}, and all that is in the mailbox by then;
   * then stops.
   */
  public record End() implements Command {}

  /** Everything that was in the mailbox at the end has been answered. */
  private record Drained() implements Command {}

  /** A message of a remote peer, each once, in order. */
  public record Received(PeerId peer, ProtocolId protocol, Bytes data) {}

  /** The outcome of {@link Start}. */
  public sealed interface StartReply {}

  /** It is received from now on. */
  public record Started(ProtocolId protocol) implements StartReply {}

  /** Somebody receives this protocol already, or one cap or the other is reached. */
  public record StartRefused(ProtocolId protocol, String message) implements StartReply {}

  /** The answer to {@link Stop}. */
  public record StopReply(ProtocolId protocol, boolean wasStarted) {}

  /** The outcome of {@link Send}. */
  public sealed interface SendReply {}

  /**
   * The remote acknowledged it.
   *
   * @param attempts how many times it was sent, 1 to 3
   */
  public record Delivered(PeerId peer, ProtocolId protocol, int attempts) implements SendReply {}

  /**
   * It was not acknowledged; whether the remote has it is unknown unless the reason says so.
   *
   * @param attempts how many times it was tried
   */
  public record SendFailed(
      PeerId peer, ProtocolId protocol, SendFailure reason, String message, int attempts)
      implements SendReply {}

  /** Why a message was not delivered. */
  public enum SendFailure {
    /** No connection to the peer could be made. */
    UNREACHABLE,
    /** The peer does not speak the protocol. */
    PROTOCOL_NOT_SUPPORTED,
    /** No acknowledgement came in time, at any attempt. */
    NOT_ACKNOWLEDGED,
    /** Too many messages wait for this peer already, or too many peers are written to. */
    QUEUE_FULL,
    /** Over the limit of a message. */
    TOO_LARGE,
    /** The peer stops. */
    STOPPING,
    /** The actor crashed with the message under way. */
    CRASHED
  }

  /** One message is over; the child says this. */
  record Settled(
      PeerId peer,
      ProtocolId protocol,
      long number,
      int attempts,
      @Nullable SendFailure failure,
      String message)
      implements Command {}

  /** One message came; the child says this. */
  record Arrived(
      PeerId peer,
      ProtocolId protocol,
      long id,
      Bytes data,
      EnvelopeStream stream,
      ActorRef<VirtualConnection.Command> child)
      implements Command {}

  /**
   * A child has nothing to do; the child says this.
   *
   * @param heard how many commands it had been given by then: if there are more, they are in its
   *     mailbox and it is not idle
   */
  record WentIdle(
      PeerId peer, ProtocolId protocol, ActorRef<VirtualConnection.Command> child, long heard)
      implements Command {}

  private record InboundStream(Stream stream) implements Command {}

  private record ChildGone(Pair pair, ActorRef<VirtualConnection.Command> child)
      implements Command {}

  /** One message for all protocols of a receiver: an actor can be watched with one only. */
  private record ReceiverGone(ActorRef<Received> receiver) implements Command {}

  /** How many received messages of a pair are remembered. */
  public static final int REMEMBERED = 64;

  /** How many messages of one life are told apart from those of another, which begins anywhere. */
  private static final long LIFE = 1L << 24;

  /** Of so many lives of a sender the newest message is known: of what is on its way still. */
  private static final int LIVES = 2;

  private static final long FIRST_IDS = 1L << 52;

  /** Makes the actor; its supervision is included. */
  public static Behavior<Command> create(
      VirtualConnectionSettings settings,
      World world,
      Host host,
      ActorRef<Connections.Command> connections) {
    return Behaviors.setup(
        outer -> {
          RandomGenerator random = world.random(host.peerId(), "virtualconnections");
          Ledger ledger = new Ledger(random.nextLong(FIRST_IDS));
          return Behaviors.supervise(
                  Behaviors.<Command>setup(
                      context ->
                          new VirtualConnections(context, settings, host, connections, ledger)))
              // The constructor stops the children. Were the restart to wait for their end, what
              // arrives meanwhile would have to fit a stash, and the rest would never be answered.
              .onFailure(SupervisorStrategy.restart().withStopChildren(false));
        });
  }

  /** The bytes of an envelope that holds so many bytes: base64, and room for the rest. */
  static int maxFrame(int maxMessage) {
    return maxMessage / 3 * 4 + 1024;
  }

  private record Pair(PeerId peer, ProtocolId protocol) {}

  private static final class Child {
    final ActorRef<VirtualConnection.Command> ref;
    long told;

    Child(ActorRef<VirtualConnection.Command> ref) {
      this.ref = ref;
    }

    void tell(VirtualConnection.Command command) {
      told++;
      ref.tell(command);
    }
  }

  /** What a restart must not lose. */
  private static final class Ledger {
    /** Added to the number of a message: what is sent in another life does not look like it. */
    final long firstId;

    final Map<ProtocolId, ActorRef<Received>> receivers = new LinkedHashMap<>();
    final Map<Pair, Map<Long, Send>> open = new LinkedHashMap<>();

    /** In the order of use, the pair used longest ago first. */
    final Map<Pair, Heard> received = new LinkedHashMap<>(16, 0.75f, true);

    long numbers;

    Ledger(long firstId) {
      this.firstId = firstId;
    }
  }

  /** What was received of one pair. */
  private static final class Heard {
    private final Set<Long> remembered = new LinkedHashSet<>();

    /** The newest message of each of the last {@value #LIVES} lives of the sender. */
    private final List<Long> newest = new ArrayList<>();

    /** Whether it is to be acknowledged. */
    boolean isKnown(long id) {
      return remembered.contains(id);
    }

    /**
     * Whether it was sent before what came last. Its sender sent that when it had given this one
     * up; a long way back, it is a message of another life.
     */
    boolean isLate(long id) {
      return newest.stream().anyMatch(last -> id < last && isOfOneLife(id, last));
    }

    void add(long id) {
      newest.removeIf(last -> isOfOneLife(id, last));
      newest.add(id);
      if (newest.size() > LIVES) {
        newest.remove(0);
      }
      remembered.add(id);
      dropOldest(remembered, REMEMBERED);
    }

    private static boolean isOfOneLife(long id, long other) {
      long apart = Math.abs(id - other);
      return 0 <= apart && apart < LIFE;
    }
  }

  private final VirtualConnectionSettings settings;
  private final Host host;
  private final ActorRef<Connections.Command> connections;
  private final Ledger ledger;
  private final Map<Pair, Child> children = new LinkedHashMap<>();

  private VirtualConnections(
      ActorContext<Command> context,
      VirtualConnectionSettings settings,
      Host host,
      ActorRef<Connections.Command> connections,
      Ledger ledger) {
    super(context);
    this.settings = settings;
    this.host = host;
    this.connections = connections;
    this.ledger = ledger;
    context.getChildren().forEach(context::stop);
    failAllOpen(SendFailure.CRASHED, "virtual connections restarted");
    ledger
        .receivers
        .values()
        .forEach(receiver -> context.watchWith(receiver, new ReceiverGone(receiver)));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Start.class, this::onStart)
        .onMessage(Stop.class, this::onStopProtocol)
        .onMessage(Send.class, this::onSend)
        .onMessage(Settled.class, this::onSettled)
        .onMessage(Arrived.class, this::onArrived)
        .onMessage(WentIdle.class, this::onWentIdle)
        .onMessage(InboundStream.class, this::onInboundStream)
        .onMessage(ChildGone.class, this::onChildGone)
        .onMessage(ReceiverGone.class, this::onReceiverGone)
        .onMessage(End.class, end -> onEnd())
        .onSignal(PostStop.class, stop -> onPostStop())
        .build();
  }

  // ---- receiving

  private Behavior<Command> onStart(Start start) {
    ProtocolId protocol = start.protocol();
    if (ledger.receivers.containsKey(protocol)) {
      start.replyTo().tell(new StartRefused(protocol, protocol + " is received already"));
    } else if (ledger.receivers.size() >= settings.protocols()) {
      start
          .replyTo()
          .tell(new StartRefused(protocol, settings.protocols() + " protocols are received"));
    } else {
      ActorRef<Command> self = getContext().getSelf();
      try {
        host.handle(protocol, stream -> self.tell(new InboundStream(stream)));
      } catch (IllegalStateException e) {
        start.replyTo().tell(new StartRefused(protocol, protocol + " belongs to the peer itself"));
        return this;
      }
      ledger.receivers.put(protocol, start.receiver());
      getContext().watchWith(start.receiver(), new ReceiverGone(start.receiver()));
      start.replyTo().tell(new Started(protocol));
    }
    return this;
  }

  private Behavior<Command> onStopProtocol(Stop stop) {
    ActorRef<Received> receiver = ledger.receivers.remove(stop.protocol());
    if (receiver != null) {
      host.unhandle(stop.protocol());
      if (!ledger.receivers.containsValue(receiver)) {
        getContext().unwatch(receiver);
      }
    }
    stop.replyTo().tell(new StopReply(stop.protocol(), receiver != null));
    return this;
  }

  private Behavior<Command> onReceiverGone(ReceiverGone gone) {
    List<ProtocolId> unheard = new ArrayList<>();
    ledger.receivers.forEach(
        (protocol, receiver) -> {
          if (receiver.equals(gone.receiver())) {
            unheard.add(protocol);
          }
        });
    unheard.forEach(ledger.receivers::remove);
    unheard.forEach(host::unhandle);
    return this;
  }

  private Behavior<Command> onInboundStream(InboundStream inbound) {
    Pair pair = new Pair(inbound.stream().remote(), inbound.stream().protocol());
    Child child = childOf(pair);
    if (child == null) {
      inbound.stream().reset(0, "too many virtual connections");
    } else {
      child.tell(new VirtualConnection.Adopt(inbound.stream()));
    }
    return this;
  }

  private Behavior<Command> onArrived(Arrived arrived) {
    ActorRef<Received> receiver = ledger.receivers.get(arrived.protocol());
    if (receiver == null) {
      // Not acknowledged: nobody has it.
      return this;
    }
    Pair pair = new Pair(arrived.peer(), arrived.protocol());
    Heard heard = ledger.received.computeIfAbsent(pair, p -> new Heard());
    if (!heard.isKnown(arrived.id())) {
      if (heard.isLate(arrived.id())) {
        return this;
      }
      receiver.tell(new Received(arrived.peer(), arrived.protocol(), arrived.data()));
      heard.add(arrived.id());
      dropOldest(ledger.received.keySet(), settings.connections());
    }
    arrived.child().tell(new VirtualConnection.Acknowledge(arrived.stream(), arrived.id()));
    return this;
  }

  private static void dropOldest(Set<?> from, int cap) {
    if (from.size() > cap) {
      from.remove(from.iterator().next());
    }
  }

  // ---- sending

  private Behavior<Command> onSend(Send send) {
    Pair pair = new Pair(send.peer(), send.protocol());
    if (send.data().size() > settings.maxMessage()) {
      refuse(
          send, SendFailure.TOO_LARGE, "a message has " + settings.maxMessage() + " bytes at most");
      return this;
    }
    Map<Long, Send> open = ledger.open.getOrDefault(pair, new LinkedHashMap<>());
    if (open.size() >= settings.queue()) {
      refuse(send, SendFailure.QUEUE_FULL, settings.queue() + " messages wait for the peer");
      return this;
    }
    Child child = childOf(pair);
    if (child == null) {
      refuse(
          send,
          SendFailure.QUEUE_FULL,
          "there are " + settings.connections() + " virtual connections");
      return this;
    }
    ledger.open.put(pair, open);
    long number = ledger.numbers++;
    open.put(number, send);
    child.tell(new VirtualConnection.Transmit(number, send.data()));
    return this;
  }

  private Behavior<Command> onSettled(Settled settled) {
    Pair pair = new Pair(settled.peer(), settled.protocol());
    Map<Long, Send> open = ledger.open.get(pair);
    Send send = open == null ? null : open.remove(settled.number());
    if (open != null && open.isEmpty()) {
      ledger.open.remove(pair);
    }
    if (send != null) {
      SendFailure failure = settled.failure();
      send.replyTo()
          .tell(
              failure == null
                  ? new Delivered(send.peer(), send.protocol(), settled.attempts())
                  : new SendFailed(
                      send.peer(),
                      send.protocol(),
                      failure,
                      settled.message(),
                      settled.attempts()));
    }
    return this;
  }

  private static void refuse(Send send, SendFailure reason, String message) {
    send.replyTo().tell(new SendFailed(send.peer(), send.protocol(), reason, message, 0));
  }

  // ---- children

  private @Nullable Child childOf(Pair pair) {
    Child child = children.get(pair);
    if (child == null && children.size() < settings.connections()) {
      ActorRef<VirtualConnection.Command> ref =
          getContext()
              .spawn(
                  VirtualConnection.create(
                      settings,
                      host,
                      connections,
                      pair.peer(),
                      pair.protocol(),
                      ledger.firstId,
                      getContext().getSelf()),
                  "virtual-" + ledger.numbers++);
      getContext().watchWith(ref, new ChildGone(pair, ref));
      child = new Child(ref);
      children.put(pair, child);
    }
    return child;
  }

  private Behavior<Command> onWentIdle(WentIdle idle) {
    Pair pair = new Pair(idle.peer(), idle.protocol());
    Child child = children.get(pair);
    if (child != null && child.ref.equals(idle.child()) && child.told == idle.heard()) {
      children.remove(pair);
      getContext().stop(child.ref);
    }
    return this;
  }

  private Behavior<Command> onChildGone(ChildGone gone) {
    Child child = children.get(gone.pair());
    if (child != null && child.ref.equals(gone.child())) {
      children.remove(gone.pair());
      Map<Long, Send> open = ledger.open.remove(gone.pair());
      if (open != null) {
        open.values().forEach(send -> refuse(send, SendFailure.CRASHED, "its actor crashed"));
      }
    }
    return this;
  }

  private void failAllOpen(SendFailure reason, String message) {
    List<Send> all = new ArrayList<>();
    ledger.open.values().forEach(open -> all.addAll(open.values()));
    ledger.open.clear();
    all.forEach(send -> refuse(send, reason, message));
  }

  private Behavior<Command> onEnd() {
    onPostStop();
    ledger.receivers.clear();
    getContext().getChildren().forEach(getContext()::stop);
    getContext().getSelf().tell(new Drained());
    return ending();
  }

  private static Behavior<Command> ending() {
    return Behaviors.receive(Command.class)
        .onMessage(Drained.class, drained -> Behaviors.stopped())
        .onMessage(
            Send.class,
            send -> {
              refuse(send, SendFailure.STOPPING, "the peer stops");
              return Behaviors.same();
            })
        .onMessage(
            Start.class,
            start -> {
              start.replyTo().tell(new StartRefused(start.protocol(), "the peer stops"));
              return Behaviors.same();
            })
        .onMessage(
            Stop.class,
            stop -> {
              stop.replyTo().tell(new StopReply(stop.protocol(), false));
              return Behaviors.same();
            })
        .onMessage(
            InboundStream.class,
            inbound -> {
              inbound.stream().reset(0, "the peer stops");
              return Behaviors.same();
            })
        .onAnyMessage(late -> Behaviors.same())
        .build();
  }

  private Behavior<Command> onPostStop() {
    failAllOpen(SendFailure.STOPPING, "the peer stops");
    ledger.receivers.keySet().forEach(host::unhandle);
    return this;
  }
}
