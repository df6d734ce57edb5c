/**
 * The Host door: what actors see of the network, and the port that each world implements.
 *
 * <p>Read {@link dev.troupe.actors.host.Host} first, then {@link dev.troupe.actors.host.Stream} and
 * {@link dev.troupe.actors.host.HostEvent}. The built-in host over links is in {@code
 * dev.troupe.actors.builtin}; the simulated one in the artifact {@code troupe-simulation}. All pass
 * one contract test suite.
 */
@NullMarked
package dev.troupe.actors.host;

import org.jspecify.annotations.NullMarked;
