package dev.troupe.protocol.kademlia;

/** That a {@link RoutingTable} came to hold its first peer, or lost its last. */
public sealed interface RoutingTableEvent {

  /** The table was empty, and now holds a peer. */
  record RoutingTablePopulated() implements RoutingTableEvent {}

  /** The table held a peer, and now is empty. */
  record RoutingTableEmptied() implements RoutingTableEvent {}
}
