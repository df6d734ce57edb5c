/**
 * The peers through which a peer joins the DHT: whom to dial, when to try again, who stands in for
 * whom. Read {@link dev.troupe.actors.bootstrap.Pool} first, which decides all of it, then {@link
 * dev.troupe.actors.bootstrap.BootstrapPool}, which does it.
 */
@NullMarked
package dev.troupe.actors.bootstrap;

import org.jspecify.annotations.NullMarked;
