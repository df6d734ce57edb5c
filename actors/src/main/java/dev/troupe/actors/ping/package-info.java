/**
 * Ping (libp2p ping specification): is the peer there, and how far away. Read {@link
 * dev.troupe.actors.ping.Ping}.
 */
@NullMarked
package dev.troupe.actors.ping;

import org.jspecify.annotations.NullMarked;
