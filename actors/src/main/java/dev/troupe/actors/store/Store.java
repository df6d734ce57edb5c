package dev.troupe.actors.store;

import dev.troupe.protocol.Bytes;
import java.util.List;

/**
 * What one peer keeps beyond its own end: entries of bytes by bytes, in a few {@link
 * StoreCollection}s. Opened by {@link dev.troupe.actors.world.World#openStore}.
 *
 * <p>No call blocks. A {@link #commit} has succeeded when it is <em>durable</em>: nothing that may
 * happen to the process or its machine takes it back, and after a crash it is there whole. Of one
 * that has not succeeded all or nothing may be there. What waits at the same time becomes durable
 * together, in the order of the calls. A {@link #read} sees all that was committed before it was
 * called and did not fail.
 *
 * <p><b>Limits</b>: a store takes as many bytes as {@link StoreSettings#maxBytes}, and what waits
 * to be written is bounded by {@link StoreSettings#maxWaiting} and {@link #MAX_WAITING_BYTES};
 * beyond either, a commit fails at once, with nothing changed. A failure leaves the store usable:
 * what fails for want of room works again when there is room.
 *
 * <p>Thread-safe.
 */
public interface Store {

  /** The longest key, in bytes. */
  int MAX_KEY = 2048;

  /** The longest value, in bytes. */
  int MAX_VALUE = 128 * 1024;

  /** How many entries one page has at most. */
  int PAGE_ENTRIES = 256;

  /** A page that has so many bytes takes no further entry. */
  int PAGE_BYTES = 256 * 1024;

  /** When so many bytes wait to be written, a further commit fails with BUSY. */
  long MAX_WAITING_BYTES = 32L << 20;

  /** Keeps nothing, and says that all went well, before its calls return. */
  Store NONE =
      new Store() {
        @Override
        public boolean keeps() {
          return false;
        }

        @Override
        public void read(StoreCollection from, Bytes after, StoreCompletion<Page> completion) {
          completion.succeeded(new Page(List.of(), true));
        }

        @Override
        public void commit(Batch batch, StoreCompletion<Batch> completion) {
          completion.succeeded(batch);
        }

        @Override
        public void close(Runnable closed) {
          closed.run();
        }
      };

  /** Whether anything put into it will be there later: whoever keeps things may spare the work. */
  boolean keeps();

  /**
   * Reads a part of a collection.
   *
   * @param after the first entry is the first one with a greater key; empty for the beginning
   */
  void read(StoreCollection from, Bytes after, StoreCompletion<Page> completion);

  /**
   * Makes changes, all or none of them.
   *
   * @param completion given the batch when it is durable
   */
  void commit(Batch batch, StoreCompletion<Batch> completion);

  /**
   * Finishes what waits, then frees everything. Later calls fail with CLOSED, a second close is
   * told when the first one is.
   */
  void close(Runnable closed);
}
