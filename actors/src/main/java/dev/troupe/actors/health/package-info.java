/** Whether the network can be used, and how well. Read {@link dev.troupe.actors.health.Health}. */
@NullMarked
package dev.troupe.actors.health;

import org.jspecify.annotations.NullMarked;
