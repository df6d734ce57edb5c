/** Agreeing on a protocol for a connection or stream (multistream-select 1.0). */
@NullMarked
package dev.troupe.protocol.multistream;

import org.jspecify.annotations.NullMarked;
