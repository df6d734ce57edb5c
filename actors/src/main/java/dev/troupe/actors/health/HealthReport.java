package dev.troupe.actors.health;

import dev.troupe.actors.dht.Dht;
import java.util.List;

/**
 * The health of a peer at one moment.
 *
 * @param dht the state of the DHT
 * @param tableSize peers in its own routing table
 * @param connected peers that it is connected to
 * @param alone whether there are no other peers yet: nobody is known but the bootstrap peers. That
 *     is no failure
 * @param bootstraps primaries first, then backups; empty where there is no DHT to join
 * @param warnings what is wrong, for a person
 */
public record HealthReport(
    State state,
    Dht.State dht,
    int tableSize,
    int connected,
    boolean alone,
    List<BootstrapHealth> bootstraps,
    List<String> warnings) {

  /** In one word. */
  public enum State {
    /** All works. */
    HEALTHY,
    /** Something does not work; topics and direct messages go on with those who are connected. */
    DEGRADED,
    /** Nothing works: no bootstrap peer can be reached, and nobody is connected. */
    DOWN
  }

  /** Copies the lists. */
  public HealthReport {
    bootstraps = List.copyOf(bootstraps);
    warnings = List.copyOf(warnings);
  }
}
