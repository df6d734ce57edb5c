/**
 * Which peers to be connected to: dials, connections, and who hears of them. Read {@link
 * dev.troupe.actors.connections.Connections}.
 */
@NullMarked
package dev.troupe.actors.connections;

import org.jspecify.annotations.NullMarked;
