/** A host, its streams and a world whose other end is the test. */
@NullMarked
package dev.troupe.actors.fakes;

import org.jspecify.annotations.NullMarked;
