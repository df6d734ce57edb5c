package dev.troupe.actors.dht;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * CONTRACT (handlers follow). Made by {@code static Behavior<Command> create(DhtSettings settings, World world, Host host,
 * ActorRef<Connections.Command> connections, ActorRef<AddressBook.Command> addressBook)}, its supervision included.
 */
public final class Dht {

  /** What the DHT is told. */
  public sealed interface Command {}

  /** An operation: it may wait in the stash, and ends in exactly one reply. */
  public sealed interface Operation extends Command {
    /** How long it may wait in the stash. */
    Readiness readiness();
  }

  /** Asks to announce to the network that this peer provides what the key names. */
  public record Provide(Multihash key, Readiness readiness, ActorRef<ProvideReply> replyTo)
      implements Operation {}

  /**
   * Asks who provides what the key names.
   *
   * @param limit stop when this many have been found, at least 1
   */
  public record FindProviders(
      Multihash key, int limit, Readiness readiness, ActorRef<FindProvidersReply> replyTo)
      implements Operation {}

  /** Asks to store a value, which the validator of the key's namespace must accept. */
  public record PutValue(
      Bytes key, Bytes value, Readiness readiness, ActorRef<PutValueReply> replyTo)
      implements Operation {}

  /** Asks for the best value of a key. */
  public record GetValue(Bytes key, Readiness readiness, ActorRef<GetValueReply> replyTo)
      implements Operation {}

  /** Asks for the addresses of a peer. */
  public record FindPeer(PeerId peer, Readiness readiness, ActorRef<FindPeerReply> replyTo)
      implements Operation {}

  /** Asks for the state; answered at once in every state. */
  public record GetState(ActorRef<StateChanged> replyTo) implements Command {}

  /** Asks to hear each change of state, the present one first. Ends when the subscriber does. */
  public record Subscribe(ActorRef<StateChanged> subscriber) implements Command {}

  /** Asks to end: answers everything open with {@code STOPPING}, then stops. */
  public record Stop() implements Command {}

  /** The states, as seen from outside. */
  public enum State {
    /** Not ready yet: operations wait in the stash, until the table is populated or the deadline passes. */
    BOOTSTRAPPING,
    /** Operations run. (Also where there is no DHT to join.) */
    READY,
    /** The table emptied: operations wait again, under a new deadline. */
    STARVED,
    /** The deadline passed with an empty table: operations run at once, and fail where they need peers. */
    DEGRADED
  }

  /**
   * The state of the DHT.
   *
   * @param peers in the routing table
   * @param stashed operations that wait in the stash
   */
  public record StateChanged(State state, int peers, int stashed) {}

  /** The outcome of {@link Provide}. */
  public sealed interface ProvideReply {}

  /** The outcome of {@link FindProviders}. */
  public sealed interface FindProvidersReply {}

  /** The outcome of {@link PutValue}. */
  public sealed interface PutValueReply {}

  /** The outcome of {@link GetValue}. */
  public sealed interface GetValueReply {}

  /** The outcome of {@link FindPeer}. */
  public sealed interface FindPeerReply {}

  /**
   * Announced.
   *
   * @param peers how many peers were sent the provider record
   */
  public record Provided(Multihash key, int peers) implements ProvideReply {}

  /** The providers found within the budget, in the order of finding; may be empty. */
  public record ProvidersFound(Multihash key, List<PeerWithAddresses> providers)
      implements FindProvidersReply {
    public ProvidersFound {
      providers = List.copyOf(providers);
    }
  }

  /**
   * Stored.
   *
   * @param peers how many peers acknowledged it, at least 1
   */
  public record ValuePut(Bytes key, int peers) implements PutValueReply {}

  /** The best of the values found. */
  public record ValueGot(Bytes key, Bytes value) implements GetValueReply {}

  /** Where the peer can be dialled. */
  public record PeerFound(PeerWithAddresses peer) implements FindPeerReply {}

  /** A peer, and where it can be dialled (without {@code /p2p}). */
  public record PeerWithAddresses(PeerId peer, List<Multiaddr> addresses) {
    public PeerWithAddresses {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * The operation came to nothing.
   *
   * @param message for a person; names the key or peer
   */
  public record OperationFailed(Reason reason, String message)
      implements ProvideReply, FindProvidersReply, PutValueReply, GetValueReply, FindPeerReply {}

  /** Why an operation came to nothing. */
  public enum Reason {
    /** Its readiness budget passed in the stash. */
    NOT_READY,
    /** Its execution budget passed. */
    TIMED_OUT,
    /** There is no peer in the routing table to ask. */
    NO_PEERS,
    /** The stash is full. */
    STASH_FULL,
    /** The DHT stops. */
    STOPPING,
    /** There is no DHT here ({@code --dht off}). */
    NO_DHT,
    /** All was asked, and nobody knew. */
    NOT_FOUND,
    /** The value, or its key, is not valid in its namespace. */
    INVALID_RECORD,
    /** Everyone asked to store it refused or failed. */
    REJECTED,
    /** The actor crashed while it ran; whether others have seen it is unknown. */
    CRASHED
  }

  private Dht() {}
}
