/** The peers of one service. Read {@link dev.troupe.actors.peermanager.PeerManager}. */
@NullMarked
package dev.troupe.actors.peermanager;

import org.jspecify.annotations.NullMarked;
