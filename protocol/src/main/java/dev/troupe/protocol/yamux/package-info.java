/**
 * Yamux, many streams over one connection (libp2p yamux specification; hashicorp/yamux
 * specification). Read {@link dev.troupe.protocol.yamux.YamuxSession}.
 */
@NullMarked
package dev.troupe.protocol.yamux;

import org.jspecify.annotations.NullMarked;
