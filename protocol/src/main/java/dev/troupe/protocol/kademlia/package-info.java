/**
 * The Kademlia DHT of libp2p, as decisions and bytes only (libp2p specification kad-dht, r2).
 *
 * <p>Read in this order: {@link dev.troupe.protocol.kademlia.Key} (the keyspace), {@link
 * dev.troupe.protocol.kademlia.RoutingTable} (whom we know), {@link
 * dev.troupe.protocol.kademlia.IterativeLookup} (how we get closer), {@link
 * dev.troupe.protocol.kademlia.DisjointPaths} (and past liars), {@link
 * dev.troupe.protocol.kademlia.PeerMemory} (how they answered before), {@link
 * dev.troupe.protocol.kademlia.KademliaMessage} (what is said), then the records: {@link
 * dev.troupe.protocol.kademlia.Namespaces}, {@link dev.troupe.protocol.kademlia.ValueStore}, {@link
 * dev.troupe.protocol.kademlia.Quorum} and {@link dev.troupe.protocol.kademlia.ProviderStore}.
 *
 * <p>Nothing here reads a clock: {@code now} is an argument, in nanoseconds of any monotonic clock.
 * No class here is thread-safe, except the values.
 */
@NullMarked
package dev.troupe.protocol.kademlia;

import org.jspecify.annotations.NullMarked;
