/** Peers for code that is not made of actors. Read {@link dev.troupe.runtime.embedding.Troupe}. */
@NullMarked
package dev.troupe.runtime.embedding;

import org.jspecify.annotations.NullMarked;
