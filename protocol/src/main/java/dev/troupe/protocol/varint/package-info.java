/** Unsigned varints (multiformats unsigned-varint specification) and the frames they delimit. */
@NullMarked
package dev.troupe.protocol.varint;

import org.jspecify.annotations.NullMarked;
