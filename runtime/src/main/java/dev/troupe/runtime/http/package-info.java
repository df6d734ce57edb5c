/** A few pages over HTTP for those who operate a peer, within bounds. */
@NullMarked
package dev.troupe.runtime.http;

import org.jspecify.annotations.NullMarked;
