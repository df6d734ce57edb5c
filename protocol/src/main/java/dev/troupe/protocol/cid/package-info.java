/** Content identifiers (multiformats CID specification), versions 0 and 1. */
@NullMarked
package dev.troupe.protocol.cid;

import org.jspecify.annotations.NullMarked;
