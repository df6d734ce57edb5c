package dev.troupe.actors.addressbook;

import java.time.Duration;

/**
 * The caps of an {@link AddressBook}.
 *
 * @param maxPeers remote peers (default 10,000); a further one pushes out one of those whose best
 *     source is the least trusted: the one that was learned of or asked for longest ago
 * @param maxAddressesPerPeer addresses of one of them (default 16); a further one pushes out the
 *     least trusted that expires first
 * @param maxPeersPerTeller remote peers of which nothing is known but what one other peer told
 *     (default 1,000); a further one pushes out the one that was told of or asked for longest ago
 * @param discoveredTimeToLive how long what other peers tell is believed at most (default 30 min);
 *     a longer time to live is shortened
 */
public record AddressBookSettings(
    int maxPeers, int maxAddressesPerPeer, int maxPeersPerTeller, Duration discoveredTimeToLive) {

  /** The defaults named above. */
  public static final AddressBookSettings DEFAULT =
      new AddressBookSettings(10_000, 16, 1_000, Duration.ofMinutes(30));

  /**
   * Checks the caps.
   *
   * @throws IllegalArgumentException naming the cap that is not positive
   */
  public AddressBookSettings {
    positive("maxPeers", maxPeers);
    positive("maxAddressesPerPeer", maxAddressesPerPeer);
    positive("maxPeersPerTeller", maxPeersPerTeller);
    positive("discoveredTimeToLive", discoveredTimeToLive.toNanos());
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }
}
