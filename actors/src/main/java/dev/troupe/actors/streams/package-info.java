/**
 * The Pekko Streams ends of a {@link dev.troupe.actors.host.Stream}, for applications and bulk
 * protocols. Everything below works without: materialising costs some kilobytes and tens of
 * microseconds a direction, too much for a short exchange.
 */
@NullMarked
package dev.troupe.actors.streams;

import org.jspecify.annotations.NullMarked;
