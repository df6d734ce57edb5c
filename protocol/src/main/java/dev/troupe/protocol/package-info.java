/**
 * Bytes and decisions: the libp2p wire formats and state machines, without I/O, threads, clocks or
 * unseeded randomness.
 *
 * <p>What came from outside and cannot be read is a checked {@link
 * dev.troupe.protocol.MalformedException}.
 */
@NullMarked
package dev.troupe.protocol;

import org.jspecify.annotations.NullMarked;
