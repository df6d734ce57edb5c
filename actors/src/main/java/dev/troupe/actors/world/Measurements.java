package dev.troupe.actors.world;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Told of what happens in peers, for whoever counts it. Nothing depends on it: by default nothing
 * comes of it. Its methods are called on the threads of actors; they must neither throw nor block.
 */
public interface Measurements {

  /** Nobody counts. */
  Measurements NONE = new Measurements() {};

  /** The operations of the DHT. */
  enum DhtOperation {
    /** To announce a provider. */
    PROVIDE,
    /** To look for providers. */
    FIND_PROVIDERS,
    /** To store a value. */
    PUT_VALUE,
    /** To look for a value. */
    GET_VALUE,
    /** To look for the addresses of a peer. */
    FIND_PEER
  }

  /**
   * A walk of the DHT towards a key is over.
   *
   * @param asked how many peers were asked
   * @param hops how far away from those it knew the walk led, see {@link
   *     dev.troupe.protocol.kademlia.IterativeLookup#hops}
   * @param took from its first step
   */
  default void onWalked(int asked, int hops, Duration took) {}

  /**
   * An operation of the DHT has left the stash, and runs.
   *
   * @param waited in the stash; nothing to speak of where the gate was open
   */
  default void onOperationBegun(DhtOperation operation, Duration waited) {}

  /**
   * An operation of the DHT was answered, whether it ran or not.
   *
   * @param failure a {@link dev.troupe.actors.dht.Dht.Reason}; null where there is a result
   */
  default void onOperationEnded(DhtOperation operation, @Nullable Enum<?> failure) {}
}
