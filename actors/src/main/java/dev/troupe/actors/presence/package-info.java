/**
 * Being found, and finding others, under identities of an application. Read {@link
 * dev.troupe.actors.presence.Presence}.
 */
@NullMarked
package dev.troupe.actors.presence;

import org.jspecify.annotations.NullMarked;
