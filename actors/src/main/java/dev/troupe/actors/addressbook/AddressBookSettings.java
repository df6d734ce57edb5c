package dev.troupe.actors.addressbook;

/**
 * The caps of an {@link AddressBook}.
 *
 * @param maxPeers remote peers (default 10,000); a further one pushes out the one that was learned
 *     of or asked for longest ago
 * @param maxAddressesPerPeer addresses of one of them (default 16); a further one pushes out the
 *     least trusted that expires first
 */
public record AddressBookSettings(int maxPeers, int maxAddressesPerPeer) {

  /** The defaults named above. */
  public static final AddressBookSettings DEFAULT = new AddressBookSettings(10_000, 16);

  /**
   * Checks the caps.
   *
   * @throws IllegalArgumentException naming the cap that is not positive
   */
  public AddressBookSettings {
    if (maxPeers <= 0) {
      throw new IllegalArgumentException("maxPeers must be positive, not " + maxPeers);
    }
    if (maxAddressesPerPeer <= 0) {
      throw new IllegalArgumentException(
          "maxAddressesPerPeer must be positive, not " + maxAddressesPerPeer);
    }
  }
}
