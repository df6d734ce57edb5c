/**
 * Perf (libp2p perf specification): how fast one stream is. Read {@link
 * dev.troupe.actors.perf.Perf}.
 */
@NullMarked
package dev.troupe.actors.perf;

import org.jspecify.annotations.NullMarked;
