package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.gossipsub.Effect.Deliver;
import dev.troupe.protocol.gossipsub.Effect.Graylisted;
import dev.troupe.protocol.gossipsub.Effect.MeshChanged;
import dev.troupe.protocol.gossipsub.Effect.PeerJoined;
import dev.troupe.protocol.gossipsub.Effect.PeerLeft;
import dev.troupe.protocol.gossipsub.Effect.Rejected;
import dev.troupe.protocol.gossipsub.Effect.Send;
import dev.troupe.protocol.gossipsub.Effect.Traffic;
import dev.troupe.protocol.gossipsub.Rpc.Graft;
import dev.troupe.protocol.gossipsub.Rpc.IHave;
import dev.troupe.protocol.gossipsub.Rpc.IWant;
import dev.troupe.protocol.gossipsub.Rpc.Prune;
import dev.troupe.protocol.gossipsub.Rpc.Subscription;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The GossipSub 1.1 router of one peer: who is in which mesh, which messages have been seen, and
 * what to tell whom.
 *
 * <p>It does no I/O. What happens is told by its methods, with the time as an argument (nanoseconds
 * of any monotonic clock); what is to be done comes back as a list of {@link Effect}s, in order.
 * Equal calls with an equal generator give equal effects. Not thread-safe: one actor owns it.
 *
 * <p>Two liberties beside the specification. A peer that joined the mesh since the last heartbeat
 * is told IHAVE once, like a peer outside the mesh, so that a message published just before the
 * mesh formed still arrives (where the form of its message ids is known, see {@link
 * MessageIdForm}). And with flood publishing, a topic that is published to without being subscribed
 * is still gossiped about, for the sake of a message that found nobody.
 */
public final class Router {

  /** No PRUNE keeps us away for longer than this, whatever the remote asked for. */
  static final Duration MAX_BACKOFF = Duration.ofHours(1);

  /**
   * GRAFTs during a backoff are answered once in so long, the others ignored (1.1, "Spam Protection
   * Measures").
   */
  static final Duration GRAFT_FLOOD_THRESHOLD = Duration.ofSeconds(10);

  /**
   * Most bytes of message ids in one IHAVE or IWANT entry of ours, which is not divided further:
   * well below {@link RpcCodec#MAX_RPC_BYTES}.
   */
  private static final int MAX_ID_BYTES_PER_ENTRY = 512 << 10;

  /** Our own grafts wait this many heartbeats beyond a backoff. */
  private static final int BACKOFF_SLACK_HEARTBEATS = 2;

  private static final class Peer {
    final PeerId id;
    final GossipsubVersion version;
    final boolean outbound;
    final Set<String> topics = new LinkedHashSet<>();

    /** In which form it names messages, null while that is unknown. */
    @Nullable MessageIdForm idForm;

    // Since the last heartbeat.
    boolean active;
    int ihaveSinceHeartbeat;
    int askedSinceHeartbeat;
    int invalidSinceHeartbeat;
    boolean toldTooManyTopics;

    /** Of the topics that we are in. */
    final Map<String, Changes> changes = new LinkedHashMap<>();

    Peer(PeerId id, GossipsubVersion version, boolean outbound, @Nullable MessageIdForm idForm) {
      this.id = id;
      this.version = version;
      this.outbound = outbound;
      this.idForm = idForm;
    }
  }

  /** How often a peer joined or left one topic since the last heartbeat. */
  private static final class Changes {
    int count;

    /** Whether the last word counts at the next heartbeat only. */
    boolean held;

    boolean lastWord;
  }

  private static final class Mesh {
    final Set<PeerId> members = new LinkedHashSet<>();

    /** Members since the last heartbeat. */
    final Set<PeerId> fresh = new LinkedHashSet<>();

    void add(PeerId peer) {
      members.add(peer);
      fresh.add(peer);
    }
  }

  private static final class Fanout {
    final Set<PeerId> peers = new LinkedHashSet<>();
    long lastPublished;
  }

  /** The GRAFT and PRUNE that one call has for one peer, to go out in one RPC. */
  private static final class MeshNews {
    final List<Graft> grafts = new ArrayList<>();
    final List<Prune> prunes = new ArrayList<>();
  }

  private final GossipsubSettings settings;
  private final PrivateKey identity;
  private final PeerId self;
  private final Crypto crypto;
  private final RandomGenerator random;
  private final Map<PeerId, Peer> peers = new LinkedHashMap<>();

  /** Those of them with something to reset at the next heartbeat. */
  private final List<Peer> active = new ArrayList<>();

  private final Map<String, Set<PeerId>> topicPeers = new LinkedHashMap<>();
  private final Map<String, Mesh> meshes = new LinkedHashMap<>();
  private final Map<String, Fanout> fanouts = new LinkedHashMap<>();
  private final SeenCache seen;
  private final MessageCache cache;
  private final Backoffs backoffs;
  private long nextSeqno;

  // Of the call under way.
  private final List<Effect> effects = new ArrayList<>();
  private final Map<PeerId, MeshNews> meshNews = new LinkedHashMap<>();
  private final Set<String> changedMeshes = new LinkedHashSet<>();

  /**
   * Makes a router that knows nobody.
   *
   * @param identity signs what is published
   * @param random picks mesh members and whom to gossip to
   * @param firstSeqno the first sequence number; over the life of an identity they must grow, so
   *     take the wall clock's nanoseconds
   */
  public Router(
      GossipsubSettings settings,
      PrivateKey identity,
      Crypto crypto,
      RandomGenerator random,
      long firstSeqno) {
    this.settings = settings;
    this.identity = identity;
    this.self = PeerId.of(identity.publicKey());
    this.crypto = crypto;
    this.random = random;
    this.nextSeqno = firstSeqno;
    GossipsubSettings.Limits limits = settings.limits();
    this.seen = new SeenCache(settings.seenTtl().toNanos(), limits.seen());
    this.cache =
        new MessageCache(
            settings.historyLength(),
            settings.historyGossip(),
            limits.cachedMessages(),
            limits.cachedBytes());
    this.backoffs =
        new Backoffs(
            BACKOFF_SLACK_HEARTBEATS * settings.heartbeatInterval().toNanos(), limits.backoffs());
  }

  /**
   * Whether a topic may have this name: not empty, and at most {@link RpcCodec#MAX_TOPIC_BYTES} of
   * UTF-8.
   */
  public static boolean isValidTopic(String topic) {
    return !topic.isEmpty()
        && topic.length() <= RpcCodec.MAX_TOPIC_BYTES
        && topic.getBytes(StandardCharsets.UTF_8).length <= RpcCodec.MAX_TOPIC_BYTES;
  }

  // ---- peers

  /**
   * A connected peer speaks the protocol. It is told our subscriptions.
   *
   * <p>Does nothing when the peer is known, or when there are too many ({@link
   * GossipsubSettings.Limits#peers}).
   *
   * @param outbound whether we opened the connection to it
   * @param idForm in which form it names messages, where its software is known to do so; null where
   *     it is not: the router then learns it from the first ids that the peer names, and uses the
   *     specified form until then
   */
  public List<Effect> addPeer(
      PeerId id, GossipsubVersion version, boolean outbound, @Nullable MessageIdForm idForm) {
    if (id.equals(self) || peers.containsKey(id) || peers.size() >= settings.limits().peers()) {
      return List.of();
    }
    peers.put(id, new Peer(id, version, outbound, idForm));
    return greet(id);
  }

  /**
   * What a peer must know of us: our subscriptions, and in which meshes it is. For a peer that was
   * just taken in, and for one to which a new stream takes the place of a broken one; saying it
   * twice does no harm.
   */
  public List<Effect> greet(PeerId id) {
    if (!peers.containsKey(id) || meshes.isEmpty()) {
      return List.of();
    }
    List<Subscription> subscriptions = new ArrayList<>();
    meshes.forEach(
        (topic, mesh) -> {
          subscriptions.add(new Subscription(true, topic));
          if (mesh.members.contains(id)) {
            newsFor(id).grafts.add(new Graft(topic));
          }
        });
    send(id, Rpc.ofSubscriptions(subscriptions), Traffic.CONTROL);
    return done();
  }

  /** A peer is gone, or can no more be told anything. Does nothing when it is not known. */
  public List<Effect> removePeer(PeerId id) {
    remove(id);
    return done();
  }

  private void remove(PeerId id) {
    Peer peer = peers.remove(id);
    if (peer != null) {
      for (String topic : peer.topics) {
        forget(topic, id);
      }
    }
  }

  /** Whether the peer is known. */
  public boolean knows(PeerId id) {
    return peers.containsKey(id);
  }

  /** The software of a peer is known by now, and with it in which form it names messages. */
  public void setIdForm(PeerId id, MessageIdForm form) {
    Peer peer = peers.get(id);
    if (peer != null) {
      peer.idForm = form;
    }
  }

  /** The topics that a peer is subscribed to, as far as known. */
  public List<String> topicsOf(PeerId id) {
    Peer peer = peers.get(id);
    return peer == null ? List.of() : List.copyOf(peer.topics);
  }

  // ---- our own topics

  /**
   * Joins a topic: tells all peers, and grafts up to D of those who are in it. Does nothing when it
   * is joined already.
   *
   * @throws IllegalArgumentException if the topic has no valid name
   * @throws IllegalStateException if there are too many topics
   */
  public List<Effect> subscribe(String topic, long now) {
    if (!isValidTopic(topic)) {
      throw new IllegalArgumentException("not a valid topic name");
    }
    if (meshes.containsKey(topic)) {
      return List.of();
    }
    if (meshes.size() >= settings.limits().topics()) {
      throw new IllegalStateException("too many topics: " + meshes.size());
    }
    announce(topic, true);
    Mesh mesh = new Mesh();
    meshes.put(topic, mesh);
    Fanout fanout = fanouts.remove(topic);
    if (fanout != null) {
      for (PeerId peer : fanout.peers) {
        if (mesh.members.size() < settings.degree() && !backoffs.holdsUsBack(topic, peer, now)) {
          graft(topic, mesh, peer);
        }
      }
    }
    graftSome(topic, mesh, settings.degree() - mesh.members.size(), now, peer -> true);
    changedMeshes.add(topic);
    for (PeerId peer : topicPeers.getOrDefault(topic, Set.of())) {
      effects.add(new PeerJoined(topic, peer));
    }
    return done();
  }

  /** Leaves a topic: prunes its mesh and tells all peers. Does nothing when it is not joined. */
  public List<Effect> unsubscribe(String topic, long now) {
    Mesh mesh = meshes.remove(topic);
    if (mesh == null) {
      return List.of();
    }
    changedMeshes.remove(topic);
    for (PeerId peer : mesh.members) {
      prune(topic, peer, settings.unsubscribeBackoff(), now);
    }
    flushMeshNews();
    announce(topic, false);
    return done();
  }

  /** The topics joined. */
  public List<String> subscriptions() {
    return List.copyOf(meshes.keySet());
  }

  /** The members of a topic's mesh; empty when it is not joined. */
  public List<PeerId> meshPeers(String topic) {
    Mesh mesh = meshes.get(topic);
    return mesh == null ? List.of() : List.copyOf(mesh.members);
  }

  /** The known peers that are subscribed to a topic, whether it is joined or not. */
  public List<PeerId> topicPeers(String topic) {
    return List.copyOf(topicPeers.getOrDefault(topic, Set.of()));
  }

  private void announce(String topic, boolean subscribe) {
    if (!peers.isEmpty()) {
      effects.add(
          new Send(
              List.copyOf(peers.keySet()),
              Rpc.ofSubscriptions(List.of(new Subscription(subscribe, topic))),
              Traffic.CONTROL));
    }
  }

  // ---- publishing

  /**
   * Signs a message and sends it off: to all peers of the topic with flood publishing, otherwise to
   * the mesh of a joined topic and to the fanout of another. It is not delivered here.
   *
   * @return empty when its RPC would exceed {@link RpcCodec#MAX_RPC_BYTES}; nothing has happened
   *     then
   * @throws IllegalArgumentException if the topic has no valid name
   */
  public Optional<Publication> publish(String topic, Bytes data, long now) {
    if (!isValidTopic(topic)) {
      throw new IllegalArgumentException("not a valid topic name");
    }
    if (data.size() > RpcCodec.MAX_MESSAGE_BYTES) {
      return Optional.empty();
    }
    Message message = MessageSigning.sign(identity, crypto, topic, data, nextSeqno);
    if (RpcCodec.encode(message).size() > RpcCodec.MAX_MESSAGE_BYTES) {
      return Optional.empty();
    }
    nextSeqno++;
    seen.add(message.id(), now);
    cache.put(message);
    List<PeerId> recipients = recipients(topic, now);
    if (!recipients.isEmpty()) {
      effects.add(new Send(recipients, Rpc.ofMessage(message), Traffic.PUBLISHED));
    }
    return Optional.of(new Publication(message, recipients.size(), done()));
  }

  /** The sequence number that the next publication takes. */
  public long nextSeqno() {
    return nextSeqno;
  }

  private List<PeerId> recipients(String topic, long now) {
    Fanout fanout = meshes.containsKey(topic) ? null : fanout(topic, now);
    if (settings.floodPublish()) {
      return topicPeers(topic);
    }
    if (fanout == null) {
      return meshPeers(topic);
    }
    fillFanout(topic, fanout);
    return List.copyOf(fanout.peers);
  }

  private Fanout fanout(String topic, long now) {
    Fanout fanout = fanouts.remove(topic);
    if (fanout == null) {
      fanout = new Fanout();
      if (fanouts.size() >= settings.limits().topics()) {
        // They stand in the order of their last publication: the one unused for longest goes.
        fanouts.remove(fanouts.keySet().iterator().next());
      }
    }
    fanouts.put(topic, fanout);
    fanout.lastPublished = now;
    return fanout;
  }

  private void fillFanout(String topic, Fanout fanout) {
    if (fanout.peers.size() >= settings.degree()) {
      return;
    }
    List<PeerId> candidates = shuffled(topicPeers(topic));
    for (PeerId candidate : candidates) {
      if (fanout.peers.size() >= settings.degree()) {
        return;
      }
      fanout.peers.add(candidate);
    }
  }

  // ---- what peers tell us

  /**
   * A peer sent an RPC. Does nothing when the peer is not known. Where it exceeds its budget of
   * invalid messages, the rest of the RPC is not looked at.
   */
  public List<Effect> onRpc(PeerId from, Rpc rpc, long now) {
    Peer peer = peers.get(from);
    if (peer == null) {
      return List.of();
    }
    onSubscriptions(peer, rpc.subscriptions());
    for (Message message : rpc.messages()) {
      onMessage(peer, message, now);
      if (peer.invalidSinceHeartbeat > settings.maxInvalidMessages()) {
        remove(from);
        effects.add(new Graylisted(from));
        return done();
      }
    }
    onIHave(peer, rpc.ihave(), now);
    for (IWant iwant : rpc.iwant()) {
      onIWant(peer, iwant);
    }
    for (Graft graft : rpc.graft()) {
      onGraft(peer, graft.topic(), now);
    }
    for (Prune prune : rpc.prune()) {
      onPrune(peer, prune, now);
    }
    return done();
  }

  /** Only the last word of one RPC about a topic counts. */
  private void onSubscriptions(Peer peer, List<Subscription> subscriptions) {
    Collection<Subscription> last = subscriptions;
    if (subscriptions.size() > 1) {
      Map<String, Subscription> byTopic = new LinkedHashMap<>();
      for (Subscription subscription : subscriptions) {
        byTopic.put(subscription.topic(), subscription);
      }
      last = byTopic.values();
    }
    for (Subscription subscription : last) {
      onSubscription(peer, subscription.topic(), subscription.subscribe());
    }
  }

  private void onSubscription(Peer peer, String topic, boolean subscribe) {
    Changes changes = peer.changes.get(topic);
    if (changes != null && changes.held) {
      changes.lastWord = subscribe;
      return;
    }
    if (peer.topics.contains(topic) == subscribe) {
      return;
    }
    if (meshes.containsKey(topic)) {
      if (changes == null) {
        changes = new Changes();
        peer.changes.put(topic, changes);
        activate(peer);
      }
      if (changes.count >= settings.maxSubscriptionChanges()) {
        changes.held = true;
        changes.lastWord = subscribe;
        effects.add(new Rejected(peer.id, Rejection.SUBSCRIPTION_FLAPPING));
        return;
      }
      changes.count++;
    }
    change(peer, topic, subscribe);
  }

  private void change(Peer peer, String topic, boolean subscribe) {
    if (!subscribe) {
      if (peer.topics.remove(topic)) {
        forget(topic, peer.id);
      }
    } else if (!topic.isEmpty() && !peer.topics.contains(topic)) {
      if (peer.topics.size() >= settings.limits().topicsPerPeer()) {
        if (!peer.toldTooManyTopics) {
          peer.toldTooManyTopics = true;
          activate(peer);
          effects.add(new Rejected(peer.id, Rejection.TOO_MANY_TOPICS));
        }
        return;
      }
      peer.topics.add(topic);
      topicPeers.computeIfAbsent(topic, t -> new LinkedHashSet<>()).add(peer.id);
      if (meshes.containsKey(topic)) {
        effects.add(new PeerJoined(topic, peer.id));
      }
    }
  }

  /** Has the peer's counts reset at the next heartbeat. */
  private void activate(Peer peer) {
    if (!peer.active) {
      peer.active = true;
      active.add(peer);
    }
  }

  /** The peer is not in the topic any more: neither in its mesh nor in its fanout. */
  private void forget(String topic, PeerId peer) {
    Set<PeerId> subscribed = topicPeers.get(topic);
    if (subscribed != null && subscribed.remove(peer) && subscribed.isEmpty()) {
      topicPeers.remove(topic);
    }
    removeFromMesh(topic, peer);
    Fanout fanout = fanouts.get(topic);
    if (fanout != null) {
      fanout.peers.remove(peer);
    }
    if (meshes.containsKey(topic)) {
      effects.add(new PeerLeft(topic, peer));
    }
  }

  private void onMessage(Peer peer, Message message, long now) {
    Mesh mesh = meshes.get(message.topic());
    if (mesh == null) {
      return;
    }
    Bytes id = message.id();
    if (seen.contains(id, now)) {
      return;
    }
    if (self.bytes().equals(message.from())) {
      // Not counted as invalid: it costs nothing, and after a restart honest peers return to us
      // what
      // we had published before.
      effects.add(new Rejected(peer.id, Rejection.CLAIMS_TO_BE_OURS));
      return;
    }
    Rejection rejection = MessageSigning.verify(message, crypto);
    if (rejection != null) {
      // Honest peers forward what their software accepts, and an unsupported key cost us nothing.
      if (rejection != Rejection.UNSUPPORTED_KEY) {
        activate(peer);
        peer.invalidSinceHeartbeat++;
      }
      effects.add(new Rejected(peer.id, rejection));
      return;
    }
    PeerId author = authorOf(message);
    seen.add(id, now);
    cache.put(message);
    effects.add(new Deliver(author, message));
    List<PeerId> onward = new ArrayList<>();
    for (PeerId member : mesh.members) {
      if (!member.equals(peer.id) && !member.equals(author)) {
        onward.add(member);
      }
    }
    if (!onward.isEmpty()) {
      effects.add(new Send(onward, Rpc.ofMessage(message), Traffic.FORWARDED));
    }
  }

  private static PeerId authorOf(Message verified) {
    try {
      return PeerId.decode(Objects.requireNonNull(verified.from()).toArray());
    } catch (MalformedException e) {
      throw new IllegalStateException("a verified message has an author", e);
    }
  }

  private void onIHave(Peer peer, List<IHave> ihave, long now) {
    if (ihave.isEmpty()) {
      return;
    }
    activate(peer);
    if (++peer.ihaveSinceHeartbeat > settings.maxIHaveMessages()) {
      if (peer.ihaveSinceHeartbeat == settings.maxIHaveMessages() + 1) {
        effects.add(new Rejected(peer.id, Rejection.IHAVE_FLOOD));
      }
      return;
    }
    int mayAsk = settings.maxIHaveLength() - peer.askedSinceHeartbeat;
    // Asked for by the names that the peer gave them.
    Set<Bytes> missing = new LinkedHashSet<>();
    for (IHave offer : ihave) {
      if (meshes.containsKey(offer.topic())) {
        for (Bytes id : offer.messageIds()) {
          if (!seen.contains(specified(peer, id), now)) {
            missing.add(id);
          }
        }
      }
    }
    if (missing.isEmpty()) {
      return;
    }
    if (mayAsk <= 0) {
      effects.add(new Rejected(peer.id, Rejection.IHAVE_FLOOD));
      return;
    }
    List<Bytes> asked = new ArrayList<>(missing);
    if (asked.size() > mayAsk) {
      shuffle(asked);
      asked = asked.subList(0, mayAsk);
    }
    asked = withinBytes(asked);
    peer.askedSinceHeartbeat += asked.size();
    effects.add(new Send(List.of(peer.id), Rpc.ofIWant(new IWant(asked)), Traffic.GOSSIP));
  }

  /** The form in which ids are compared; on the way we learn in which form the peer names them. */
  private Bytes specified(Peer peer, Bytes id) {
    if (peer.idForm == null) {
      peer.idForm = MessageIdForm.of(id);
    }
    return MessageIdForm.specified(id, crypto);
  }

  private static List<Bytes> withinBytes(List<Bytes> ids) {
    int bytes = 0;
    for (int i = 0; i < ids.size(); i++) {
      bytes += ids.get(i).size();
      if (bytes > MAX_ID_BYTES_PER_ENTRY) {
        return ids.subList(0, i);
      }
    }
    return ids;
  }

  private void onIWant(Peer peer, IWant iwant) {
    Set<Bytes> once = new LinkedHashSet<>();
    for (Bytes id : iwant.messageIds()) {
      once.add(specified(peer, id));
    }
    for (Bytes id : once) {
      Message message = cache.take(id, peer.id, settings.gossipRetransmission());
      if (message != null) {
        effects.add(new Send(List.of(peer.id), Rpc.ofMessage(message), Traffic.FORWARDED));
      }
    }
  }

  private void onGraft(Peer peer, String topic, long now) {
    Mesh mesh = meshes.get(topic);
    if (mesh == null) {
      // Not answered: GossipSub 1.1, "Spam Protection Measures".
      return;
    }
    if (mesh.members.contains(peer.id)) {
      return;
    }
    if (backoffs.isInForce(topic, peer.id, now)) {
      if (backoffs.mayRefuse(topic, peer.id, GRAFT_FLOOD_THRESHOLD.toNanos(), now)) {
        effects.add(new Rejected(peer.id, Rejection.GRAFT_DURING_BACKOFF));
        prune(topic, peer.id, settings.pruneBackoff(), now);
      } else {
        effects.add(new Rejected(peer.id, Rejection.GRAFT_FLOOD));
        backoffs.add(topic, peer.id, settings.pruneBackoff().toNanos(), now);
      }
      return;
    }
    // Whoever grafts us is in the topic, even where its subscription has not been heard.
    onSubscription(peer, topic, true);
    Changes changes = peer.changes.get(topic);
    if (changes != null && changes.held) {
      // Not left to the heartbeat: the peer takes us for a member of its mesh. It stays held, so
      // that this is one change more and no further one.
      change(peer, topic, true);
    }
    if (!peer.topics.contains(topic)) {
      return;
    }
    if (mesh.members.size() >= settings.degreeHigh() && !peer.outbound) {
      prune(topic, peer.id, settings.pruneBackoff(), now);
      return;
    }
    mesh.add(peer.id);
    changedMeshes.add(topic);
  }

  private void onPrune(Peer peer, Prune prune, long now) {
    if (!meshes.containsKey(prune.topic())) {
      return;
    }
    removeFromMesh(prune.topic(), peer.id);
    long seconds =
        prune.backoffSeconds() > 0
            ? Math.min(prune.backoffSeconds(), MAX_BACKOFF.toSeconds())
            : settings.pruneBackoff().toSeconds();
    backoffs.add(prune.topic(), peer.id, Duration.ofSeconds(seconds).toNanos(), now);
  }

  // ---- the heartbeat

  /**
   * Keeps meshes and fanouts in shape and gossips (GossipSub 1.0, "Heartbeat"). To be called once
   * each interval.
   */
  public List<Effect> heartbeat(long now) {
    // What a peer said last may count against the next heartbeat already.
    List<Peer> refilled = List.copyOf(active);
    active.clear();
    refilled.forEach(this::refill);
    backoffs.expire(now);
    seen.expire(now);
    Map<PeerId, List<IHave>> gossip = new LinkedHashMap<>();
    for (Map.Entry<String, Mesh> entry : meshes.entrySet()) {
      Mesh mesh = entry.getValue();
      maintain(entry.getKey(), mesh, now);
      gossip(entry.getKey(), mesh.members, mesh.fresh, gossip);
      mesh.fresh.clear();
    }
    fanouts.values().removeIf(f -> now - f.lastPublished > settings.fanoutTtl().toNanos());
    for (Map.Entry<String, Fanout> entry : fanouts.entrySet()) {
      if (!settings.floodPublish()) {
        fillFanout(entry.getKey(), entry.getValue());
      }
      gossip(entry.getKey(), entry.getValue().peers, Set.of(), gossip);
    }
    flushMeshNews();
    gossip.forEach((peer, ihave) -> send(peer, Rpc.ofIHave(ihave), Traffic.GOSSIP));
    cache.shift();
    return done();
  }

  private void refill(Peer peer) {
    peer.active = false;
    peer.ihaveSinceHeartbeat = 0;
    peer.askedSinceHeartbeat = 0;
    peer.invalidSinceHeartbeat = 0;
    peer.toldTooManyTopics = false;
    if (peers.get(peer.id) == peer) {
      peer.changes.forEach(
          (topic, changes) -> {
            if (changes.held) {
              change(peer, topic, changes.lastWord);
            }
          });
    }
    peer.changes.clear();
  }

  private void maintain(String topic, Mesh mesh, long now) {
    Set<PeerId> members = mesh.members;
    if (members.size() < settings.degreeLow()) {
      graftSome(topic, mesh, settings.degree() - members.size(), now, peer -> true);
    } else if (members.size() > settings.degreeHigh()) {
      pruneDown(topic, members, now);
    }
    if (members.size() >= settings.degreeLow()) {
      int outbound = 0;
      for (PeerId member : members) {
        outbound += isOutbound(member) ? 1 : 0;
      }
      graftSome(topic, mesh, settings.degreeOut() - outbound, now, this::isOutbound);
    }
  }

  private void pruneDown(String topic, Set<PeerId> members, long now) {
    List<PeerId> order = shuffled(members);
    Set<PeerId> keep = new LinkedHashSet<>();
    for (PeerId member : order) {
      if (keep.size() < settings.degreeOut() && isOutbound(member)) {
        keep.add(member);
      }
    }
    for (PeerId member : order) {
      if (keep.size() < settings.degree()) {
        keep.add(member);
      }
    }
    for (PeerId member : order) {
      if (!keep.contains(member)) {
        removeFromMesh(topic, member);
        prune(topic, member, settings.pruneBackoff(), now);
      }
    }
  }

  private boolean isOutbound(PeerId id) {
    Peer peer = peers.get(id);
    return peer != null && peer.outbound;
  }

  private void graftSome(String topic, Mesh mesh, int count, long now, Predicate<PeerId> filter) {
    if (count <= 0) {
      return;
    }
    List<PeerId> candidates = new ArrayList<>();
    for (PeerId peer : topicPeers.getOrDefault(topic, Set.of())) {
      if (!mesh.members.contains(peer)
          && filter.test(peer)
          && !backoffs.holdsUsBack(topic, peer, now)) {
        candidates.add(peer);
      }
    }
    shuffle(candidates);
    for (PeerId candidate : candidates.subList(0, Math.min(count, candidates.size()))) {
      graft(topic, mesh, candidate);
    }
  }

  private void graft(String topic, Mesh mesh, PeerId peer) {
    mesh.add(peer);
    changedMeshes.add(topic);
    newsFor(peer).grafts.add(new Graft(topic));
  }

  /** Tells the peer that it is not in the mesh, and sets the backoff. */
  private void prune(String topic, PeerId id, Duration backoff, long now) {
    Peer peer = peers.get(id);
    boolean sayHowLong = peer != null && peer.version == GossipsubVersion.V1_1;
    newsFor(id).prunes.add(new Prune(topic, List.of(), sayHowLong ? backoff.toSeconds() : 0));
    backoffs.add(topic, id, backoff.toNanos(), now);
  }

  private void removeFromMesh(String topic, PeerId peer) {
    Mesh mesh = meshes.get(topic);
    if (mesh != null && mesh.members.remove(peer)) {
      mesh.fresh.remove(peer);
      changedMeshes.add(topic);
    }
  }

  /**
   * Chooses whom to tell of a topic's messages: of the peers outside the mesh a share, and all that
   * have just come into it.
   */
  private void gossip(
      String topic, Set<PeerId> members, Set<PeerId> fresh, Map<PeerId, List<IHave>> gossip) {
    List<Message> messages = cache.gossip(topic);
    if (messages.isEmpty()) {
      return;
    }
    List<PeerId> others = new ArrayList<>();
    for (PeerId peer : topicPeers.getOrDefault(topic, Set.of())) {
      if (!members.contains(peer)) {
        others.add(peer);
      }
    }
    shuffle(others);
    int share = (int) (settings.gossipFactor() * others.size());
    int count = Math.min(others.size(), Math.max(settings.degreeLazy(), share));
    List<PeerId> chosen = new ArrayList<>(others.subList(0, count));
    for (PeerId peer : fresh) {
      Peer known = peers.get(peer);
      if (known != null && known.idForm != null) {
        chosen.add(peer);
      }
    }
    for (PeerId peer : chosen) {
      List<Message> told = messages;
      if (messages.size() > settings.maxIHaveLength()) {
        // Each peer is told others, so that together they hear of all.
        told = new ArrayList<>(messages);
        shuffle(told);
        told = told.subList(0, settings.maxIHaveLength());
      }
      gossip.computeIfAbsent(peer, p -> new ArrayList<>()).add(ihave(topic, told, peer));
    }
  }

  private IHave ihave(String topic, List<Message> messages, PeerId id) {
    Peer peer = peers.get(id);
    MessageIdForm form = peer == null || peer.idForm == null ? MessageIdForm.PEER_ID : peer.idForm;
    List<Bytes> ids = new ArrayList<>();
    messages.forEach(message -> ids.add(form.idOf(message)));
    return new IHave(topic, withinBytes(ids));
  }

  // ---- bookkeeping of one call

  /** One RPC, or several where that would be too large. */
  private void send(PeerId to, Rpc rpc, Traffic traffic) {
    for (Rpc part : RpcParts.of(rpc, settings.maxIHaveLength())) {
      effects.add(new Send(List.of(to), part, traffic));
    }
  }

  private MeshNews newsFor(PeerId peer) {
    return meshNews.computeIfAbsent(peer, p -> new MeshNews());
  }

  private void flushMeshNews() {
    meshNews.forEach(
        (peer, news) -> {
          if (peers.containsKey(peer)) {
            send(peer, Rpc.ofMesh(news.grafts, news.prunes), Traffic.CONTROL);
          }
        });
    meshNews.clear();
  }

  private List<Effect> done() {
    flushMeshNews();
    for (String topic : changedMeshes) {
      Mesh mesh = meshes.get(topic);
      if (mesh != null) {
        effects.add(new MeshChanged(topic, mesh.members.size()));
      }
    }
    changedMeshes.clear();
    List<Effect> result = List.copyOf(effects);
    effects.clear();
    return result;
  }

  private List<PeerId> shuffled(Collection<PeerId> ids) {
    List<PeerId> order = new ArrayList<>(ids);
    shuffle(order);
    return order;
  }

  private <T extends @Nullable Object> void shuffle(List<T> list) {
    for (int i = list.size() - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      T swapped = list.get(i);
      list.set(i, list.get(j));
      list.set(j, swapped);
    }
  }
}
