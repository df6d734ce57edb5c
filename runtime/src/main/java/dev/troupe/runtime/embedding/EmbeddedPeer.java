package dev.troupe.runtime.embedding;

import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.health.Health;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.presence.Presence;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.ipns.InvalidIpnsRecordException;
import dev.troupe.protocol.ipns.IpnsRecord;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.multistream.ProtocolId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * One peer, as methods with {@link CompletionStage} replies; each is the message of the same name
 * of {@link Peer}. Consumers are called one at a time, on an actor's thread: they must not block.
 * Thread-safe.
 */
public final class EmbeddedPeer {

  private static final Duration ERRAND = Duration.ofMinutes(10);

  private final Troupe troupe;
  private final PeerManager.Created created;
  private final ConcurrentHashMap<String, ActorRef<Gossip.TopicEvent>> subscribers =
      new ConcurrentHashMap<>();

  EmbeddedPeer(Troupe troupe, PeerManager.Created created) {
    this.troupe = troupe;
    this.created = created;
  }

  /** Its name at the manager. */
  public String alias() {
    return created.alias();
  }

  /** Who it is. */
  public PeerId id() {
    return created.id();
  }

  /** Where it listened when it started, each with {@code /p2p}. */
  public List<Multiaddr> addresses() {
    return created.addresses();
  }

  /** Its actor. */
  public ActorRef<Peer.Command> actor() {
    return created.peer();
  }

  private <T> CompletionStage<T> ask(
      java.util.function.Function<ActorRef<T>, Peer.Command> command) {
    return troupe.ask(created.peer(), Troupe.REPLY_TIMEOUT, command);
  }

  /** Connects to whoever is at an address. */
  public CompletionStage<Connections.ConnectReply> connectTo(Multiaddr address) {
    return ask(replyTo -> Peer.connectTo(address, replyTo));
  }

  /** Disconnects from a peer. */
  public CompletionStage<Connections.DisconnectReply> disconnect(PeerId peer) {
    return ask(replyTo -> Peer.disconnect(peer, replyTo));
  }

  /** Who is connected. */
  public CompletionStage<Connections.ConnectedPeers> connected() {
    return ask(Peer::getConnected);
  }

  /** Hears who connects, identifies and disconnects; one listener too many is refused. */
  public CompletionStage<Connections.SubscribeReply> onConnections(
      Consumer<ConnectionsEvent> consumer) {
    CompletableFuture<Connections.SubscribeReply> reply = new CompletableFuture<>();
    troupe.<ConnectionsEvent>listener(
        consumer,
        ref ->
            this.<Connections.SubscribeReply>ask(replyTo -> Peer.subscribeConnections(ref, replyTo))
                .whenComplete(
                    (value, error) -> {
                      if (error != null) {
                        reply.completeExceptionally(error);
                      } else {
                        if (value instanceof Connections.SubscribeRefused) {
                          troupe.endListener(ref);
                        }
                        reply.complete(value);
                      }
                    }));
    return reply;
  }

  /** Hears the states of the DHT, the present one first. */
  public void onDht(Consumer<Dht.StateChanged> consumer) {
    troupe.<Dht.StateChanged>listener(consumer, ref -> created.peer().tell(Peer.subscribeDht(ref)));
  }

  /** The state of the DHT. */
  public CompletionStage<Dht.StateChanged> dhtState() {
    return ask(Peer::getDhtState);
  }

  /** Who is in the routing table of the DHT. */
  public CompletionStage<Dht.Table> dhtTable() {
    return ask(Peer::getDhtTable);
  }

  /** How many records the DHT holds. */
  public CompletionStage<Dht.Records> dhtRecords() {
    return ask(Peer::getDhtRecords);
  }

  /** How healthy the peer is. */
  public CompletionStage<HealthReport> health() {
    return ask(Peer::getHealth);
  }

  /**
   * Hears of changes of health, of bootstrap peers that could not be reached, with what can be done
   * ({@link #retry}, {@link #useBackup}), and of alerts.
   */
  public void onHealth(Consumer<Health.Event> consumer) {
    troupe.<Health.Event>listener(consumer, ref -> created.peer().tell(Peer.subscribeHealth(ref)));
  }

  /** Dials all bootstrap peers again that cannot be reached. */
  public CompletionStage<BootstrapPool.OfferReply> retry() {
    return ask(Peer::retry);
  }

  /**
   * Uses the backups among the bootstrap peers now.
   *
   * @param address one more; null for those that are configured
   */
  public CompletionStage<BootstrapPool.OfferReply> useBackup(@Nullable Multiaddr address) {
    return ask(replyTo -> Peer.useBackup(address, replyTo));
  }

  /**
   * Verifies in six steps, within a minute, that this peer and another find each other.
   *
   * @param partner null for any that answers
   */
  public CompletionStage<Health.VerifyReply> verify(@Nullable PeerId partner) {
    return ask(replyTo -> Peer.verify(partner, replyTo));
  }

  /** Whether values can be stored and found, tried up to ten times; answered however late. */
  public CompletionStage<Health.ProbeReply> probeReadiness() {
    return troupe.askUntilEnd(created.peer(), Peer::probeReadiness);
  }

  /** Announces that this peer provides what a key names. */
  public CompletionStage<Dht.ProvideReply> provide(Multihash key) {
    return ask(replyTo -> Peer.provide(key, replyTo));
  }

  /** Provides many keys from now on, without a lookup for each. */
  public CompletionStage<Dht.StartProvidingReply> startProviding(List<Multihash> keys) {
    return ask(replyTo -> Peer.startProviding(keys, replyTo));
  }

  /** Provides a key no more. */
  public CompletionStage<Dht.StopProvidingReply> stopProviding(Multihash key) {
    return ask(replyTo -> Peer.stopProviding(key, replyTo));
  }

  /** Who provides what a key names. */
  public CompletionStage<Dht.FindProvidersReply> findProviders(Multihash key, int limit) {
    return ask(replyTo -> Peer.findProviders(key, limit, replyTo));
  }

  /** Stores a value. */
  public CompletionStage<Dht.PutValueReply> putValue(Bytes key, Bytes value) {
    return ask(replyTo -> Peer.putValue(key, value, replyTo));
  }

  /** Gets a value. */
  public CompletionStage<Dht.GetValueReply> getValue(Bytes key) {
    return ask(replyTo -> Peer.getValue(key, replyTo));
  }

  /**
   * Gets a value where at least so many peers return one; else {@link
   * Dht.Reason#QUORUM_NOT_REACHED}.
   *
   * @param quorum from 1 to K, else {@link Dht.Reason#INVALID_QUORUM}
   */
  public CompletionStage<Dht.GetValueReply> getValue(Bytes key, int quorum) {
    return ask(replyTo -> Peer.getValue(key, quorum, replyTo));
  }

  /** What came of publishing or resolving an IPNS name. */
  public sealed interface NameReply {}

  /**
   * What the name points at.
   *
   * @param name the peer id of the key that signed it
   */
  public record NameFound(PeerId name, IpnsRecord record) implements NameReply {}

  /** It was not found, or could not be put. */
  public record NameFailed(Dht.Reason reason, String message) implements NameReply {}

  /**
   * What an IPNS name points at: the newest valid record that the DHT gives.
   *
   * @param name the peer id of the key that signs
   */
  public CompletionStage<NameReply> resolveName(PeerId name) {
    return getValue(IpnsRecord.keyOf(name))
        .thenApply(
            reply ->
                reply instanceof Dht.ValueGot got
                    ? read(name, got.value())
                    : failed((Dht.OperationFailed) reply));
  }

  /**
   * Lets the IPNS name of a key point at a value for {@link IpnsRecord#DEFAULT_LIFETIME}, in a
   * record whose sequence follows that of the newest that is found. While the record is valid this
   * peer puts it again, as every value that it has put; nobody signs a later one, so who wants the
   * name to last longer publishes it again. Of two at once with one key, either may win.
   *
   * @param value a path such as {@code /ipfs/…}, by convention; refused ({@code INVALID_RECORD})
   *     where it is too long for a record of {@link IpnsRecord#MAX_ENCODED} bytes
   */
  public CompletionStage<NameReply> publishName(PrivateKey key, Bytes value) {
    try {
      // No later one of this value is longer.
      recordOf(value, -1).seal(troupe.crypto(), key);
    } catch (IllegalArgumentException tooLong) {
      return CompletableFuture.completedFuture(
          new NameFailed(Dht.Reason.INVALID_RECORD, String.valueOf(tooLong.getMessage())));
    }
    return resolveName(key.peerId())
        .thenCompose(
            before -> {
              if (before instanceof NameFailed failed && failed.reason() != Dht.Reason.NOT_FOUND) {
                return CompletableFuture.completedFuture(before);
              }
              long sequence = before instanceof NameFound found ? found.record().sequence() + 1 : 0;
              return publishName(key, value, sequence);
            });
  }

  private CompletionStage<NameReply> publishName(PrivateKey key, Bytes value, long sequence) {
    IpnsRecord record = recordOf(value, sequence);
    PeerId name = key.peerId();
    return putValue(IpnsRecord.keyOf(name), record.seal(troupe.crypto(), key))
        .thenApply(
            reply ->
                reply instanceof Dht.OperationFailed failed
                    ? failed(failed)
                    : new NameFound(name, record));
  }

  private IpnsRecord recordOf(Bytes value, long sequence) {
    return new IpnsRecord(
        value,
        sequence,
        troupe.now().plus(IpnsRecord.DEFAULT_LIFETIME),
        IpnsRecord.DEFAULT_TTL.toNanos());
  }

  private NameReply read(PeerId name, Bytes encoded) {
    try {
      return new NameFound(name, IpnsRecord.open(troupe.crypto(), name, encoded, troupe.now()));
    } catch (InvalidIpnsRecordException e) {
      // It was valid when it was found: its time is over, or a namespace of the user took it.
      return new NameFailed(Dht.Reason.INVALID_RECORD, String.valueOf(e.getMessage()));
    }
  }

  private static NameReply failed(Dht.OperationFailed failure) {
    return new NameFailed(failure.reason(), failure.message());
  }

  /**
   * Lets this peer be found under an identity of an application, such as {@code /eth/0x…}, until
   * that is {@linkplain #withdrawPresence withdrawn}; completes when it has been published once, or
   * that has failed.
   *
   * @param agentId for the application; may be empty
   * @param agentName for people; may be empty
   */
  public CompletionStage<Presence.AnnounceReply> announcePresence(
      String identity, String agentId, String agentName) {
    return troupe.askUntilEnd(
        created.peer(), replyTo -> Peer.announcePresence(identity, agentId, agentName, replyTo));
  }

  /** Is found under an identity no more, once what others have of it is over. */
  public CompletionStage<Presence.Withdrawn> withdrawPresence(String identity) {
    return ask(replyTo -> Peer.withdrawPresence(identity, replyTo));
  }

  /**
   * Which other peers are present under an identity: each has signed it itself, a short while ago.
   * Which of several has a right to the identity is for the application to judge.
   */
  public CompletionStage<Presence.FindReply> findPresence(String identity) {
    return troupe.askUntilEnd(created.peer(), replyTo -> Peer.findPresence(identity, replyTo));
  }

  /** Under which identities this peer is to be found, and how that goes. */
  public CompletionStage<Presence.AllAnnounced> presence() {
    return ask(Peer::getPresence);
  }

  /** Where a peer can be dialled. */
  public CompletionStage<Dht.FindPeerReply> findPeer(PeerId peer) {
    return ask(replyTo -> Peer.findPeer(peer, replyTo));
  }

  /** The topics that this object hears. */
  public List<String> topics() {
    return subscribers.keySet().stream().sorted().toList();
  }

  /** Hears a topic; a topic that this object hears already is refused. */
  public CompletionStage<Gossip.SubscribeReply> subscribe(
      String topic, Consumer<Gossip.TopicEvent> consumer) {
    CompletableFuture<Gossip.SubscribeReply> reply = new CompletableFuture<>();
    troupe.<Gossip.TopicEvent>listener(
        consumer,
        ref -> {
          if (subscribers.putIfAbsent(topic, ref) != null) {
            reply.complete(
                new Gossip.SubscribeRefused(
                    topic,
                    Gossip.Refusal.ALREADY_SUBSCRIBED,
                    "the topic " + topic + " is heard already"));
            troupe.endListener(ref);
            return;
          }
          this.<Gossip.SubscribeReply>ask(replyTo -> Peer.subscribe(topic, ref, replyTo))
              .whenComplete(
                  (value, error) -> {
                    if (!(value instanceof Gossip.Subscribed)) {
                      subscribers.remove(topic, ref);
                      troupe.endListener(ref);
                    }
                    tell(reply, value, error);
                  });
        });
    return reply;
  }

  /** Hears a topic no more. */
  public CompletionStage<Gossip.UnsubscribeReply> unsubscribe(String topic) {
    ActorRef<Gossip.TopicEvent> subscriber = subscribers.remove(topic);
    if (subscriber == null) {
      return CompletableFuture.completedFuture(new Gossip.UnsubscribeReply(topic, false));
    }
    return this.<Gossip.UnsubscribeReply>ask(
            replyTo -> Peer.unsubscribe(topic, subscriber, replyTo))
        .whenComplete((reply, error) -> troupe.endListener(subscriber));
  }

  /** Publishes to a topic. */
  public CompletionStage<Gossip.PublishReply> publish(String topic, Bytes data) {
    return ask(replyTo -> Peer.publish(topic, data, replyTo));
  }

  /** Who is subscribed to a topic. */
  public CompletionStage<Gossip.TopicPeers> topicPeers(String topic) {
    return ask(replyTo -> Peer.getTopicPeers(topic, replyTo));
  }

  /** Receives what others send under a protocol. */
  public CompletionStage<VirtualConnections.StartReply> startProtocol(
      ProtocolId protocol, Consumer<VirtualConnections.Received> consumer) {
    CompletableFuture<VirtualConnections.StartReply> reply = new CompletableFuture<>();
    troupe.<VirtualConnections.Received>listener(
        consumer,
        ref ->
            this.<VirtualConnections.StartReply>ask(
                    replyTo -> Peer.startProtocol(protocol, ref, replyTo))
                .whenComplete(
                    (value, error) -> {
                      if (!(value instanceof VirtualConnections.Started)) {
                        troupe.endListener(ref);
                      }
                      tell(reply, value, error);
                    }));
    return reply;
  }

  private static <T> void tell(CompletableFuture<T> reply, T value, @Nullable Throwable error) {
    if (error != null) {
      reply.completeExceptionally(error);
    } else {
      reply.complete(value);
    }
  }

  /**
   * Sends a message; completes after the remote's acknowledgement, or the last attempt, however
   * long the messages before it take.
   */
  public CompletionStage<VirtualConnections.SendReply> send(
      PeerId peer, ProtocolId protocol, Bytes data) {
    return troupe.askUntilEnd(created.peer(), replyTo -> Peer.send(peer, protocol, data, replyTo));
  }

  /** Pings a peer within 10 s a ping. */
  public CompletionStage<Peer.PingReply> ping(PeerId peer, int count) {
    Duration budget = Duration.ofSeconds(10L * Math.max(1, Math.min(count, 6)));
    return ask(replyTo -> Peer.ping(peer, count, budget, replyTo));
  }

  /** Measures a stream to a peer, within 10 minutes. */
  public CompletionStage<Peer.PerfReply> perf(PeerId peer, long uploadBytes, long downloadBytes) {
    return troupe.ask(
        created.peer(),
        ERRAND.plusSeconds(5),
        replyTo -> Peer.perf(peer, uploadBytes, downloadBytes, ERRAND, replyTo));
  }

  /**
   * Opens a stream, within 30 s; {@link dev.troupe.actors.streams.StreamFlow} makes a flow of it.
   */
  public CompletionStage<Peer.OpenStreamReply> openStream(PeerId peer, ProtocolId protocol) {
    return ask(
        replyTo -> Peer.openStream(peer, List.of(protocol), Duration.ofSeconds(30), replyTo));
  }

  /** Takes the streams that remotes open for a protocol; each is to be started or reset. */
  public CompletionStage<Peer.AcceptStreamsReply> acceptStreams(
      ProtocolId protocol, Consumer<Stream> acceptor) {
    CompletableFuture<Peer.AcceptStreamsReply> reply = new CompletableFuture<>();
    troupe.<Peer.StreamAccepted>listener(
        accepted -> acceptor.accept(accepted.stream()),
        ref ->
            this.<Peer.AcceptStreamsReply>ask(replyTo -> Peer.acceptStreams(protocol, ref, replyTo))
                .whenComplete(
                    (value, error) -> {
                      if (!(value instanceof Peer.Accepting)) {
                        troupe.endListener(ref);
                      }
                      tell(reply, value, error);
                    }));
    return reply;
  }

  /** Stops the peer. */
  public CompletionStage<PeerManager.StopReply> stop() {
    return troupe.stopPeer(created.alias());
  }
}
