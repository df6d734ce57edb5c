/**
 * Noise_XX_25519_ChaChaPoly_SHA256 with libp2p's payload (libp2p noise specification; Noise
 * Protocol Framework, revision 34). Read {@link dev.troupe.protocol.noise.NoiseHandshake}, then
 * {@link dev.troupe.protocol.noise.NoiseTransport}.
 */
@NullMarked
package dev.troupe.protocol.noise;

import org.jspecify.annotations.NullMarked;
