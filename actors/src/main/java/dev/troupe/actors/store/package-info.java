/**
 * The port to what outlives a peer: a few named collections of small records, on a disk or where
 * the world keeps such things. Read {@link dev.troupe.actors.store.Store}, then {@link
 * dev.troupe.actors.store.StoreFailure}.
 */
@NullMarked
package dev.troupe.actors.store;

import org.jspecify.annotations.NullMarked;
