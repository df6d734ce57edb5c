package dev.troupe.actors.dht;

import dev.troupe.actors.host.Stream;
import dev.troupe.protocol.kademlia.Density;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.PeerMemory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * The {@link Lookup}s of a {@link Dht} that are under way, the streams that remotes have yet to
 * close after them, and what is remembered of how peers answered. Belongs to the Dht's actor.
 */
final class Lookups {

  /**
   * How long a remote that has answered may take to close the stream, once the lookup is over; at
   * the next sweep, at most as much later again, it is reset.
   */
  static final Duration PARTING_TIME = Duration.ofSeconds(10);

  /** So many such streams are waited for; for one more, the oldest is reset at once. */
  static final int MAX_PARTINGS = 4096;

  private static final String PARTING = "parting";

  private final ActorContext<Dht.Command> context;
  private final TimerScheduler<Dht.Command> timers;
  private final DhtEnvironment environment;
  private final ActorRef<Lookup.Event> reports;
  private final Map<Long, ActorRef<Lookup.Command>> lookups = new LinkedHashMap<>();
  private final Deque<Parting> partings = new ArrayDeque<>();
  private final PeerMemory memory;
  private final Density density;

  /** A stream that the remote may take so long to close, on our clock. */
  private record Parting(Stream stream, long until) {}

  /**
   * None is under way.
   *
   * @param reports where they report to
   */
  Lookups(
      ActorContext<Dht.Command> context,
      TimerScheduler<Dht.Command> timers,
      DhtEnvironment environment,
      ActorRef<Lookup.Event> reports) {
    this.context = context;
    this.timers = timers;
    this.environment = environment;
    this.reports = reports;
    this.density = new Density(environment.settings().replication());
    this.memory =
        new PeerMemory(environment.world().random(environment.host().peerId(), "dht peer memory"));
  }

  /** Starts one. Its end comes as a message, after its report if it has not crashed. */
  void start(long id, Query query, List<PeerInfo> seeds, Duration budget) {
    ActorRef<Lookup.Command> lookup =
        context.spawn(
            Lookup.create(environment, id, query, seeds, budget, memory.snapshot(), reports),
            "lookup-" + id);
    lookups.put(id, lookup);
    context.watchWith(lookup, new Dht.LookupEnded(id));
  }

  /** How to place this, which belongs with the peers nearest to its key. */
  Query placing(KademliaMessage record) {
    DhtSettings settings = environment.settings();
    OptionalDouble radius = density.radius();
    return settings.lookup().optimisticProvide() && radius.isPresent()
        ? new Query.OptimisticPlacement(record, settings.replication(), radius.getAsDouble())
        : new Query.Placement(record);
  }

  /** Remembers what one reports of peers, for those that start later. */
  void remember(Lookup.Event event) {
    long now = environment.now();
    if (event instanceof Lookup.Unresponsive silent) {
      if (silent.unreachableAt() == null) {
        memory.onUnanswered(silent.peer(), now);
      } else {
        memory.onUnreachable(silent.peer(), silent.unreachableAt(), now);
      }
    } else if (event instanceof Lookup.Delayed delayed && delayed.dialledAt() != null) {
      memory.onDialLate();
      memory.onUnreachable(delayed.peer(), delayed.dialledAt(), now);
    } else if (event instanceof Lookup.Finished finished) {
      finished.walked().ifPresent(walk -> density.onWalked(finished.target(), walk));
      for (Lookup.Answer answer : finished.answered()) {
        memory.onAnswered(answer.peer(), answer.took());
        if (answer.dialled() != null) {
          memory.onDialled(answer.dialled());
        }
      }
    }
  }

  /** Stops one, if it is under way. */
  void stop(long id) {
    ActorRef<Lookup.Command> lookup = lookups.get(id);
    if (lookup != null) {
      context.stop(lookup);
    }
  }

  /** One has stopped. */
  void onEnded(long id) {
    lookups.remove(id);
  }

  /** A lookup has left a stream behind that the remote has yet to close. */
  void part(Stream stream) {
    partings.add(new Parting(stream, environment.now() + PARTING_TIME.toNanos()));
    if (partings.size() > MAX_PARTINGS) {
      resetNextParting();
    }
    if (!timers.isTimerActive(PARTING)) {
      timers.startTimerWithFixedDelay(PARTING, new Dht.PartingDue(), PARTING_TIME);
    }
  }

  /** Resets those that are due; those that have ended by themselves do not notice. */
  void onPartingDue() {
    long now = environment.now();
    while (!partings.isEmpty() && partings.element().until() - now <= 0) {
      resetNextParting();
    }
    if (partings.isEmpty()) {
      timers.cancel(PARTING);
    }
  }

  /** Resets all of those streams. */
  void resetPartings() {
    while (!partings.isEmpty()) {
      resetNextParting();
    }
  }

  private void resetNextParting() {
    partings.remove().stream().reset(0, "not closed in time");
  }
}
