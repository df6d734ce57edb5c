/**
 * What outlives a peer, on a disk: RocksDB under a directory. Read {@link
 * dev.troupe.runtime.store.RocksStore}, then {@link dev.troupe.runtime.store.StoreDirectory}.
 * {@link dev.troupe.runtime.store.SyncedFiles} is for other files that must last as well.
 */
@NullMarked
package dev.troupe.runtime.store;

import org.jspecify.annotations.NullMarked;
