package dev.troupe.actors.connections;

import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Host;
import dev.troupe.protocol.keys.PeerId;
import java.util.Map;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * One remote peer with more than one connection, as there is after both sides dialled at the same
 * time. New streams use the oldest; a younger one is surplus: the side with the smaller peer id
 * closes it, once it has been without a stream at two checks in a row. (Closing at once would let
 * simultaneous dials flap: each side would close what the other kept.) One that carries a stream is
 * in use, for as long as it does. How many a remote may have is the host's limit.
 *
 * <p><b>Parent</b>: {@link Connections}, which has one of these for each peer with a surplus that
 * is this side's to close, tells it of each connection opened and ended, and stops it when a single
 * one is left. <b>Timers</b>: the surplus check. <b>A crash</b> loses which of them were idle at
 * the last check; all else it asks the host anew.
 */
final class Connection extends AbstractBehavior<Connection.Command> {

  sealed interface Command {}

  /** The set of connections to the peer has changed. */
  record Changed() implements Command {}

  private record CheckSurplus() implements Command {}

  static Behavior<Command> create(ConnectionsSettings settings, Host host, PeerId peer) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new Connection(context, timers, settings, host, peer)));
  }

  private final Host host;
  private final PeerId peer;

  /** The connections beside the oldest, and whether each carried no stream at the last check. */
  private Map<ConnectionId, Boolean> surplus = new TreeMap<>();

  private Connection(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ConnectionsSettings settings,
      Host host,
      PeerId peer) {
    super(context);
    this.host = host;
    this.peer = peer;
    timers.startTimerWithFixedDelay(new CheckSurplus(), settings.surplusCheck());
    onChanged();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Changed.class, changed -> onChanged())
        .onMessage(CheckSurplus.class, check -> onCheckSurplus())
        .build();
  }

  private Behavior<Command> onChanged() {
    Map<ConnectionId, Boolean> now = new TreeMap<>();
    host.connections(peer).stream()
        .skip(1)
        .map(ConnectionInfo::id)
        .forEach(id -> now.put(id, surplus.getOrDefault(id, false)));
    surplus = now;
    return this;
  }

  private Behavior<Command> onCheckSurplus() {
    for (Map.Entry<ConnectionId, Boolean> entry : surplus.entrySet()) {
      boolean wasIdle = entry.getValue();
      boolean idle = host.openStreams(entry.getKey()) == 0;
      if (idle && wasIdle) {
        host.disconnect(entry.getKey(), "surplus: an older connection to this peer is in use");
      }
      entry.setValue(idle);
    }
    return this;
  }
}
