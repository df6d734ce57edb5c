package dev.troupe.actors.bootstrap;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.names.Resolution;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * One dial of one bootstrap peer: tells its parent once what came of it, and stops. Names are
 * resolved anew each time; where that fails, or takes longer than {@link #PATIENCE}, the addresses
 * that are known otherwise are dialled, and all of them again when there are more.
 *
 * <p><b>Parent</b>: {@link BootstrapPool}; stopping it takes the wish for the connection back.
 * <b>Children</b>: a {@link Resolution} for each {@code /dnsaddr}. <b>Timers</b>: the dial timeout,
 * for all of it; the patience. <b>A crash</b> of a resolution is one name that does not resolve.
 */
final class Attempt extends AbstractBehavior<Attempt.Command> {

  sealed interface Command {}

  private record Resolved(Resolution.Outcome outcome) implements Command {}

  private record ResolutionOver() implements Command {}

  private record Impatient() implements Command {}

  private record Ended(Connections.ConnectReply reply) implements Command {}

  private record TimedOut() implements Command {}

  /** For so long what is known is not dialled, lest it be dialled twice where names are quick. */
  static final Duration PATIENCE = Duration.ofMillis(500);

  /**
   * An attempt.
   *
   * @param peer whom, or null for whoever answers at the only address, which is no {@code /dnsaddr}
   * @param told hears the outcome, once
   */
  static Behavior<Command> create(
      World world,
      @Nullable PeerId peer,
      List<Multiaddr> addresses,
      Duration timeout,
      ActorRef<Connections.Command> connections,
      Consumer<Connections.ConnectReply> told) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startSingleTimer(new TimedOut(), timeout);
                  timers.startSingleTimer(new Impatient(), PATIENCE);
                  return new Attempt(context, peer, timeout, connections, told)
                      .begin(world, addresses);
                }));
  }

  private final @Nullable PeerId peer;
  private final Duration timeout;
  private final ActorRef<Connections.Command> connections;
  private final ActorRef<Connections.ConnectReply> replies;
  private final Consumer<Connections.ConnectReply> told;
  private final Set<Multiaddr> addresses = new LinkedHashSet<>();
  private int resolving;
  private boolean impatient;

  /** How many addresses the dial has that is under way, or was last. */
  private int dialled;

  /** Whether a dial is under way. */
  private boolean asked;

  private Connections.@Nullable ConnectFailed refused;
  private @Nullable HostFailure unresolved;

  private Attempt(
      ActorContext<Command> context,
      @Nullable PeerId peer,
      Duration timeout,
      ActorRef<Connections.Command> connections,
      Consumer<Connections.ConnectReply> told) {
    super(context);
    this.peer = peer;
    this.timeout = timeout;
    this.connections = connections;
    this.told = told;
    this.replies = context.messageAdapter(Connections.ConnectReply.class, Ended::new);
  }

  private Behavior<Command> begin(World world, List<Multiaddr> all) {
    ActorRef<Command> self = getContext().getSelf();
    for (Multiaddr address : all) {
      if (peer != null && Resolution.isNeeded(address)) {
        resolving++;
        ActorRef<Resolution.Command> child =
            getContext()
                .spawnAnonymous(
                    Resolution.create(
                        world,
                        address.withPeer(peer),
                        outcome -> self.tell(new Resolved(outcome))));
        getContext().watchWith(child, new ResolutionOver());
      } else {
        addresses.add(address);
      }
    }
    return resolving == 0 ? connect() : this;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Resolved.class, this::onResolved)
        .onMessage(ResolutionOver.class, over -> onResolutionOver())
        .onMessage(Impatient.class, impatience -> onImpatient())
        .onMessage(Ended.class, this::onEnded)
        .onMessage(TimedOut.class, late -> onTimedOut())
        .onSignal(PostStop.class, stop -> onStop())
        .build();
  }

  private Behavior<Command> onResolved(Resolved resolved) {
    HostFailure failure = resolved.outcome().failure();
    if (failure != null) {
      unresolved = failure;
    }
    resolved.outcome().addresses().forEach(address -> addresses.add(address.withoutPeer()));
    return dialEarly();
  }

  private Behavior<Command> onImpatient() {
    impatient = true;
    return dialEarly();
  }

  private Behavior<Command> dialEarly() {
    return impatient && dialled == 0 && !addresses.isEmpty() ? connect() : this;
  }

  /** It has said before what came of it, unless it has crashed. */
  private Behavior<Command> onResolutionOver() {
    if (--resolving > 0) {
      return this;
    }
    boolean more = addresses.size() > dialled;
    if (refused != null && !more) {
      return end(refused);
    }
    if (asked && !more) {
      return this;
    }
    withdraw();
    return connect();
  }

  private Behavior<Command> connect() {
    if (addresses.isEmpty()) {
      return end(
          new Connections.ConnectFailed(
              peer,
              unresolved != null
                  ? unresolved
                  : new HostFailure(HostFailure.Kind.CANCELLED, "the resolution has crashed")));
    }
    asked = true;
    List<Multiaddr> known = List.copyOf(addresses);
    dialled = known.size();
    connections.tell(
        peer == null
            ? new Connections.ConnectTo(known.get(0), replies)
            : new Connections.Connect(peer, known, replies));
    return this;
  }

  private Behavior<Command> onEnded(Ended ended) {
    asked = false;
    if (resolving > 0 && ended.reply() instanceof Connections.ConnectFailed failed) {
      refused = failed; // There may be more addresses soon.
      return this;
    }
    return end(ended.reply());
  }

  private Behavior<Command> end(Connections.ConnectReply reply) {
    told.accept(reply);
    return Behaviors.stopped();
  }

  private Behavior<Command> onTimedOut() {
    return end(
        new Connections.ConnectFailed(
            peer,
            new HostFailure(
                HostFailure.Kind.TIMED_OUT, "no answer within " + timeout.toMillis() + " ms")));
  }

  private Behavior<Command> onStop() {
    withdraw();
    return this;
  }

  private void withdraw() {
    if (peer != null && asked) {
      connections.tell(new Connections.Withdraw(peer, replies));
    }
  }
}
