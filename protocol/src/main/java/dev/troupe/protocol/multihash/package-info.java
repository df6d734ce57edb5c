/** Self-describing hashes (multiformats multihash specification). */
@NullMarked
package dev.troupe.protocol.multihash;

import org.jspecify.annotations.NullMarked;
