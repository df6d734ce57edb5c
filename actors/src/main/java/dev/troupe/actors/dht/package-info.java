/**
 * The DHT actor: a stash before a gate, one reply for each operation. Read {@link
 * dev.troupe.actors.dht.Dht} first.
 */
@NullMarked
package dev.troupe.actors.dht;

import org.jspecify.annotations.NullMarked;
