package dev.troupe.actors.store;

import dev.troupe.protocol.Bytes;

/**
 * A store in memory, which lives as long as this object and its copies by {@link #reopened}: for
 * tests, and for peers that stop and start again in one process. It completes each call before it
 * returns. Thread-safe.
 */
public final class MemoryStore implements Store {

  private final StoreSettings settings;
  private final StoreImage image;
  private boolean closed;

  /** An empty store. */
  public MemoryStore(StoreSettings settings) {
    this(settings, new StoreImage());
  }

  private MemoryStore(StoreSettings settings, StoreImage image) {
    this.settings = settings;
    this.image = image;
  }

  /** A store with all that is in this one. */
  public synchronized MemoryStore reopened() {
    return new MemoryStore(settings, image.copy());
  }

  @Override
  public boolean keeps() {
    return true;
  }

  @Override
  public void read(StoreCollection from, Bytes after, StoreCompletion<Page> completion) {
    Page page;
    synchronized (this) {
      page = closed ? null : image.page(from, after);
    }
    if (page == null) {
      completion.failed(isClosed());
    } else {
      completion.succeeded(page);
    }
  }

  @Override
  public void commit(Batch batch, StoreCompletion<Batch> completion) {
    StoreFailure failure = null;
    synchronized (this) {
      if (closed) {
        failure = isClosed();
      } else if (!image.apply(batch, settings.maxBytes())) {
        failure =
            new StoreFailure(
                StoreFailure.Kind.FULL,
                "the store in memory holds as much as it may, " + settings.maxBytes() + " bytes");
      }
    }
    if (failure == null) {
      completion.succeeded(batch);
    } else {
      completion.failed(failure);
    }
  }

  @Override
  public void close(Runnable told) {
    synchronized (this) {
      closed = true;
    }
    told.run();
  }

  private static StoreFailure isClosed() {
    return new StoreFailure(StoreFailure.Kind.CLOSED, "the store in memory is closed");
  }
}
