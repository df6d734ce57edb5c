/**
 * One secured and multiplexed connection as a machine without I/O: multistream-select, Noise, Yamux
 * (libp2p connection specification; its inlined-muxer-negotiation extension). Read {@link
 * dev.troupe.protocol.connection.ConnectionMachine}.
 */
@NullMarked
package dev.troupe.protocol.connection;

import org.jspecify.annotations.NullMarked;
