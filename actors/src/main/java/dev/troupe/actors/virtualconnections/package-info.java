/**
 * Ordered, acknowledged messages between two peers. Read {@link
 * dev.troupe.actors.virtualconnections.VirtualConnections}.
 */
@NullMarked
package dev.troupe.actors.virtualconnections;

import org.jspecify.annotations.NullMarked;
