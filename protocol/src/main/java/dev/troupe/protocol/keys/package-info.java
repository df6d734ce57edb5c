/**
 * Keys, peer ids (libp2p peer-ids specification), signed envelopes (RFC 0002) and peer records (RFC
 * 0003). Read {@link dev.troupe.protocol.keys.PeerId} first.
 */
@NullMarked
package dev.troupe.protocol.keys;

import org.jspecify.annotations.NullMarked;
