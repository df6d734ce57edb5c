/**
 * Presence: which peers say that they are to be found under an identity of an application.
 *
 * <p>Read {@link dev.troupe.protocol.presence.PresenceRecord} first, then {@link
 * dev.troupe.protocol.presence.PresenceNamespace}, which is what the DHT knows of it.
 */
@NullMarked
package dev.troupe.protocol.presence;

import org.jspecify.annotations.NullMarked;
