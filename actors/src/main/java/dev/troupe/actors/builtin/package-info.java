/**
 * The built-in {@link dev.troupe.actors.host.Host}: the connection machine of {@code
 * troupe-protocol}, turned by one driver over any {@link dev.troupe.actors.link.RawLink}.
 *
 * <p>Read {@link dev.troupe.actors.builtin.BuiltInHost}, then {@link
 * dev.troupe.actors.builtin.MuxedConnection} and {@link dev.troupe.actors.builtin.LinkDriver}.
 */
@NullMarked
package dev.troupe.actors.builtin;

import org.jspecify.annotations.NullMarked;
