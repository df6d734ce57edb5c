/** The GossipSub actors. Read {@link dev.troupe.actors.gossip.Gossip} first. */
@NullMarked
package dev.troupe.actors.gossip;

import org.jspecify.annotations.NullMarked;
