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
 * resolved anew each time; where that fails, the addresses that are known otherwise are dialled.
 *
 * <p><b>Parent</b>: {@link BootstrapPool}; stopping it takes the wish for the connection back.
 * <b>Children</b>: a {@link Resolution} for each {@code /dnsaddr}. <b>Timers</b>: the dial timeout,
 * for all of it.
 */
final class Attempt extends AbstractBehavior<Attempt.Command> {

  sealed interface Command {}

  private record Resolved(Resolution.Outcome outcome) implements Command {}

  private record Ended(Connections.ConnectReply reply) implements Command {}

  private record TimedOut() implements Command {}

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
  private boolean asked;
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
        getContext()
            .spawnAnonymous(
                Resolution.create(
                    world, address.withPeer(peer), outcome -> self.tell(new Resolved(outcome))));
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
        .onMessage(Ended.class, ended -> end(ended.reply()))
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
    return --resolving == 0 ? connect() : this;
  }

  private Behavior<Command> connect() {
    if (addresses.isEmpty() && unresolved != null) {
      return end(new Connections.ConnectFailed(peer, unresolved));
    }
    asked = true;
    List<Multiaddr> known = List.copyOf(addresses);
    connections.tell(
        peer == null
            ? new Connections.ConnectTo(known.get(0), replies)
            : new Connections.Connect(peer, known, replies));
    return this;
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
    if (peer != null && asked) {
      connections.tell(new Connections.Withdraw(peer, replies));
    }
    return this;
  }
}
