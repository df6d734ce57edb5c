package dev.troupe.actors.bootstrap;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One dial of one bootstrap peer: tells its parent once what came of it, and stops. <b>Parent</b>:
 * {@link BootstrapPool}; stopping it takes the wish for the connection back. <b>Timers</b>: the
 * dial timeout.
 */
final class Attempt {

  sealed interface Command {}

  private record Ended(Connections.ConnectReply reply) implements Command {}

  private record TimedOut() implements Command {}

  private Attempt() {}

  /**
   * An attempt.
   *
   * @param peer whom, or null for whoever answers at the only address
   * @param told hears the outcome, once
   */
  static Behavior<Command> create(
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
                  ActorRef<Connections.ConnectReply> replies =
                      context.messageAdapter(Connections.ConnectReply.class, Ended::new);
                  connections.tell(
                      peer == null
                          ? new Connections.ConnectTo(addresses.get(0), replies)
                          : new Connections.Connect(peer, addresses, replies));
                  return Behaviors.receive(Command.class)
                      .onMessage(
                          Ended.class,
                          ended -> {
                            told.accept(ended.reply());
                            return Behaviors.stopped();
                          })
                      .onMessage(
                          TimedOut.class,
                          late -> {
                            told.accept(new Connections.ConnectFailed(peer, timedOut(timeout)));
                            return Behaviors.stopped();
                          })
                      .onSignal(
                          PostStop.class,
                          stop -> {
                            if (peer != null) {
                              connections.tell(new Connections.Withdraw(peer, replies));
                            }
                            return Behaviors.same();
                          })
                      .build();
                }));
  }

  private static HostFailure timedOut(Duration timeout) {
    return new HostFailure(
        HostFailure.Kind.TIMED_OUT, "no answer within " + timeout.toMillis() + " ms");
  }
}
