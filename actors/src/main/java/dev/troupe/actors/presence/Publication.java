package dev.troupe.actors.presence;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.Readiness;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.multihash.Multihash;
import java.util.function.BiConsumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Publishes one presence once: puts the record, and then provides what leads to it, so that nobody
 * who finds the second misses the first; reports, and stops. <b>Parent</b>: {@link Presence}, which
 * may stop it before. <b>Timers</b>: none; both steps end within the budgets of the DHT.
 */
final class Publication {

  sealed interface Command {}

  private record PutEnded(Dht.PutValueReply reply) implements Command {}

  private record ProvideEnded(Dht.ProvideReply reply) implements Command {}

  private Publication() {}

  /**
   * A publication.
   *
   * @param report hears how many peers took the record; or, with 0, why it came to nothing
   */
  static Behavior<Command> create(
      Bytes key,
      Bytes record,
      Multihash place,
      ActorRef<Dht.Command> dht,
      BiConsumer<Integer, @Nullable String> report) {
    return Behaviors.setup(
        context -> {
          dht.tell(
              new Dht.PutValue(
                  key,
                  record,
                  Readiness.UNTIL_GATE_OPENS,
                  context.messageAdapter(Dht.PutValueReply.class, PutEnded::new)));
          ActorRef<Dht.ProvideReply> provided =
              context.messageAdapter(Dht.ProvideReply.class, ProvideEnded::new);
          int[] peers = {0};
          return Behaviors.receive(Command.class)
              .onMessage(
                  PutEnded.class,
                  ended -> {
                    if (ended.reply() instanceof Dht.ValuePut put) {
                      peers[0] = put.peers();
                      dht.tell(new Dht.Provide(place, false, Readiness.UNTIL_GATE_OPENS, provided));
                      return Behaviors.same();
                    }
                    report.accept(0, ((Dht.OperationFailed) ended.reply()).message());
                    return Behaviors.stopped();
                  })
              .onMessage(
                  ProvideEnded.class,
                  ended -> {
                    if (ended.reply() instanceof Dht.OperationFailed failed) {
                      report.accept(0, failed.message());
                    } else {
                      report.accept(peers[0], null);
                    }
                    return Behaviors.stopped();
                  })
              .build();
        });
  }
}
