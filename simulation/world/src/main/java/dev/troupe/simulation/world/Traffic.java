package dev.troupe.simulation.world;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How much was sent, by protocol. Streams of simulated hosts count what is written to them under
 * their protocol: payload, without what a wire would add. Simulated links count all that goes over
 * them under {@link #LINKS}: it is encrypted, and whose it is cannot be seen.
 */
public final class Traffic {

  /** What stands for the protocol where the bytes of links were counted. */
  public static final String LINKS = "links (encrypted)";

  /**
   * What one protocol sent.
   *
   * @param parcels pieces that the network carried; a long write is several
   */
  public record Share(String protocol, long parcels, long bytes) {}

  static final class Counter {
    private long parcels;
    private long bytes;

    void add(int size) {
      parcels++;
      bytes += size;
    }
  }

  private final Map<String, Counter> counters = new TreeMap<>();

  Traffic() {}

  Counter of(String protocol) {
    return counters.computeIfAbsent(protocol, unused -> new Counter());
  }

  /** What each protocol sent so far, by name; those that never did are there too. */
  public List<Share> shares() {
    return counters.entrySet().stream()
        .map(each -> new Share(each.getKey(), each.getValue().parcels, each.getValue().bytes))
        .toList();
  }
}
