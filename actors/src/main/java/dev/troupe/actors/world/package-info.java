/**
 * The ports through which the world enters the actors: time, chance, cryptography, hosts and
 * stores. Read {@link dev.troupe.actors.world.World}.
 */
@NullMarked
package dev.troupe.actors.world;

import org.jspecify.annotations.NullMarked;
