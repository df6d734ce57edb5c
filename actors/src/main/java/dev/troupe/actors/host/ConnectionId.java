package dev.troupe.actors.host;

/**
 * Names one connection of one host. Of two connections of a host, the one with the smaller number
 * is the older.
 *
 * @param number counts up from 1 over the life of a host
 */
public record ConnectionId(long number) implements Comparable<ConnectionId> {
  @Override
  public int compareTo(ConnectionId other) {
    return Long.compare(number, other.number);
  }

  @Override
  public String toString() {
    return "#" + number;
  }
}
