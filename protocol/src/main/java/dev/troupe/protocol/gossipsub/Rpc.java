package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one peer tells another in one frame (pubsub specification, "The RPC"; GossipSub 1.0 and 1.1,
 * "Protobuf"). The lists of the optional control part stand beside the others; an absent control
 * part is four empty lists.
 *
 * @param subscriptions topics that the sender joined or left
 * @param messages messages, its own and others'
 * @param ihave what the sender could send
 * @param iwant what the sender wants to be sent
 * @param graft topics in whose mesh the sender has put the receiver
 * @param prune topics from whose mesh the sender has removed the receiver
 */
public record Rpc(
    List<Subscription> subscriptions,
    List<Message> messages,
    List<IHave> ihave,
    List<IWant> iwant,
    List<Graft> graft,
    List<Prune> prune) {

  /** Copies the lists. */
  public Rpc {
    subscriptions = List.copyOf(subscriptions);
    messages = List.copyOf(messages);
    ihave = List.copyOf(ihave);
    iwant = List.copyOf(iwant);
    graft = List.copyOf(graft);
    prune = List.copyOf(prune);
  }

  /** Whether it says nothing. */
  public boolean isEmpty() {
    return subscriptions.isEmpty()
        && messages.isEmpty()
        && ihave.isEmpty()
        && iwant.isEmpty()
        && graft.isEmpty()
        && prune.isEmpty();
  }

  static Rpc ofSubscriptions(List<Subscription> subscriptions) {
    return new Rpc(subscriptions, List.of(), List.of(), List.of(), List.of(), List.of());
  }

  /** The RPC of a peer that is subscribed to these topics and says nothing else. */
  public static Rpc subscribed(List<String> topics) {
    return ofSubscriptions(topics.stream().map(topic -> new Subscription(true, topic)).toList());
  }

  static Rpc ofMessage(Message message) {
    return new Rpc(List.of(), List.of(message), List.of(), List.of(), List.of(), List.of());
  }

  static Rpc ofIHave(List<IHave> ihave) {
    return new Rpc(List.of(), List.of(), ihave, List.of(), List.of(), List.of());
  }

  static Rpc ofIWant(IWant iwant) {
    return new Rpc(List.of(), List.of(), List.of(), List.of(iwant), List.of(), List.of());
  }

  static Rpc ofMesh(List<Graft> graft, List<Prune> prune) {
    return new Rpc(List.of(), List.of(), List.of(), List.of(), graft, prune);
  }

  /** A topic that the sender joined ({@code subscribe}) or left. */
  public record Subscription(boolean subscribe, String topic) {}

  /** Messages of one topic that the sender has seen of late. */
  public record IHave(String topic, List<Bytes> messageIds) {
    /** Copies the list. */
    public IHave {
      messageIds = List.copyOf(messageIds);
    }
  }

  /** Messages that the sender asks for. */
  public record IWant(List<Bytes> messageIds) {
    /** Copies the list. */
    public IWant {
      messageIds = List.copyOf(messageIds);
    }
  }

  /** The receiver is in the sender's mesh of this topic now. */
  public record Graft(String topic) {}

  /**
   * The receiver is in the sender's mesh of this topic no more.
   *
   * @param peers others to try instead (peer exchange)
   * @param backoffSeconds for how long not to graft again; 0 when the sender did not say; unsigned
   *     on the wire, values beyond {@link Long#MAX_VALUE} are read as that
   */
  public record Prune(String topic, List<PeerInfo> peers, long backoffSeconds) {
    /** Copies the list. */
    public Prune {
      peers = List.copyOf(peers);
    }
  }

  /**
   * A peer named in a PRUNE.
   *
   * @param signedPeerRecord a signed envelope with the peer's addresses, or null
   */
  public record PeerInfo(Bytes peerId, @Nullable Bytes signedPeerRecord) {}
}
