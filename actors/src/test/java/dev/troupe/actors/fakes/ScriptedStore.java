package dev.troupe.actors.fakes;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.MemoryStore;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A store in memory that is as slow, and fails, as the test says. */
public final class ScriptedStore implements Store {

  /** What is in it. */
  public final MemoryStore memory;

  /** Whether what is asked waits for {@link #release}. */
  public boolean slow;

  /** What every commit fails with, if anything. */
  public StoreFailure failure;

  /** The commits asked for, failed ones included. */
  public final List<Batch> commits = new ArrayList<>();

  private final Deque<Runnable> waiting = new ArrayDeque<>();

  /** An empty one. */
  public ScriptedStore() {
    this(new MemoryStore(StoreSettings.DEFAULT));
  }

  /** One over another. */
  public ScriptedStore(MemoryStore memory) {
    this.memory = memory;
  }

  /** What is in it now, for a peer that starts again. */
  public ScriptedStore reopened() {
    return new ScriptedStore(memory.reopened());
  }

  /** Answers all that waits. */
  public void release() {
    while (!waiting.isEmpty()) {
      waiting.remove().run();
    }
  }

  /** The keys of a collection's first page. */
  public List<Bytes> keys(StoreCollection collection) {
    List<Bytes> keys = new ArrayList<>();
    memory.read(
        collection,
        Bytes.EMPTY,
        new StoreCompletion<>() {
          @Override
          public void succeeded(Page page) {
            page.entries().forEach(entry -> keys.add(entry.key()));
          }

          @Override
          public void failed(StoreFailure failure) {
            throw new AssertionError(failure);
          }
        });
    return keys;
  }

  @Override
  public boolean keeps() {
    return true;
  }

  @Override
  public void read(StoreCollection from, Bytes after, StoreCompletion<Page> completion) {
    run(() -> memory.read(from, after, completion));
  }

  @Override
  public void commit(Batch batch, StoreCompletion<Batch> completion) {
    commits.add(batch);
    run(
        () -> {
          if (failure == null) {
            memory.commit(batch, completion);
          } else {
            completion.failed(failure);
          }
        });
  }

  @Override
  public void close(Runnable closed) {
    run(() -> memory.close(closed));
  }

  private void run(Runnable task) {
    if (slow) {
      waiting.add(task);
    } else {
      task.run();
    }
  }
}
