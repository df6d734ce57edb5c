package dev.troupe.actors.dht;

/**
 * Whether this peer answers other peers' DHT requests (kad-dht specification, "Client and server
 * mode").
 */
public enum DhtMode {
  /** It asks, and does not answer. */
  CLIENT,
  /** It asks and answers. */
  SERVER,
  /**
   * It asks, and answers from the start, while it is not known whether others can reach it; it
   * steps down when {@link Dht.ReachabilityChanged} says that they cannot, and answers again when
   * that says otherwise. Nobody says so by default, so a peer serves until its embedder tells. One
   * that served only once it is known to be reachable would leave a network on one machine or one
   * LAN without a single server.
   */
  AUTO,
  /** There is no DHT: each operation is refused at once with {@link Dht.Reason#NO_DHT}. */
  OFF
}
