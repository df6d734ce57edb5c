package dev.troupe.runtime.store;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.store.StoreFailure.Kind;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Store} in a directory, over RocksDB, on a thread of its own.
 *
 * <p>The thread takes all that waits. Commits that wait next to each other become one write to the
 * log, and one sync of it; then each of them is acknowledged. So a disk that syncs slowly makes
 * groups larger, not queues longer.
 *
 * <p>When a write fails, the database takes no further one until it has been opened anew: that is
 * tried by the next commit, but not more than once in {@link #REOPEN_PAUSE_NANOS}. Until then
 * commits fail with what it failed with, and reads go on.
 *
 * <p>Opening reads everything, and so checks every checksum: what is damaged is found then, and not
 * when it is asked for.
 */
public final class RocksStore implements Store {

  /** Commits of so many bytes in all are made durable together; what more there is comes after. */
  static final int GROUP_BYTES = 4 << 20;

  /** The least time between two attempts to open anew what failed to write. */
  static final long REOPEN_PAUSE_NANOS = 1_000_000_000;

  private sealed interface Task {
    void fail(StoreFailure failure);
  }

  private record Commit(Batch batch, StoreCompletion<Batch> completion) implements Task {
    @Override
    public void fail(StoreFailure failure) {
      completion.failed(failure);
    }
  }

  private record Read(StoreCollection from, Bytes after, StoreCompletion<Page> completion)
      implements Task {
    @Override
    public void fail(StoreFailure failure) {
      completion.failed(failure);
    }
  }

  private final StoreSettings settings;
  private final Path place;

  // Guarded by this object
  private final Deque<Task> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private int waitingCommits;
  private boolean closing;
  private boolean ended;
  private final List<Runnable> closers = new ArrayList<>();

  // Of the thread alone
  private @Nullable StoreFailure broken;
  private long brokenAt;

  private RocksStore(StoreSettings settings) {
    this.settings = settings;
    this.place = Path.of(settings.directory());
  }

  /** As {@link dev.troupe.actors.world.World#openStore}. */
  public static void open(StoreSettings settings, PeerId owner, StoreCompletion<Store> completion) {
    RocksStore store = new RocksStore(settings);
    Thread thread = new Thread(() -> store.run(owner, completion), "troupe-store");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public boolean keeps() {
    return true;
  }

  @Override
  public void commit(Batch batch, StoreCompletion<Batch> completion) {
    StoreFailure refusal = null;
    synchronized (this) {
      if (closing) {
        refusal = closed();
      } else if (waitingCommits >= settings.maxWaiting() || waitingBytes >= MAX_WAITING_BYTES) {
        refusal =
            new StoreFailure(
                Kind.BUSY,
                "the store in "
                    + place
                    + " does not keep up: "
                    + waitingCommits
                    + " commits wait already");
      } else {
        waitingCommits++;
        waitingBytes += batch.bytes();
        waiting.add(new Commit(batch, completion));
        notifyAll();
      }
    }
    if (refusal != null) {
      completion.failed(refusal);
    }
  }

  @Override
  public void read(StoreCollection from, Bytes after, StoreCompletion<Page> completion) {
    StoreFailure refusal = null;
    synchronized (this) {
      if (closing) {
        refusal = closed();
      } else {
        waiting.add(new Read(from, after, completion));
        notifyAll();
      }
    }
    if (refusal != null) {
      completion.failed(refusal);
    }
  }

  @Override
  public void close(Runnable closed) {
    synchronized (this) {
      closing = true;
      if (!ended) {
        closers.add(closed);
        notifyAll();
        return;
      }
    }
    closed.run();
  }

  private StoreFailure closed() {
    return new StoreFailure(Kind.CLOSED, "the store in " + place + " is closed");
  }

  // On the thread

  private void run(PeerId owner, StoreCompletion<Store> completion) {
    StoreFailure end = closed();
    try (Records records = Records.open(settings, owner)) {
      completion.succeeded(this);
      for (List<Task> tasks = next(); !tasks.isEmpty(); tasks = next()) {
        work(records, tasks);
      }
    } catch (StoreOpeningException e) {
      end = e.failure();
      completion.failed(end);
    } catch (IOException e) {
      // What was acknowledged is on the disk: a lock that is not given back goes with the process.
      end = new StoreFailure(Kind.FAILED, "the store in " + place + " does not close: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      end(end);
    }
  }

  /** All that waits, in order; empty when the store closes and nothing waits any more. */
  private synchronized List<Task> next() throws InterruptedException {
    while (waiting.isEmpty() && !closing) {
      wait();
    }
    List<Task> tasks = List.copyOf(waiting);
    waiting.clear();
    return tasks;
  }

  private void end(StoreFailure failure) {
    List<Task> left;
    List<Runnable> told;
    synchronized (this) {
      closing = true;
      ended = true;
      left = List.copyOf(waiting);
      waiting.clear();
      told = List.copyOf(closers);
    }
    left.forEach(task -> task.fail(failure));
    told.forEach(Runnable::run);
  }

  private void work(Records records, List<Task> tasks) {
    List<Commit> group = new ArrayList<>();
    long bytes = 0;
    for (Task task : tasks) {
      if (task instanceof Commit commit) {
        group.add(commit);
        bytes += commit.batch().bytes();
        if (bytes >= GROUP_BYTES) {
          write(records, group);
          group.clear();
          bytes = 0;
        }
      } else {
        write(records, group);
        group.clear();
        bytes = 0;
        read(records, (Read) task);
      }
    }
    write(records, group);
  }

  private void read(Records records, Read read) {
    Page page;
    try {
      page = records.page(read.from(), read.after());
    } catch (StoreOpeningException e) {
      read.fail(e.failure());
      return;
    }
    read.completion().succeeded(page);
  }

  private void write(Records records, List<Commit> group) {
    if (group.isEmpty()) {
      return;
    }
    List<Commit> fitting = new ArrayList<>();
    Map<Commit, StoreFailure> failed = new IdentityHashMap<>();
    StoreFailure failure = null;
    try {
      reopenIfBroken(records);
      long bytesThen = choose(records, group, fitting, failed);
      if (!fitting.isEmpty()) {
        records.write(fitting.stream().map(Commit::batch).toList(), bytesThen);
      }
    } catch (StoreOpeningException e) {
      failure = e.failure();
      if (broken == null) {
        broken = failure;
        brokenAt = System.nanoTime();
      }
    }
    synchronized (this) {
      waitingCommits -= group.size();
      for (Commit commit : group) {
        waitingBytes -= commit.batch().bytes();
      }
    }
    for (Commit commit : group) {
      StoreFailure why = failed.getOrDefault(commit, failure);
      if (why == null) {
        commit.completion().succeeded(commit.batch());
      } else {
        commit.fail(why);
      }
    }
  }

  private void reopenIfBroken(Records records) throws StoreOpeningException {
    if (broken == null) {
      return;
    }
    long now = System.nanoTime();
    if (now - brokenAt < REOPEN_PAUSE_NANOS) {
      throw new StoreOpeningException(broken.kind(), broken.message());
    }
    brokenAt = now;
    records.reopen();
    broken = null;
  }

  /** Takes those of the commits for which there is room; answers how much there is then. */
  private long choose(
      Records records, List<Commit> group, List<Commit> fitting, Map<Commit, StoreFailure> failed)
      throws StoreOpeningException {
    Map<Change, Long> sizes = new TreeMap<>(Change.BY_PLACE);
    long total = records.bytes();
    for (Commit commit : group) {
      Map<Change, Long> own = new TreeMap<>(Change.BY_PLACE);
      long after = total;
      for (Change change : commit.batch().changes()) {
        Long before = own.containsKey(change) ? own.get(change) : sizes.get(change);
        Bytes value = change.value();
        long size = value == null ? 0 : Change.sizeOf(change.key().size(), value.size());
        after += size - (before == null ? records.sizeAt(change) : before);
        own.put(change, size);
      }
      if (after > settings.maxBytes() && after > total) {
        failed.put(
            commit,
            new StoreFailure(
                Kind.FULL,
                "the store in "
                    + place
                    + " holds as much as it may, "
                    + settings.maxBytes()
                    + " bytes"));
      } else {
        fitting.add(commit);
        sizes.putAll(own);
        total = after;
      }
    }
    return total;
  }
}
