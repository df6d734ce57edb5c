package dev.troupe.actors.gossip;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.connections.ConnectionsEvent.PeerDisconnected;
import dev.troupe.actors.connections.ConnectionsEvent.PeerIdentified;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Identification;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.gossipsub.Effect;
import dev.troupe.protocol.gossipsub.Effect.Traffic;
import dev.troupe.protocol.gossipsub.GossipsubVersion;
import dev.troupe.protocol.gossipsub.MessageIdForm;
import dev.troupe.protocol.gossipsub.Publication;
import dev.troupe.protocol.gossipsub.Router;
import dev.troupe.protocol.gossipsub.Rpc;
import dev.troupe.protocol.gossipsub.RpcCodec;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.varint.Frames;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * GossipSub 1.1: hears and publishes messages by topic.
 *
 * <p><b>Owns</b> the {@link Router}, which decides, and the streams to and from each peer that
 * speaks the protocol: one that we opened, written only, and those that it opened, read only
 * (pubsub specification, "Stream management"). <b>Parent</b>: the peer. <b>Children</b>: a {@link
 * Topic} for each subscription. <b>States</b>: one, and while it stops another, in which every
 * command is refused.
 *
 * <p><b>Who sends what</b>: whoever wants to hear a topic sends {@link Subscribe} and is told
 * {@link TopicEvent}s; {@link Connections} tells who is connected and identified; the host's event
 * loops tell the RPCs, already decoded; {@code Topic} tells its news. Every command is answered at
 * once.
 *
 * <p><b>Limits</b>: {@link GossipSettings}, and {@code GossipsubSettings.Limits} for what the
 * router holds. What a peer does not read waits in its {@link OutboundQueue}, 4 MiB: control is
 * kept, gossip is dropped first, then what is forwarded; what was published here is refused last,
 * and only when every recipient refused it is the publisher told {@code OVERLOADED}. A peer whose
 * queue is full of control is cut off and greeted anew. What a peer sends is requested 256 KiB at a
 * time, and again after the work that it made. A peer that sends more than 16 invalid messages
 * between two heartbeats is put aside for 10 min: its streams are reset, and none is accepted or
 * opened. Subscribers are told, never waited for: nothing is kept here for a slow one, whose own
 * mailbox grows; one that cannot keep up is to be spawned with a bounded mailbox, where what it
 * misses goes to dead letters.
 *
 * <p><b>Timers</b>: the heartbeat (first after 50 ms, then every 500 ms); a retry for each stream
 * that could not be opened.
 *
 * <p><b>A crash loses</b> the caches: messages that were not yet sent or asked for, and the memory
 * of those seen (so that a subscriber may hear a message of the last minutes again). The publisher
 * whose message was in hand is answered {@code CRASHED}. Subscribers, subscriptions with their
 * Topic actors, the streams, who is in which topic and who is put aside survive: the new router
 * greets every peer anew and grafts, and goes on. Remote peers notice nothing else.
 */
public final class Gossip extends AbstractBehavior<Gossip.Command> {

  /** What gossip is told. */
  public sealed interface Command {}

  /**
   * Asks to hear a topic. Answered at once; what follows (advertise, discover, mesh) arrives as
   * events. Several subscribers share one subscription. Ends when the subscriber does.
   */
  public record Subscribe(
      String topic, ActorRef<TopicEvent> subscriber, ActorRef<SubscribeReply> replyTo)
      implements Command {}

  /** Asks to hear a topic no more; leaves it when nobody else hears it. */
  public record Unsubscribe(
      String topic, ActorRef<TopicEvent> subscriber, ActorRef<UnsubscribeReply> replyTo)
      implements Command {}

  /** Asks to publish to a topic, subscribed to or not. */
  public record Publish(String topic, Bytes data, ActorRef<PublishReply> replyTo)
      implements Command {}

  /** Asks which remote peers are subscribed to a topic, as far as this peer knows. */
  public record GetTopicPeers(String topic, ActorRef<TopicPeers> replyTo) implements Command {}

  /**
   * Asks to stop. What arrived before is dealt with as ever, what arrives after is refused with
   * {@link Refusal#STOPPING}; then this actor stops. Peers are told nothing, as the specification
   * has no farewell: a PRUNE would keep away a peer that comes back at once.
   */
  public record Stop() implements Command {}

  /** What arrived before the stop was begun has been answered. */
  private record Drained() implements Command {}

  /**
   * A subscription has begun, or begun anew after a crash: it is to be told the size of its mesh.
   */
  record TopicStarted(String topic) implements Command {}

  /** News of a subscription, for its subscribers. */
  record TopicNews(TopicEvent event) implements Command {}

  private record Heartbeat() implements Command {}

  private record ConnectionsHeard(ConnectionsEvent event) implements Command {}

  private record SubscriberGone(ActorRef<TopicEvent> subscriber) implements Command {}

  private record InboundOpened(Stream stream) implements Command {}

  private record InboundReceived(PeerId peer, long number, List<Rpc> rpcs, int bytes)
      implements Command {}

  private record InboundMalformed(PeerId peer, long number, String message) implements Command {}

  private record InboundEnded(PeerId peer, long number) implements Command {}

  private record InboundClosed(PeerId peer, long number) implements Command {}

  private record OpenDue(PeerId peer) implements Command {}

  private record OutboundOpened(PeerId peer, long number, Stream stream) implements Command {}

  private record OutboundFailed(PeerId peer, long number, HostFailure failure) implements Command {}

  private record OutboundWritable(PeerId peer, long number) implements Command {}

  private record OutboundClosed(PeerId peer, long number) implements Command {}

  /** The outcome of {@link Subscribe}. */
  public sealed interface SubscribeReply {}

  /** The topic is joined. */
  public record Subscribed(String topic) implements SubscribeReply {}

  /** It is not. */
  public record SubscribeRefused(String topic, Refusal refusal, String message)
      implements SubscribeReply {}

  /**
   * The outcome of {@link Unsubscribe}.
   *
   * @param wasSubscribed whether there was anything to end
   */
  public record UnsubscribeReply(String topic, boolean wasSubscribed) {}

  /** The outcome of {@link Publish}. */
  public sealed interface PublishReply {}

  /**
   * On its way.
   *
   * @param recipients how many peers it was queued for now; with 0 it is kept for those who graft
   *     or ask within the history
   */
  public record Published(String topic, int recipients) implements PublishReply {}

  /** It was not sent to anybody. */
  public record PublishRefused(String topic, Refusal refusal, String message)
      implements PublishReply {}

  /** Why a topic is not subscribed to, or a message not published. */
  public enum Refusal {
    /** With its signature over {@link RpcCodec#MAX_MESSAGE_BYTES}, what fits into an RPC. */
    TOO_LARGE,
    /** The topic's name is empty or too long. */
    INVALID_TOPIC,
    /** As many topics are subscribed to as may be. */
    TOO_MANY_TOPICS,
    /** The topic has as many subscribers as it may have. */
    TOO_MANY_SUBSCRIBERS,
    /** Whoever asks hears the topic already, and can hear it only once. */
    ALREADY_SUBSCRIBED,
    /**
     * The queues to all its recipients are full (it may still be offered to them by gossip, within
     * the history); or too much waits for the peer to listen.
     */
    OVERLOADED,
    /** The peer stops. */
    STOPPING,
    /** The actor crashed over it; whether others have received it is unknown. */
    CRASHED
  }

  /**
   * The answer to {@link GetTopicPeers}.
   *
   * @param mesh those of them in this peer's mesh
   */
  public record TopicPeers(String topic, List<PeerId> peers, List<PeerId> mesh) {
    public TopicPeers {
      peers = List.copyOf(peers);
      mesh = List.copyOf(mesh);
    }
  }

  /** What subscribers of a topic hear. */
  public sealed interface TopicEvent {
    /** Which topic. */
    String topic();
  }

  /** A message of another peer, signed by it and checked; each once. */
  public record Message(String topic, PeerId from, Bytes data) implements TopicEvent {}

  /** A connected peer subscribed, or one that is subscribed connected. */
  public record PeerJoined(String topic, PeerId peer) implements TopicEvent {}

  /** A peer of the topic unsubscribed or disconnected. */
  public record PeerLeft(String topic, PeerId peer) implements TopicEvent {}

  /**
   * The mesh has its first member(s), or, at the mesh deadline, still none ({@code peers} 0); once
   * per subscription.
   */
  public record MeshFormed(String topic, int peers) implements TopicEvent {}

  /** The topic was advertised in the DHT. */
  public record Advertised(String topic, int peers) implements TopicEvent {}

  /** The DHT named these providers of the topic. */
  public record Discovered(String topic, List<PeerId> peers) implements TopicEvent {
    public Discovered {
      peers = List.copyOf(peers);
    }
  }

  /** What streams may speak, the preferred first. */
  private static final List<ProtocolId> PROTOCOLS =
      GossipsubVersion.PREFERRED_FIRST.stream()
          .map(version -> new ProtocolId(version.protocolId()))
          .toList();

  /** A stream that lived for longer than this was not a failed attempt. */
  private static final Duration LASTING = Duration.ofMinutes(1);

  /** What a place in the mesh of one topic weighs where connections are trimmed. */
  static final int MESH_WEIGHT = 20;

  /** Under which tag; the weight is the sum over all meshes. */
  static final String MESH_TAG = "mesh";

  /** Makes the actor; its supervision is included. */
  public static Behavior<Command> create(
      GossipSettings settings,
      PrivateKey identity,
      World world,
      Host host,
      ActorRef<Connections.Command> connections,
      ActorRef<Dht.Command> dht) {
    return Behaviors.setup(
        outer -> {
          Ledger ledger = new Ledger();
          ActorRef<Command> self = outer.getSelf();
          PROTOCOLS.forEach(
              protocol -> host.handle(protocol, stream -> self.tell(new InboundOpened(stream))));
          connections.tell(
              new Connections.Subscribe(
                  outer.messageAdapter(ConnectionsEvent.class, ConnectionsHeard::new),
                  Connections.From.IDENTIFIED));
          return Behaviors.supervise(
                  Behaviors.<Command>setup(
                      context ->
                          Behaviors.withTimers(
                              timers ->
                                  new Gossip(
                                      context,
                                      timers,
                                      settings,
                                      identity,
                                      world,
                                      host,
                                      connections,
                                      dht,
                                      ledger))))
              .onFailure(SupervisorStrategy.restart().withStopChildren(false));
        });
  }

  /** What a restart must not lose. */
  private static final class Ledger {
    final Map<PeerId, Remote> remotes = new LinkedHashMap<>();
    final Map<String, Joined> joined = new LinkedHashMap<>();

    /** Who is put aside, and until when; in this order. */
    final Map<PeerId, Long> graylist = new LinkedHashMap<>();

    /** The members of meshes, and what Connections has been told that they weigh. */
    final Map<PeerId, Integer> meshWeights = new LinkedHashMap<>();

    @Nullable Router router;
    @Nullable Publish inHand;
    long numbers;
  }

  /** A subscribed topic. */
  private static final class Joined {
    final ActorRef<Topic.Command> child;
    final Set<ActorRef<TopicEvent>> subscribers = new LinkedHashSet<>();
    boolean meshSaid;

    Joined(ActorRef<Topic.Command> child) {
      this.child = child;
    }
  }

  /** A remote peer that is connected, or that has a stream to us. */
  private static final class Remote {
    final PeerId peer;
    final OutboundQueue queue;
    boolean connected;

    /** Whether it is known to speak the protocol. */
    boolean speaks;

    boolean outboundConnection;
    GossipsubVersion version = GossipsubVersion.V1_1;
    @Nullable MessageIdForm idForm;

    /** Our streams to it are numbered; what concerns another number than this one is late. */
    long outboundNumber;

    @Nullable Cancellable opening;
    @Nullable Stream outbound;
    @Nullable ByteBuffer writing;
    int attempts;
    long openedAtNanos;
    final Map<Long, Stream> inbound = new LinkedHashMap<>();

    Remote(PeerId peer, OutboundQueue queue) {
      this.peer = peer;
      this.queue = queue;
    }
  }

  private final TimerScheduler<Command> timers;
  private final GossipSettings settings;
  private final World world;
  private final Host host;
  private final ActorRef<Connections.Command> connections;
  private final ActorRef<Dht.Command> dht;
  private final Ledger ledger;
  private final Router router;

  private Gossip(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      GossipSettings settings,
      PrivateKey identity,
      World world,
      Host host,
      ActorRef<Connections.Command> connections,
      ActorRef<Dht.Command> dht,
      Ledger ledger) {
    super(context);
    this.timers = timers;
    this.settings = settings;
    this.world = world;
    this.host = host;
    this.connections = connections;
    this.dht = dht;
    this.ledger = ledger;
    Router crashed = ledger.router;
    Instant wall = world.clock().instant();
    long seqno = wall.getEpochSecond() * 1_000_000_000L + wall.getNano();
    this.router =
        new Router(
            settings.router(),
            identity,
            world.crypto(),
            world.random(host.peerId(), "gossip"),
            crashed == null ? seqno : Math.max(seqno, crashed.nextSeqno()));
    ledger.router = router;
    timers.startTimerWithFixedDelay(
        new Heartbeat(), settings.router().initialDelay(), settings.router().heartbeatInterval());
    if (crashed != null) {
      recover(crashed);
    }
  }

  /**
   * Goes on from what the ledger kept: the router that crashed is only asked who was in which
   * topic.
   */
  private void recover(Router crashed) {
    getContext().getLog().warn("gossip restarts with {} topics", ledger.joined.size());
    Publish inHand = ledger.inHand;
    ledger.inHand = null;
    if (inHand != null) {
      inHand
          .replyTo()
          .tell(
              new PublishRefused(
                  inHand.topic(), Refusal.CRASHED, "gossip crashed while it published this"));
    }
    long now = now();
    for (String topic : ledger.joined.keySet()) {
      router.subscribe(topic, now);
    }
    for (Remote remote : List.copyOf(ledger.remotes.values())) {
      if (crashed.knows(remote.peer)) {
        // A frame half written must be finished, or the stream cannot be read on; the rest is said
        // anew.
        remote.queue.clear();
        addToRouter(remote);
        // Subscribers have heard of it before the crash.
        router.onRpc(remote.peer, Rpc.subscribed(crashed.topicsOf(remote.peer)), now);
        perform(router.greet(remote.peer));
        if (remote.outbound == null && remote.opening == null) {
          open(remote);
        }
      }
    }
    ledger.joined.forEach(
        (topic, joined) -> {
          joined.child.tell(new Topic.MeshSize(router.meshPeers(topic).size()));
        });
    tagMeshes();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(InboundReceived.class, this::onInboundReceived)
        .onMessage(OutboundWritable.class, this::onOutboundWritable)
        .onMessage(Publish.class, this::onPublish)
        .onMessage(Heartbeat.class, heartbeat -> onHeartbeat())
        .onMessage(Subscribe.class, this::onSubscribe)
        .onMessage(Unsubscribe.class, this::onUnsubscribe)
        .onMessage(GetTopicPeers.class, this::onGetTopicPeers)
        .onMessage(SubscriberGone.class, this::onSubscriberGone)
        .onMessage(TopicStarted.class, this::onTopicStarted)
        .onMessage(TopicNews.class, this::onTopicNews)
        .onMessage(ConnectionsHeard.class, heard -> onConnectionsHeard(heard.event()))
        .onMessage(InboundOpened.class, this::onInboundOpened)
        .onMessage(InboundMalformed.class, this::onInboundMalformed)
        .onMessage(InboundEnded.class, this::onInboundEnded)
        .onMessage(InboundClosed.class, this::onInboundClosed)
        .onMessage(OpenDue.class, this::onOpenDue)
        .onMessage(OutboundOpened.class, this::onOutboundOpened)
        .onMessage(OutboundFailed.class, this::onOutboundFailed)
        .onMessage(OutboundClosed.class, this::onOutboundClosed)
        .onMessage(Stop.class, stop -> beginStopping())
        .onSignal(PostStop.class, stop -> onPostStop())
        .build();
  }

  // ---- subscribing

  private Behavior<Command> onSubscribe(Subscribe subscribe) {
    String topic = subscribe.topic();
    Joined joined = ledger.joined.get(topic);
    Refusal refusal = null;
    String message = "";
    if (!Router.isValidTopic(topic)) {
      refusal = Refusal.INVALID_TOPIC;
      message = "a topic name must have 1 to " + RpcCodec.MAX_TOPIC_BYTES + " bytes of UTF-8";
    } else if (joined == null && ledger.joined.size() >= settings.router().limits().topics()) {
      refusal = Refusal.TOO_MANY_TOPICS;
      message = "subscribed to " + ledger.joined.size() + " topics already";
    } else if (joined != null
        && joined.subscribers.size() >= settings.subscribersPerTopic()
        && !joined.subscribers.contains(subscribe.subscriber())) {
      refusal = Refusal.TOO_MANY_SUBSCRIBERS;
      message = "the topic has " + joined.subscribers.size() + " subscribers already";
    }
    if (refusal != null) {
      subscribe.replyTo().tell(new SubscribeRefused(topic, refusal, message));
      return this;
    }
    boolean first = joined == null;
    if (joined == null) {
      joined = new Joined(spawnTopic(topic));
      ledger.joined.put(topic, joined);
    }
    boolean added = joined.subscribers.add(subscribe.subscriber());
    getContext().watchWith(subscribe.subscriber(), new SubscriberGone(subscribe.subscriber()));
    subscribe.replyTo().tell(new Subscribed(topic));
    if (first) {
      perform(router.subscribe(topic, now()));
    } else if (added) {
      // Whoever comes later is told where things stand.
      for (PeerId peer : router.topicPeers(topic)) {
        subscribe.subscriber().tell(new PeerJoined(topic, peer));
      }
      if (joined.meshSaid) {
        subscribe.subscriber().tell(new MeshFormed(topic, router.meshPeers(topic).size()));
      }
    }
    return this;
  }

  /** Under what those in a topic find one another in the DHT. */
  private Multihash keyOf(String topic) {
    return Multihash.sha256(world.crypto(), Bytes.utf8(settings.topic().discoveryPrefix() + topic));
  }

  private ActorRef<Topic.Command> spawnTopic(String topic) {
    return getContext()
        .spawn(
            Topic.create(
                topic,
                keyOf(topic),
                host.peerId(),
                settings.router().degreeLow(),
                settings.topic(),
                world.random(host.peerId(), "topic " + topic),
                getContext().getSelf(),
                connections,
                dht),
            "topic-" + ++ledger.numbers);
  }

  private Behavior<Command> onUnsubscribe(Unsubscribe unsubscribe) {
    Joined joined = ledger.joined.get(unsubscribe.topic());
    boolean was = joined != null && joined.subscribers.contains(unsubscribe.subscriber());
    unsubscribe.replyTo().tell(new UnsubscribeReply(unsubscribe.topic(), was));
    if (was) {
      end(unsubscribe.topic(), unsubscribe.subscriber());
      if (subscriptionsOf(unsubscribe.subscriber()).isEmpty()) {
        getContext().unwatch(unsubscribe.subscriber());
      }
    }
    return this;
  }

  private Behavior<Command> onSubscriberGone(SubscriberGone gone) {
    subscriptionsOf(gone.subscriber()).forEach(topic -> end(topic, gone.subscriber()));
    return this;
  }

  private List<String> subscriptionsOf(ActorRef<TopicEvent> subscriber) {
    return ledger.joined.entrySet().stream()
        .filter(entry -> entry.getValue().subscribers.contains(subscriber))
        .map(Map.Entry::getKey)
        .toList();
  }

  private void end(String topic, ActorRef<TopicEvent> subscriber) {
    Joined joined = ledger.joined.get(topic);
    if (joined != null && joined.subscribers.remove(subscriber) && joined.subscribers.isEmpty()) {
      ledger.joined.remove(topic);
      getContext().stop(joined.child);
      // From here, since who joins again is told so before: a child's word could come too late.
      dht.tell(new Dht.StopProviding(keyOf(topic), getContext().getSystem().ignoreRef()));
      perform(router.unsubscribe(topic, now()));
      tagMeshes();
    }
  }

  private Behavior<Command> onTopicStarted(TopicStarted started) {
    Joined joined = ledger.joined.get(started.topic());
    if (joined != null) {
      joined.child.tell(new Topic.MeshSize(router.meshPeers(started.topic()).size()));
    }
    return this;
  }

  private Behavior<Command> onTopicNews(TopicNews news) {
    Joined joined = ledger.joined.get(news.event().topic());
    if (joined != null) {
      if (news.event() instanceof MeshFormed) {
        if (joined.meshSaid) {
          return this;
        }
        joined.meshSaid = true;
      }
      joined.subscribers.forEach(subscriber -> subscriber.tell(news.event()));
    }
    return this;
  }

  private Behavior<Command> onGetTopicPeers(GetTopicPeers get) {
    get.replyTo()
        .tell(
            new TopicPeers(
                get.topic(), router.topicPeers(get.topic()), router.meshPeers(get.topic())));
    return this;
  }

  // ---- publishing

  private Behavior<Command> onPublish(Publish publish) {
    ledger.inHand = publish;
    publish.replyTo().tell(published(publish));
    ledger.inHand = null;
    return this;
  }

  private PublishReply published(Publish publish) {
    String topic = publish.topic();
    if (!Router.isValidTopic(topic)) {
      return new PublishRefused(
          topic,
          Refusal.INVALID_TOPIC,
          "a topic name must have 1 to " + RpcCodec.MAX_TOPIC_BYTES + " bytes of UTF-8");
    }
    Optional<Publication> publication = router.publish(topic, publish.data(), now());
    if (publication.isEmpty()) {
      return new PublishRefused(
          topic,
          Refusal.TOO_LARGE,
          "a message of "
              + publish.data().size()
              + " bytes, with its signature, exceeds the limit of "
              + RpcCodec.MAX_RPC_BYTES
              + " bytes in one RPC");
    }
    int accepted = perform(publication.get().effects());
    int recipients = publication.get().recipients();
    if (recipients > 0 && accepted == 0) {
      return new PublishRefused(
          topic, Refusal.OVERLOADED, "the queues to all " + recipients + " recipients are full");
    }
    return new Published(topic, accepted);
  }

  private Behavior<Command> onHeartbeat() {
    long now = now();
    perform(router.heartbeat(now));
    while (!ledger.graylist.isEmpty()) {
      Map.Entry<PeerId, Long> oldest = ledger.graylist.entrySet().iterator().next();
      if (now - oldest.getValue() < 0) {
        break;
      }
      pardon(oldest.getKey());
    }
    return this;
  }

  // ---- carrying out what the router decides

  /** Carries the effects out; says how many queues took a message published here. */
  private int perform(List<Effect> effects) {
    Performer performer = new Performer();
    effects.forEach(effect -> effect.accept(performer));
    if (performer.meshesChanged) {
      tagMeshes();
    }
    return performer.accepted;
  }

  private final class Performer implements Effect.Visitor {
    private int accepted;
    private boolean meshesChanged;

    @Override
    public void send(Effect.Send send) {
      byte[] frame = Frames.encode(RpcCodec.encode(send.rpc()));
      for (PeerId to : send.to()) {
        Remote remote = ledger.remotes.get(to);
        if (remote != null && enqueue(remote, send.traffic(), frame)) {
          accepted += send.traffic() == Traffic.PUBLISHED ? 1 : 0;
        }
      }
    }

    @Override
    public void deliver(Effect.Deliver deliver) {
      String topic = deliver.message().topic();
      tell(topic, new Message(topic, deliver.author(), deliver.message().payload()));
    }

    @Override
    public void peerJoined(Effect.PeerJoined joined) {
      tell(joined.topic(), new PeerJoined(joined.topic(), joined.peer()));
    }

    @Override
    public void peerLeft(Effect.PeerLeft left) {
      tell(left.topic(), new PeerLeft(left.topic(), left.peer()));
    }

    @Override
    public void meshChanged(Effect.MeshChanged changed) {
      Joined joined = ledger.joined.get(changed.topic());
      if (joined != null) {
        joined.child.tell(new Topic.MeshSize(changed.size()));
      }
      meshesChanged = true;
    }

    @Override
    public void rejected(Effect.Rejected rejected) {
      getContext()
          .getLog()
          .debug("peer {} misbehaved in gossip: {}", rejected.peer(), rejected.reason());
    }

    @Override
    public void graylisted(Effect.Graylisted graylisted) {
      putAside(graylisted.peer());
    }

    private void tell(String topic, TopicEvent event) {
      Joined joined = ledger.joined.get(topic);
      if (joined != null) {
        joined.subscribers.forEach(subscriber -> subscriber.tell(event));
      }
    }
  }

  /**
   * Where connections are trimmed, those to the members of meshes are among the last. One tag for
   * all meshes: as many as there are topics would be more than a peer may carry.
   */
  private void tagMeshes() {
    Map<PeerId, Integer> weights = new LinkedHashMap<>();
    for (String topic : router.subscriptions()) {
      router.meshPeers(topic).forEach(peer -> weights.merge(peer, MESH_WEIGHT, Integer::sum));
    }
    for (PeerId peer : List.copyOf(ledger.meshWeights.keySet())) {
      if (!weights.containsKey(peer)) {
        ledger.meshWeights.remove(peer);
        connections.tell(new Connections.Untag(peer, MESH_TAG));
      }
    }
    weights.forEach(
        (peer, weight) -> {
          if (!weight.equals(ledger.meshWeights.put(peer, weight))) {
            connections.tell(new Connections.Tag(peer, MESH_TAG, weight));
          }
        });
  }

  // ---- the graylist

  private void putAside(PeerId peer) {
    getContext()
        .getLog()
        .info(
            "peer {} sent too many invalid messages: put aside for {}",
            peer,
            settings.graylistTime());
    Remote remote = ledger.remotes.get(peer);
    if (remote != null) {
      discard(remote, "too many invalid messages");
    }
    if (ledger.graylist.size() >= settings.graylistPeers()) {
      pardon(ledger.graylist.keySet().iterator().next());
    }
    ledger.graylist.put(peer, now() + settings.graylistTime().toNanos());
  }

  private void pardon(PeerId peer) {
    ledger.graylist.remove(peer);
    Remote remote = ledger.remotes.get(peer);
    if (remote != null && remote.speaks) {
      talk(remote);
    }
  }

  // ---- who is connected

  private Behavior<Command> onConnectionsHeard(ConnectionsEvent event) {
    if (event instanceof PeerIdentified identified) {
      Remote remote = remote(event.peer());
      remote.connected = true;
      remote.outboundConnection = identified.direction() == Direction.OUTBOUND;
      onIdentified(remote, identified.identification());
    } else if (event instanceof PeerDisconnected) {
      Remote remote = ledger.remotes.remove(event.peer());
      if (remote != null) {
        discard(remote, "the peer is disconnected");
        perform(router.removePeer(event.peer()));
      }
    }
    return this;
  }

  private Remote remote(PeerId peer) {
    return ledger.remotes.computeIfAbsent(
        peer, p -> new Remote(p, new OutboundQueue(settings.queueBytes(), settings.queueFrames())));
  }

  private void onIdentified(Remote remote, Identification identification) {
    MessageIdForm form = idFormOf(identification.agentVersion());
    if (form != null) {
      remote.idForm = form;
      router.setIdForm(remote.peer, form);
    }
    for (ProtocolId protocol : PROTOCOLS) {
      GossipsubVersion version = GossipsubVersion.of(protocol.value());
      if (identification.supports(protocol) && version != null) {
        remote.version = version;
        talk(remote);
        return;
      }
    }
  }

  /** In which form a peer of this software names messages, where that is known. */
  private static @Nullable MessageIdForm idFormOf(String agentVersion) {
    if (agentVersion.startsWith("js-libp2p")) {
      return MessageIdForm.PUBLIC_KEY;
    }
    for (String specified : List.of("troupe", "go-libp2p", "kubo", "rust-libp2p")) {
      if (agentVersion.startsWith(specified)) {
        return MessageIdForm.PEER_ID;
      }
    }
    return null;
  }

  /**
   * The peer speaks the protocol: it is part of the network from now on, and is to have a stream,
   * unless it is put aside.
   */
  private void talk(Remote remote) {
    remote.speaks = true;
    if (ledger.graylist.containsKey(remote.peer)) {
      return;
    }
    if (!router.knows(remote.peer)) {
      perform(addToRouter(remote));
    }
    if (router.knows(remote.peer) && remote.outbound == null && remote.opening == null) {
      remote.attempts = 0;
      open(remote);
    }
  }

  private List<Effect> addToRouter(Remote remote) {
    return router.addPeer(remote.peer, remote.version, remote.outboundConnection, remote.idForm);
  }

  // ---- our streams

  private void open(Remote remote) {
    timers.cancel(new OpenDue(remote.peer));
    long number = ++ledger.numbers;
    PeerId peer = remote.peer;
    ActorRef<Command> self = getContext().getSelf();
    remote.outboundNumber = number;
    remote.attempts++;
    remote.opening =
        host.openStream(
            peer,
            PROTOCOLS,
            new Completion<>() {
              @Override
              public void succeeded(Stream stream) {
                self.tell(new OutboundOpened(peer, number, stream));
              }

              @Override
              public void failed(HostFailure failure) {
                self.tell(new OutboundFailed(peer, number, failure));
              }
            });
  }

  private Behavior<Command> onOpenDue(OpenDue due) {
    Remote remote = ledger.remotes.get(due.peer());
    if (remote != null && remote.outbound == null && remote.opening == null) {
      open(remote);
    }
    return this;
  }

  private Behavior<Command> onOutboundOpened(OutboundOpened opened) {
    Remote remote = outbound(opened.peer(), opened.number());
    if (remote == null) {
      opened.stream().reset(0, "gossip does not need the stream any more");
      return this;
    }
    remote.opening = null;
    remote.outbound = opened.stream();
    remote.openedAtNanos = now();
    ActorRef<Command> self = getContext().getSelf();
    opened.stream()
        .start(
            new StreamListener() {
              @Override
              public void onData(ByteBuffer data) {
                // Nothing was requested: the stream is for writing only.
              }

              @Override
              public void onWritable() {
                self.tell(new OutboundWritable(opened.peer(), opened.number()));
              }

              @Override
              public void onRemoteClosed() {
                // The remote has nothing to say here; our direction stays open.
              }

              @Override
              public void onClosed(@Nullable HostFailure failure) {
                self.tell(new OutboundClosed(opened.peer(), opened.number()));
              }
            });
    write(remote);
    return this;
  }

  private Behavior<Command> onOutboundFailed(OutboundFailed failed) {
    Remote remote = outbound(failed.peer(), failed.number());
    if (remote != null) {
      remote.opening = null;
      getContext()
          .getLog()
          .debug("no gossip stream to peer {}: {}", failed.peer(), failed.failure().message());
      HostFailure.Kind kind = failed.failure().kind();
      boolean hopeless =
          kind == HostFailure.Kind.PROTOCOL_NOT_SUPPORTED
              || kind == HostFailure.Kind.NOT_CONNECTED
              || kind == HostFailure.Kind.CLOSED;
      openLater(remote, hopeless);
    }
    return this;
  }

  private Behavior<Command> onOutboundClosed(OutboundClosed closed) {
    Remote remote = outbound(closed.peer(), closed.number());
    if (remote != null) {
      renew(remote);
    }
    return this;
  }

  /** The stream is lost, with what was queued for it: a new one begins with a greeting. */
  private void renew(Remote remote) {
    remote.outbound = null;
    remote.writing = null;
    remote.queue.clear();
    if (now() - remote.openedAtNanos > LASTING.toNanos()) {
      remote.attempts = 0;
    }
    openLater(remote, false);
    if (router.knows(remote.peer)) {
      perform(router.greet(remote.peer));
    }
  }

  private void openLater(Remote remote, boolean hopeless) {
    if (hopeless || remote.attempts >= settings.openAttempts()) {
      forget(remote);
      return;
    }
    Duration pause = settings.openRetry().multipliedBy(1L << Math.max(0, remote.attempts - 1));
    timers.startSingleTimer(new OpenDue(remote.peer), pause);
  }

  /**
   * Takes a peer that cannot be told anything out of the network, until it identifies or opens a
   * stream again.
   */
  private void forget(Remote remote) {
    discard(remote, "no gossip stream to the peer can be opened");
    if (!remote.connected) {
      ledger.remotes.remove(remote.peer);
    }
    perform(router.removePeer(remote.peer));
  }

  private void discard(Remote remote, String reason) {
    timers.cancel(new OpenDue(remote.peer));
    // What still comes of the streams and calls of before bears a number that is not known any
    // more.
    remote.outboundNumber = 0;
    remote.attempts = 0;
    remote.writing = null;
    remote.queue.clear();
    Cancellable opening = remote.opening;
    remote.opening = null;
    if (opening != null) {
      opening.cancel();
    }
    Stream outbound = remote.outbound;
    remote.outbound = null;
    if (outbound != null) {
      outbound.reset(0, reason);
    }
    List<Stream> inbound = List.copyOf(remote.inbound.values());
    remote.inbound.clear();
    inbound.forEach(stream -> stream.reset(0, reason));
  }

  private @Nullable Remote outbound(PeerId peer, long number) {
    Remote remote = ledger.remotes.get(peer);
    return remote != null && remote.outboundNumber == number ? remote : null;
  }

  private boolean enqueue(Remote remote, Traffic traffic, byte[] frame) {
    boolean taken = remote.queue.offer(traffic, frame);
    if (taken) {
      write(remote);
    } else if (traffic == Traffic.CONTROL && remote.outbound != null) {
      getContext().getLog().debug("peer {} does not read gossip: cut off", remote.peer);
      remote.outbound.reset(0, "the peer does not read");
    }
    return taken;
  }

  private Behavior<Command> onOutboundWritable(OutboundWritable writable) {
    Remote remote = outbound(writable.peer(), writable.number());
    if (remote != null) {
      write(remote);
    }
    return this;
  }

  private void write(Remote remote) {
    Stream stream = remote.outbound;
    while (stream != null) {
      if (remote.writing == null) {
        remote.writing = remote.queue.poll();
        if (remote.writing == null) {
          return;
        }
      }
      stream.write(remote.writing);
      if (remote.writing.hasRemaining()) {
        // The stream says when there is room again.
        return;
      }
      remote.writing = null;
    }
  }

  // ---- their streams

  private Behavior<Command> onInboundOpened(InboundOpened opened) {
    Stream stream = opened.stream();
    PeerId peer = stream.remote();
    if (ledger.graylist.containsKey(peer)) {
      stream.reset(0, "the peer sent too many invalid messages");
      return this;
    }
    Remote remote = ledger.remotes.get(peer);
    if (remote == null) {
      // The news of the connection comes by another way and may be late.
      remote = remote(peer);
      remote.outboundConnection = stream.connection().direction() == Direction.OUTBOUND;
    }
    GossipsubVersion version = GossipsubVersion.of(stream.protocol().value());
    if (version != null && !router.knows(peer)) {
      remote.version = version;
    }
    if (remote.inbound.size() >= settings.inboundStreamsPerPeer()) {
      Long oldest = remote.inbound.keySet().iterator().next();
      Stream surplus = remote.inbound.remove(oldest);
      surplus.reset(0, "the peer opened more gossip streams than allowed");
    }
    long number = ++ledger.numbers;
    remote.inbound.put(number, stream);
    stream.start(new InboundRpcs(receiver(peer, number)));
    stream.request(settings.inboundWindow());
    talk(remote);
    return this;
  }

  private InboundRpcs.Receiver receiver(PeerId peer, long number) {
    ActorRef<Command> self = getContext().getSelf();
    return new InboundRpcs.Receiver() {
      @Override
      public void received(List<Rpc> rpcs, int bytes) {
        self.tell(new InboundReceived(peer, number, rpcs, bytes));
      }

      @Override
      public void malformed(String message) {
        self.tell(new InboundMalformed(peer, number, message));
      }

      @Override
      public void ended() {
        self.tell(new InboundEnded(peer, number));
      }

      @Override
      public void closed() {
        self.tell(new InboundClosed(peer, number));
      }
    };
  }

  private Behavior<Command> onInboundReceived(InboundReceived received) {
    Remote remote = ledger.remotes.get(received.peer());
    Stream stream = remote == null ? null : remote.inbound.get(received.number());
    if (remote != null && stream != null) {
      try {
        for (Rpc rpc : received.rpcs()) {
          perform(router.onRpc(received.peer(), rpc, now()));
        }
      } finally {
        // After the work, so that whoever makes it is slowed down by it; even where that fails: the
        // stream must not stall.
        if (received.bytes() > 0 && remote.inbound.get(received.number()) == stream) {
          stream.request(received.bytes());
        }
      }
    }
    return this;
  }

  private Behavior<Command> onInboundMalformed(InboundMalformed malformed) {
    Remote remote = ledger.remotes.get(malformed.peer());
    Stream stream = remote == null ? null : remote.inbound.remove(malformed.number());
    if (stream != null) {
      getContext()
          .getLog()
          .info("peer {} sent a malformed RPC: {}", malformed.peer(), malformed.message());
      stream.reset(0, malformed.message());
    }
    return this;
  }

  private Behavior<Command> onInboundEnded(InboundEnded ended) {
    Remote remote = ledger.remotes.get(ended.peer());
    Stream stream = remote == null ? null : remote.inbound.get(ended.number());
    if (stream != null) {
      stream.closeWrite();
    }
    return this;
  }

  private Behavior<Command> onInboundClosed(InboundClosed closed) {
    Remote remote = ledger.remotes.get(closed.peer());
    if (remote != null) {
      remote.inbound.remove(closed.number());
    }
    return this;
  }

  // ---- the end

  private Behavior<Command> beginStopping() {
    getContext().getSelf().tell(new Drained());
    return stopping();
  }

  private Behavior<Command> stopping() {
    return Behaviors.receive(Command.class)
        .onMessage(Drained.class, drained -> Behaviors.stopped())
        .onMessage(InboundOpened.class, opened -> refuse(opened.stream()))
        .onMessage(OutboundOpened.class, opened -> refuse(opened.stream()))
        .onAnyMessage(
            late -> {
              refuse(late, Refusal.STOPPING, "the peer stops");
              return Behaviors.same();
            })
        .onSignal(PostStop.class, stop -> onPostStop())
        .build();
  }

  private static Behavior<Command> refuse(Stream late) {
    late.reset(0, "gossip stops");
    return Behaviors.same();
  }

  /** Answers a command that is not carried out; what expects no answer is dropped. */
  public static void refuse(Command command, Refusal refusal, String message) {
    if (command instanceof Subscribe subscribe) {
      subscribe.replyTo().tell(new SubscribeRefused(subscribe.topic(), refusal, message));
    } else if (command instanceof Unsubscribe unsubscribe) {
      unsubscribe.replyTo().tell(new UnsubscribeReply(unsubscribe.topic(), false));
    } else if (command instanceof Publish publish) {
      publish.replyTo().tell(new PublishRefused(publish.topic(), refusal, message));
    } else if (command instanceof GetTopicPeers get) {
      get.replyTo().tell(new TopicPeers(get.topic(), List.of(), List.of()));
    }
  }

  private Behavior<Command> onPostStop() {
    PROTOCOLS.forEach(host::unhandle);
    ledger.remotes.values().forEach(remote -> discard(remote, "gossip stops"));
    ledger.remotes.clear();
    return this;
  }

  private long now() {
    return world.ticker().nanos();
  }
}
