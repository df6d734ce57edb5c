/** The real world, as actors see it: Netty, the machine's clocks, secure randomness. */
@NullMarked
package dev.troupe.runtime.world;

import org.jspecify.annotations.NullMarked;
