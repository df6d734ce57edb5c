package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.keys.PeerId;
import java.util.List;

/** What the {@link Router} wants done. To be carried out in the order given. */
public sealed interface Effect {

  /** Calls the method of the visitor that is meant for this effect. */
  void accept(Visitor visitor);

  /** One method for each effect. */
  interface Visitor {
    /** See {@link Send}. */
    void send(Send send);

    /** See {@link Deliver}. */
    void deliver(Deliver deliver);

    /** See {@link PeerJoined}. */
    void peerJoined(PeerJoined joined);

    /** See {@link PeerLeft}. */
    void peerLeft(PeerLeft left);

    /** See {@link MeshChanged}. */
    void meshChanged(MeshChanged changed);

    /** See {@link Rejected}. */
    void rejected(Rejected rejected);

    /** See {@link Graylisted}. */
    void graylisted(Graylisted graylisted);
  }

  /**
   * What kind of traffic an RPC is: when a peer's queue is full, the last kind here is dropped
   * first, and the first one never before all others.
   */
  enum Traffic {
    /** Subscriptions, GRAFT and PRUNE: without them the two sides disagree on the mesh. */
    CONTROL,
    /** A message published here. */
    PUBLISHED,
    /** A message of another peer, forwarded or asked for. */
    FORWARDED,
    /** IHAVE and IWANT: said again at the next heartbeat. */
    GOSSIP
  }

  /**
   * Send one RPC to each of these peers.
   *
   * @param to at least one
   */
  record Send(List<PeerId> to, Rpc rpc, Traffic traffic) implements Effect {
    /** Copies the list. */
    public Send {
      to = List.copyOf(to);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.send(this);
    }
  }

  /** Hand a new, verified message to the subscribers of its topic. */
  record Deliver(PeerId author, Message message) implements Effect {
    @Override
    public void accept(Visitor visitor) {
      visitor.deliver(this);
    }
  }

  /** A peer is subscribed to a topic that we are subscribed to, too. */
  record PeerJoined(String topic, PeerId peer) implements Effect {
    @Override
    public void accept(Visitor visitor) {
      visitor.peerJoined(this);
    }
  }

  /**
   * A peer is not subscribed any more, or not connected any more, to a topic that we are subscribed
   * to.
   */
  record PeerLeft(String topic, PeerId peer) implements Effect {
    @Override
    public void accept(Visitor visitor) {
      visitor.peerLeft(this);
    }
  }

  /** The mesh of a topic has this many members now. Last among the effects of one call. */
  record MeshChanged(String topic, int size) implements Effect {
    @Override
    public void accept(Visitor visitor) {
      visitor.meshChanged(this);
    }
  }

  /**
   * A peer sent more invalid messages than a heartbeat allows. The router has removed it; its
   * streams are to be reset, and it is to be kept out for a while.
   */
  record Graylisted(PeerId peer) implements Effect {
    @Override
    public void accept(Visitor visitor) {
      visitor.graylisted(this);
    }
  }

  /** A remote misbehaved; what it did has been ignored. */
  record Rejected(PeerId peer, Rejection reason) implements Effect {
    @Override
    public void accept(Visitor visitor) {
      visitor.rejected(this);
    }
  }
}
