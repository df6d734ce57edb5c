/**
 * One libp2p peer: the actor that owns all others of one identity. Read {@link
 * dev.troupe.actors.peer.Peer}.
 */
@NullMarked
package dev.troupe.actors.peer;

import org.jspecify.annotations.NullMarked;
