/** Self-describing text encodings of bytes (multiformats multibase specification). */
@NullMarked
package dev.troupe.protocol.multibase;

import org.jspecify.annotations.NullMarked;
