/**
 * What outlives a peer, on a disk: RocksDB under a directory. Read {@link
 * dev.troupe.runtime.store.RocksStore}, then {@link dev.troupe.runtime.store.StoreDirectory}.
 */
@NullMarked
package dev.troupe.runtime.store;

import org.jspecify.annotations.NullMarked;
