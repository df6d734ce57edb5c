package dev.troupe.actors.gossip;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * CONTRACT (handlers follow). Made by {@code static Behavior<Command> create(GossipSettings settings, PrivateKey identity, World
 * world, Host host, ActorRef<Connections.Command> connections, ActorRef<Dht.Command> dht)}, its supervision included.
 */
public final class Gossip {

  /** What gossip is told. */
  public sealed interface Command {}

  /**
   * Asks to hear a topic. Answered at once; what follows (advertise, discover, mesh) arrives as events. Several subscribers share
   * one subscription. Ends when the subscriber does.
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

  /** The outcome of {@link Subscribe}. */
  public sealed interface SubscribeReply {}

  /** The topic is joined. */
  public record Subscribed(String topic) implements SubscribeReply {}

  /** It is not; the message says why (too many topics or subscribers, name too long or empty). */
  public record SubscribeRefused(String topic, String message) implements SubscribeReply {}

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
   * @param recipients how many peers it was queued for now; with 0 it is kept for those who graft or ask within the history
   */
  public record Published(String topic, int recipients) implements PublishReply {}

  /** It was not sent to anybody. */
  public record PublishRefused(String topic, Refusal refusal, String message)
      implements PublishReply {}

  /** Why a message is not published. */
  public enum Refusal {
    /** Over the limit of 1 MiB. */
    TOO_LARGE,
    /** The topic's name is empty or too long. */
    INVALID_TOPIC,
    /** The queues to all its recipients are full. */
    OVERLOADED
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

  /** The mesh has its first member(s), or, at the mesh deadline, still none ({@code peers} 0); once per subscription. */
  public record MeshFormed(String topic, int peers) implements TopicEvent {}

  /** The topic was advertised in the DHT. */
  public record Advertised(String topic, int peers) implements TopicEvent {}

  /** The DHT named these providers of the topic. */
  public record Discovered(String topic, List<PeerId> peers) implements TopicEvent {
    public Discovered {
      peers = List.copyOf(peers);
    }
  }

  private Gossip() {}
}
