/**
 * What is measured, as meters of Micrometer: {@link dev.troupe.runtime.metrics.WorldMeters} hears
 * of what happens in all peers of a world, {@link dev.troupe.runtime.metrics.PeerMeters} asks one
 * peer how it is.
 */
@NullMarked
package dev.troupe.runtime.metrics;

import org.jspecify.annotations.NullMarked;
