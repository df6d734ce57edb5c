/**
 * The inner door: a duplex of bytes with its event loop, the port that each world implements once
 * per transport.
 *
 * <p>Read {@link dev.troupe.actors.link.RawLink} first, then {@link
 * dev.troupe.actors.link.LinkTransport}. The one driver that makes a libp2p connection of a link is
 * in {@code dev.troupe.actors.builtin}; TCP links are in {@code dev.troupe.runtime.netty}. Buffers
 * are those of {@code java.nio}: this door knows no buffer library, and no buffer of the
 * transport's leaves its event loop.
 */
@NullMarked
package dev.troupe.actors.link;

import org.jspecify.annotations.NullMarked;
