/**
 * GossipSub 1.1 as pure decisions: the codec of its messages, the signing rules, and the router.
 *
 * <p>Read {@link dev.troupe.protocol.gossipsub.Router} first, which says what comes in and what
 * goes out; then {@link dev.troupe.protocol.gossipsub.Effect}, {@link
 * dev.troupe.protocol.gossipsub.Rpc} with {@link dev.troupe.protocol.gossipsub.RpcCodec}, and
 * {@link dev.troupe.protocol.gossipsub.MessageSigning}.
 *
 * <p>Specifications: libp2p {@code pubsub/README.md}, {@code pubsub/gossipsub/gossipsub-v1.0.md}
 * and {@code gossipsub-v1.1.md}. Not here yet: peer scoring, peer exchange (its records are
 * decoded, and not used), explicit peering, opportunistic grafting.
 */
@NullMarked
package dev.troupe.protocol.gossipsub;

import org.jspecify.annotations.NullMarked;
