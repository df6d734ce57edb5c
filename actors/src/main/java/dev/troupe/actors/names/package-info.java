/**
 * What stands behind {@code /dnsaddr} addresses. Read {@link dev.troupe.actors.names.Walk} first,
 * which decides what to ask, then {@link dev.troupe.actors.names.Resolution}, which asks. Follows
 * the libp2p addressing specification.
 */
@NullMarked
package dev.troupe.actors.names;

import org.jspecify.annotations.NullMarked;
