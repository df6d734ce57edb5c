package dev.troupe.actors.host;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;

/**
 * One secured and multiplexed connection.
 *
 * @param id its name on this host
 * @param peer who is at the other end, as proven by the handshake
 * @param remoteAddress the other end's address without {@code /p2p}: what was dialled, or, of an
 *     inbound connection, where it came from (an ephemeral port: nobody listens there)
 * @param reached the same as this end of the connection sees it: of a name that was dialled, what
 *     it stood for
 * @param direction which side opened it
 */
public record ConnectionInfo(
    ConnectionId id,
    PeerId peer,
    Multiaddr remoteAddress,
    Multiaddr reached,
    Direction direction) {}
