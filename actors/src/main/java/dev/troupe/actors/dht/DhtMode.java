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
   * It asks, and answers while it is not known to be unreachable. A peer that served only once it
   * is known to be reachable would leave a network on one machine or one LAN without a single
   * server.
   */
  AUTO,
  /** There is no DHT: each operation is refused at once with {@link Dht.Reason#NO_DHT}. */
  OFF
}
