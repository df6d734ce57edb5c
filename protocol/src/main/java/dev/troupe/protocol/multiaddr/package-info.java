/**
 * Self-describing network addresses (multiformats multiaddr specification). Read {@link
 * dev.troupe.protocol.multiaddr.Multiaddr}.
 */
@NullMarked
package dev.troupe.protocol.multiaddr;

import org.jspecify.annotations.NullMarked;
