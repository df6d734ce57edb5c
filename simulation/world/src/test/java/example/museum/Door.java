package example.museum;

import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/** A door of the museum: counts who comes in here, and knows how many came in by all doors. */
public final class Door extends AbstractBehavior<Door.Command> {

  public sealed interface Command {}

  /** Somebody came in; answered with how many came in by this door. */
  public record Enter(ActorRef<Integer> replyTo) implements Command {}

  /** How many came in by all doors, as far as this one has heard? */
  public record GetTotal(ActorRef<Integer> replyTo) implements Command {}

  private record PeerCreated(PeerManager.CreateReply reply) implements Command {}

  private record Heard(Gossip.TopicEvent event) implements Command {}

  private record TellOthers() implements Command {}

  public static Behavior<Command> create(World world, PeerSettings settings) {
    return Behaviors.setup(
        context -> Behaviors.withTimers(timers -> new Door(context, timers, world, settings)));
  }

  private static final String TOPIC = "visitors";

  private final Map<PeerId, Integer> others = new HashMap<>();
  private int here;
  private ActorRef<Peer.Command> peer; // null until it has been created

  private Door(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      World world,
      PeerSettings settings) {
    super(context);
    ActorRef<PeerManager.Command> peers = context.spawn(PeerManager.create(world), "peers");
    peers.tell(
        new PeerManager.Create(
            "door",
            settings,
            context.messageAdapter(PeerManager.CreateReply.class, PeerCreated::new)));
    timers.startTimerWithFixedDelay(new TellOthers(), Duration.ofSeconds(5));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Enter.class, this::onEnter)
        .onMessage(GetTotal.class, this::onGetTotal)
        .onMessage(PeerCreated.class, this::onPeerCreated)
        .onMessage(Heard.class, this::onHeard)
        .onMessage(TellOthers.class, this::onTellOthers)
        .build();
  }

  private Behavior<Command> onEnter(Enter enter) {
    here++;
    enter.replyTo().tell(here);
    return this;
  }

  private Behavior<Command> onGetTotal(GetTotal get) {
    get.replyTo().tell(here + others.values().stream().mapToInt(Integer::intValue).sum());
    return this;
  }

  private Behavior<Command> onPeerCreated(PeerCreated created) {
    if (!(created.reply() instanceof PeerManager.Created success)) {
      throw new IllegalStateException("no peer: " + created.reply());
    }
    peer = success.peer();
    peer.tell(
        Peer.subscribe(
            TOPIC,
            getContext().messageAdapter(Gossip.TopicEvent.class, Heard::new),
            getContext().getSystem().ignoreRef()));
    return this;
  }

  private Behavior<Command> onTellOthers(TellOthers tell) {
    if (peer != null) {
      Bytes count = Bytes.utf8(Integer.toString(here));
      peer.tell(Peer.publish(TOPIC, count, getContext().getSystem().ignoreRef()));
    }
    return this;
  }

  private Behavior<Command> onHeard(Heard heard) {
    if (heard.event() instanceof Gossip.Message message) {
      others.merge(message.from(), Integer.parseInt(message.data().utf8()), Math::max);
    }
    return this;
  }
}
