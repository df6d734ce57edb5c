package dev.troupe.actors.store;

/**
 * The collections of a {@link Store}. What the keys and values are is the affair of the actor that
 * owns the collection; the encodings are in {@code protocol}, beside what they encode. The names
 * are part of the format: a constant may be added, none renamed.
 */
public enum StoreCollection {
  /** Values of the DHT, others' and our own, by their keys: the Dht's. */
  VALUES,
  /** Who provides what: the Dht's. */
  PROVIDERS,
  /** Who was in the routing table, by peer id: the Dht's. */
  TABLE,
  /** Where peers were reached, by peer id: the address book's. */
  ADDRESSES,
  /** Which bootstrap peers answered, by the address that names them: the bootstrap pool's. */
  BOOTSTRAP
}
