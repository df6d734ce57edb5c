package dev.troupe.actors.gossip;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.Dht.PeerWithAddresses;
import dev.troupe.actors.dht.Readiness;
import dev.troupe.actors.gossip.Gossip.Advertised;
import dev.troupe.actors.gossip.Gossip.Discovered;
import dev.troupe.actors.gossip.Gossip.MeshFormed;
import dev.troupe.actors.gossip.Gossip.TopicEvent;
import dev.troupe.actors.gossip.GossipSettings.TopicSettings;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * One subscription: sees to it that peers of the topic find this one and that this one finds them,
 * and says when the mesh stands.
 *
 * <p><b>Owns</b> the advertising and discovering of one topic, under CIDv1(raw, sha2-256(name)),
 * the name with its configured prefix, as go-libp2p's routing discovery does; the DHT is asked by
 * the multihash in it. <b>Parent</b>: {@link Gossip}, which stops it at the unsubscription, and
 * with which it ends. <b>Children</b>: two that pass the DHT's answers on. <b>States</b>: one,
 * round two operations of the DHT, each either under way, or waiting for its timer, or at rest.
 *
 * <p><b>Who sends what</b>: Gossip says how large the mesh is; the DHT says its state and answers;
 * Gossip is told the events that the subscribers hear. Both operations begin at once, and wait in
 * the DHT's stash when it is not ready. Whenever the DHT moves to ready, both begin anew unless
 * they are under way. An advertisement that fails is tried again after 2 s and 4 s, then rests
 * until it is due again or the DHT is ready again. Discovery goes on, 10 s to 10 min apart, while
 * the mesh is below D_low. Of the providers that a discovery found, 5 in random order are to be
 * connected to; one that cannot be reached is followed by the next, as long as the mesh is below
 * D_low.
 *
 * <p><b>Limits</b>: 100 providers are asked for, 5 dialled at once. <b>Timers</b>: advertise,
 * discover, the mesh deadline (5 s).
 *
 * <p><b>A crash loses</b> the timers, the providers not yet dialled and the answers under way; the
 * restarted actor asks Gossip for the size of the mesh and begins as if just subscribed, so the
 * topic is advertised and discovered again at once. Subscribers notice nothing else.
 */
final class Topic extends AbstractBehavior<Topic.Command> {

  /** What a subscription is told. */
  sealed interface Command {}

  /** The mesh of the topic has this many members. */
  record MeshSize(int size) implements Command {}

  private record DhtState(Dht.State state) implements Command {}

  private record ProvideAnswered(Dht.ProvideReply reply) implements Command {}

  private record FindAnswered(Dht.FindProvidersReply reply) implements Command {}

  private record Dialled(Connections.ConnectReply reply) implements Command {}

  private record AdvertiseDue() implements Command {}

  private record DiscoverDue() implements Command {}

  private record MeshDeadline() implements Command {}

  /** Makes the actor; its supervision is included. */
  static Behavior<Command> create(
      String name,
      Multihash key,
      PeerId self,
      int degreeLow,
      TopicSettings settings,
      RandomGenerator random,
      ActorRef<Gossip.Command> gossip,
      ActorRef<Connections.Command> connections,
      ActorRef<Dht.Command> dht) {
    return Behaviors.supervise(
            Behaviors.<Command>setup(
                context ->
                    Behaviors.withTimers(
                        timers ->
                            new Topic(
                                context,
                                timers,
                                name,
                                key,
                                self,
                                degreeLow,
                                settings,
                                random,
                                gossip,
                                connections,
                                dht))))
        .onFailure(SupervisorStrategy.restart());
  }

  private final TimerScheduler<Command> timers;
  private final String name;
  private final Multihash key;
  private final PeerId self;
  private final int degreeLow;
  private final TopicSettings settings;
  private final RandomGenerator random;
  private final ActorRef<Gossip.Command> gossip;
  private final ActorRef<Connections.Command> connections;
  private final ActorRef<Dht.Command> dht;
  private final ActorRef<Dht.ProvideReply> provideAnswers;
  private final ActorRef<Dht.FindProvidersReply> findAnswers;

  private final ActorRef<Connections.ConnectReply> dialAnswers;

  /** Found, and not dialled yet. */
  private final Deque<PeerWithAddresses> candidates = new ArrayDeque<>();

  private final Set<PeerId> dialling = new LinkedHashSet<>();

  /** How many of the last discovery are connected. */
  private int reached;

  private Dht.@Nullable State dhtState;
  private boolean advertising;
  private boolean discovering;
  private boolean givenUp;
  private int advertiseAttempt;
  private int meshSize;
  private boolean meshSaid;
  private Duration discoverPause;

  private Topic(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String name,
      Multihash key,
      PeerId self,
      int degreeLow,
      TopicSettings settings,
      RandomGenerator random,
      ActorRef<Gossip.Command> gossip,
      ActorRef<Connections.Command> connections,
      ActorRef<Dht.Command> dht) {
    super(context);
    this.timers = timers;
    this.name = name;
    this.key = key;
    this.self = self;
    this.degreeLow = degreeLow;
    this.settings = settings;
    this.random = random;
    this.gossip = gossip;
    this.connections = connections;
    this.dht = dht;
    this.discoverPause = settings.discoverBackoff();
    this.provideAnswers = context.spawn(passingOn(ProvideAnswered::new), "advertised");
    this.findAnswers = context.spawn(passingOn(FindAnswered::new), "discovered");
    this.dialAnswers = context.messageAdapter(Connections.ConnectReply.class, Dialled::new);
    gossip.tell(new Gossip.TopicStarted(name));
    timers.startSingleTimer(new MeshDeadline(), settings.meshDeadline());
    advertise();
    discover();
    dht.tell(
        new Dht.Subscribe(
            context.messageAdapter(
                Dht.StateChanged.class, changed -> new DhtState(changed.state()))));
  }

  /**
   * Passes answers on to this actor. Not message adapters: all adapters of an actor share one
   * address and are told apart by the class of the message, and a failure is of one class whichever
   * operation failed.
   */
  private <T> Behavior<T> passingOn(Function<T, Command> wrapped) {
    ActorRef<Command> topic = getContext().getSelf();
    return Behaviors.receiveMessage(
        answer -> {
          topic.tell(wrapped.apply(answer));
          return Behaviors.same();
        });
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(MeshSize.class, this::onMeshSize)
        .onMessage(MeshDeadline.class, deadline -> onMeshDeadline())
        .onMessage(DhtState.class, this::onDhtState)
        .onMessage(AdvertiseDue.class, due -> onAdvertiseDue())
        .onMessage(ProvideAnswered.class, this::onProvideAnswered)
        .onMessage(DiscoverDue.class, due -> onDiscoverDue())
        .onMessage(FindAnswered.class, this::onFindAnswered)
        .onMessage(Dialled.class, this::onDialled)
        .onSignal(PreRestart.class, restart -> withdraw())
        .onSignal(PostStop.class, stop -> withdraw())
        .build();
  }

  // ---- the mesh

  private Behavior<Command> onMeshSize(MeshSize mesh) {
    boolean wasLow = meshSize < degreeLow;
    meshSize = mesh.size();
    if (meshSize > 0) {
      sayMesh();
    }
    if (meshSize >= degreeLow) {
      timers.cancel(new DiscoverDue());
      discoverPause = settings.discoverBackoff();
    } else if (!wasLow) {
      discoverLater();
    }
    return this;
  }

  private Behavior<Command> onMeshDeadline() {
    sayMesh();
    return this;
  }

  private void sayMesh() {
    if (!meshSaid) {
      meshSaid = true;
      timers.cancel(new MeshDeadline());
      say(new MeshFormed(name, meshSize));
    }
  }

  // ---- the DHT's state

  private Behavior<Command> onDhtState(DhtState changed) {
    boolean becameReady = dhtState != Dht.State.READY && changed.state() == Dht.State.READY;
    boolean first = dhtState == null;
    dhtState = changed.state();
    // At the first news both have just begun.
    if (becameReady && !first && !givenUp) {
      advertiseAttempt = 0;
      advertise();
      discoverPause = settings.discoverBackoff();
      discover();
    }
    return this;
  }

  // ---- advertising

  private void advertise() {
    timers.cancel(new AdvertiseDue());
    if (!advertising) {
      advertising = true;
      advertiseAttempt++;
      dht.tell(new Dht.Provide(key, false, Readiness.UNTIL_GATE_OPENS, provideAnswers));
    }
  }

  private Behavior<Command> onAdvertiseDue() {
    advertise();
    return this;
  }

  private Behavior<Command> onProvideAnswered(ProvideAnswered answered) {
    advertising = false;
    Duration next = settings.advertiseTtl().dividedBy(2);
    if (answered.reply() instanceof Dht.Provided provided) {
      advertiseAttempt = 0;
      say(new Advertised(name, provided.peers()));
    } else if (answered.reply() instanceof Dht.OperationFailed failed) {
      getContext()
          .getLog()
          .debug("topic {} not advertised: {} {}", name, failed.reason(), failed.message());
      if (isFinal(failed.reason())) {
        return giveUp();
      }
      if (advertiseAttempt < settings.advertiseAttempts()) {
        next = settings.advertiseRetry().multipliedBy(1L << (advertiseAttempt - 1));
      } else {
        advertiseAttempt = 0;
      }
    }
    timers.startSingleTimer(new AdvertiseDue(), next);
    return this;
  }

  // ---- discovering

  private void discover() {
    timers.cancel(new DiscoverDue());
    if (!discovering) {
      discovering = true;
      dht.tell(
          new Dht.FindProviders(
              key, settings.discoverLimit(), Readiness.UNTIL_GATE_OPENS, findAnswers));
    }
  }

  private void discoverLater() {
    if (!givenUp && !discovering && meshSize < degreeLow) {
      timers.startSingleTimer(new DiscoverDue(), discoverPause);
      Duration doubled = discoverPause.multipliedBy(2);
      discoverPause =
          doubled.compareTo(settings.discoverBackoffMax()) < 0
              ? doubled
              : settings.discoverBackoffMax();
    }
  }

  private Behavior<Command> onDiscoverDue() {
    discover();
    return this;
  }

  private Behavior<Command> onFindAnswered(FindAnswered answered) {
    discovering = false;
    if (answered.reply() instanceof Dht.ProvidersFound found) {
      List<PeerWithAddresses> providers = new ArrayList<>();
      for (PeerWithAddresses provider : found.providers()) {
        if (!provider.peer().equals(self) && providers.size() < settings.discoverLimit()) {
          providers.add(provider);
        }
      }
      say(new Discovered(name, providers.stream().map(PeerWithAddresses::peer).toList()));
      candidates.clear();
      candidates.addAll(shuffled(providers));
      reached = 0;
      dial();
    } else if (answered.reply() instanceof Dht.OperationFailed failed) {
      getContext()
          .getLog()
          .debug("topic {} not discovered: {} {}", name, failed.reason(), failed.message());
      if (isFinal(failed.reason())) {
        return giveUp();
      }
    }
    discoverLater();
    return this;
  }

  /** Nobody is dialled for a topic that is left. */
  private Behavior<Command> withdraw() {
    dialling.forEach(peer -> connections.tell(new Connections.Withdraw(peer, dialAnswers)));
    return this;
  }

  /**
   * Dials a few of those found. In random order: the nodes of the DHT name the same providers to
   * everybody, and the first of them would be everybody's.
   */
  private void dial() {
    while (meshSize < degreeLow && reached + dialling.size() < settings.discoverDials()) {
      PeerWithAddresses candidate = candidates.poll();
      if (candidate == null) {
        return;
      }
      if (dialling.add(candidate.peer())) {
        connections.tell(
            new Connections.Connect(candidate.peer(), candidate.addresses(), dialAnswers));
      }
    }
  }

  private Behavior<Command> onDialled(Dialled dialled) {
    if (dialled.reply() instanceof Connections.Connected connected) {
      reached += dialling.remove(connected.peer()) ? 1 : 0;
    } else if (dialled.reply() instanceof Connections.ConnectFailed failed) {
      dialling.remove(failed.peer());
    }
    dial();
    return this;
  }

  private <T> List<T> shuffled(List<T> list) {
    List<T> order = new ArrayList<>(list);
    for (int i = order.size() - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      T swapped = order.get(i);
      order.set(i, order.get(j));
      order.set(j, swapped);
    }
    return order;
  }

  /** Whether no repetition can help. */
  private static boolean isFinal(Dht.Reason reason) {
    return reason == Dht.Reason.NO_DHT || reason == Dht.Reason.STOPPING;
  }

  /** There is no DHT: the topic lives on what connections there are. */
  private Behavior<Command> giveUp() {
    givenUp = true;
    timers.cancel(new AdvertiseDue());
    timers.cancel(new DiscoverDue());
    return this;
  }

  private void say(TopicEvent event) {
    gossip.tell(new Gossip.TopicNews(event));
  }
}
