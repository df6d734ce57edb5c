package dev.troupe.actors.presence;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.Readiness;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.presence.InvalidPresenceException;
import dev.troupe.protocol.presence.PresenceRecord;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Looks once for those who are present under an identity: asks who says so, then for the record of
 * each at the same time, and checks each; reports, and stops. <b>Parent</b>: {@link Presence}.
 * <b>Children</b>: an ear for each record that is asked for. <b>Timers</b>: none; both steps end
 * within the budgets of the DHT.
 */
final class Search extends AbstractBehavior<Search.Command> {

  sealed interface Command {}

  private record Candidates(Dht.FindProvidersReply reply) implements Command {}

  private record ReadEnded(int number, PeerId peer, Dht.GetValueReply reply) implements Command {}

  /**
   * A search.
   *
   * @param report hears what was found, once
   */
  static Behavior<Command> create(
      String identity,
      int candidates,
      World world,
      ActorRef<Dht.Command> dht,
      Consumer<Presence.FindReply> report) {
    return Behaviors.setup(
        context -> new Search(context, identity, candidates, world, dht, report));
  }

  private final String identity;
  private final World world;
  private final ActorRef<Dht.Command> dht;
  private final Consumer<Presence.FindReply> report;

  /** What came of the candidates, by their numbers. */
  private final Map<Integer, PresenceRecord> present = new TreeMap<>();

  private final Map<Integer, Presence.Refused> refused = new TreeMap<>();
  private int asked;

  private Search(
      ActorContext<Command> context,
      String identity,
      int candidates,
      World world,
      ActorRef<Dht.Command> dht,
      Consumer<Presence.FindReply> report) {
    super(context);
    this.identity = identity;
    this.world = world;
    this.dht = dht;
    this.report = report;
    dht.tell(
        new Dht.FindProviders(
            PresenceRecord.placeOf(world.crypto(), identity),
            candidates,
            Readiness.UNTIL_GATE_OPENS,
            context.messageAdapter(Dht.FindProvidersReply.class, Candidates::new)));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Candidates.class, this::onCandidates)
        .onMessage(ReadEnded.class, this::onReadEnded)
        .build();
  }

  private Behavior<Command> onCandidates(Candidates candidates) {
    if (candidates.reply() instanceof Dht.OperationFailed failed) {
      report.accept(
          new Presence.FindFailed(identity, Presence.Reason.DHT_FAILED, failed.message()));
      return Behaviors.stopped();
    }
    List<Dht.PeerWithAddresses> found = ((Dht.ProvidersFound) candidates.reply()).providers();
    for (Dht.PeerWithAddresses each : found) {
      read(asked++, each.peer());
    }
    return endIfDone();
  }

  private void read(int number, PeerId peer) {
    ActorRef<Command> self = getContext().getSelf();
    // The reply does not say whom it is about.
    ActorRef<Dht.GetValueReply> ear =
        getContext()
            .spawnAnonymous(
                Behaviors.receiveMessage(
                    reply -> {
                      self.tell(new ReadEnded(number, peer, reply));
                      return Behaviors.stopped();
                    }));
    dht.tell(
        new Dht.GetValue(PresenceRecord.keyOf(peer, identity), Readiness.UNTIL_GATE_OPENS, ear));
  }

  private Behavior<Command> onReadEnded(ReadEnded read) {
    if (read.reply() instanceof Dht.ValueGot got) {
      try {
        present.put(
            read.number(),
            PresenceRecord.open(
                world.crypto(), read.peer(), identity, got.value(), world.clock().instant()));
      } catch (InvalidPresenceException e) {
        refuse(read, new Presence.Refused(read.peer(), e.fault(), String.valueOf(e.getMessage())));
      }
    } else {
      String why = ((Dht.OperationFailed) read.reply()).message();
      refuse(read, new Presence.Refused(read.peer(), null, why));
    }
    return endIfDone();
  }

  private void refuse(ReadEnded read, Presence.Refused why) {
    refused.put(read.number(), why);
  }

  private Behavior<Command> endIfDone() {
    if (present.size() + refused.size() < asked) {
      return this;
    }
    report.accept(
        new Presence.Found(identity, List.copyOf(present.values()), List.copyOf(refused.values())));
    return Behaviors.stopped();
  }
}
