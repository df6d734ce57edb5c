package dev.troupe.simulation.world;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.store.StoreFailure.Kind;
import dev.troupe.actors.store.StoreImage;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The disk of a machine: the stores on it, by their directories. What waits is synced together,
 * after 1 to {@value #SLOWEST_SYNC_MILLIS} ms; then it is durable, and acknowledged.
 *
 * <p>When the machine crashes, what was not acknowledged is lost, except for as many of the first
 * commits as chance will have it: those had been written, and nobody had been told.
 */
final class SimulatedDisk {

  /** The longest that a sync takes. */
  static final int SLOWEST_SYNC_MILLIS = 12;

  private final SimulatedSystem system;
  private final String machine;
  private final Map<String, Directory> directories = new LinkedHashMap<>();
  private @Nullable Kind fault;

  SimulatedDisk(SimulatedSystem system, String machine) {
    this.system = system;
    this.machine = machine;
  }

  /** From now on every commit fails like this; null ends it. */
  void failWith(@Nullable Kind kind) {
    fault = kind;
  }

  /** What is on it cannot be read any more, once it is opened the next time. */
  void damage() {
    directories.values().forEach(directory -> directory.damaged = true);
  }

  void crash() {
    directories.values().forEach(Directory::crash);
  }

  void open(StoreSettings settings, PeerId owner, StoreCompletion<Store> completion) {
    Directory directory =
        directories.computeIfAbsent(
            settings.directory(), name -> new Directory(machine + ":" + name, owner));
    int incarnation = directory.incarnation;
    directory.after(
        () -> {
          StoreFailure refusal = directory.refusal(owner);
          if (incarnation != directory.incarnation) {
            return; // The machine has crashed; whoever asked is gone.
          }
          if (refusal == null) {
            completion.succeeded(directory.open(settings));
          } else {
            completion.failed(refusal);
          }
        });
  }

  private final class Directory {

    private final String name;
    private final PeerId owner;
    private final RandomGenerator random;
    private StoreImage durable = new StoreImage();
    private @Nullable OpenStore open;
    private boolean damaged;
    private int incarnation;

    Directory(String name, PeerId owner) {
      this.name = name;
      this.owner = owner;
      this.random = system.newRandom("disk/" + name);
    }

    @Nullable StoreFailure refusal(PeerId asking) {
      if (open != null) {
        return failure(Kind.IN_USE, "is in use");
      } else if (damaged) {
        return failure(Kind.DAMAGED, "is damaged");
      } else if (!owner.equals(asking)) {
        return failure(Kind.OTHER_OWNER, "is that of " + owner);
      }
      return null;
    }

    Store open(StoreSettings settings) {
      OpenStore opened = new OpenStore(this, settings);
      open = opened;
      return opened;
    }

    void crash() {
      incarnation++;
      if (open != null) {
        open.crash();
        open = null;
      }
    }

    StoreFailure failure(Kind kind, String how) {
      return new StoreFailure(kind, "the store in " + name + " " + how);
    }

    void after(Runnable task) {
      long nanos = 1_000_000L + random.nextLong((SLOWEST_SYNC_MILLIS - 1) * 1_000_000L + 1);
      system.schedule(Duration.ofNanos(nanos), task);
    }
  }

  private sealed interface Task {}

  private record Commit(Batch batch, StoreCompletion<Batch> completion) implements Task {}

  private record Read(StoreCollection from, Bytes after, StoreCompletion<Page> completion)
      implements Task {}

  private final class OpenStore implements Store {

    private final Directory directory;
    private final StoreSettings settings;
    private List<Task> waiting = new ArrayList<>();
    private List<Task> syncing = List.of();
    private final List<Runnable> closers = new ArrayList<>();
    private long waitingBytes;
    private int waitingCommits;
    private boolean working;
    private boolean closing;
    private boolean ended;

    OpenStore(Directory directory, StoreSettings settings) {
      this.directory = directory;
      this.settings = settings;
    }

    @Override
    public boolean keeps() {
      return true;
    }

    @Override
    public void commit(Batch batch, StoreCompletion<Batch> completion) {
      if (closing) {
        completion.failed(directory.failure(Kind.CLOSED, "is closed"));
      } else if (waitingCommits >= settings.maxWaiting() || waitingBytes >= MAX_WAITING_BYTES) {
        completion.failed(directory.failure(Kind.BUSY, "does not keep up"));
      } else {
        waitingCommits++;
        waitingBytes += batch.bytes();
        add(new Commit(batch, completion));
      }
    }

    @Override
    public void read(StoreCollection from, Bytes after, StoreCompletion<Page> completion) {
      if (closing) {
        completion.failed(directory.failure(Kind.CLOSED, "is closed"));
      } else {
        add(new Read(from, after, completion));
      }
    }

    @Override
    public void close(Runnable closed) {
      closing = true;
      if (ended) {
        closed.run();
      } else {
        closers.add(closed);
        work();
      }
    }

    private void add(Task task) {
      waiting.add(task);
      work();
    }

    private void work() {
      if (working) {
        return;
      }
      working = true;
      syncing = waiting;
      waiting = new ArrayList<>();
      int incarnation = directory.incarnation;
      directory.after(
          () -> {
            if (incarnation == directory.incarnation) {
              synced();
            }
          });
    }

    private void synced() {
      List<Task> done = syncing;
      syncing = List.of();
      done.forEach(this::finish);
      working = false;
      if (!waiting.isEmpty()) {
        work();
      } else if (closing && !ended) {
        ended = true;
        directory.open = null;
        closers.forEach(Runnable::run);
      }
    }

    private void finish(Task task) {
      if (task instanceof Read read) {
        read.completion().succeeded(directory.durable.page(read.from(), read.after()));
        return;
      }
      Commit commit = (Commit) task;
      waitingCommits--;
      waitingBytes -= commit.batch().bytes();
      if (fault != null) {
        commit.completion().failed(directory.failure(fault, "cannot be written to"));
      } else if (directory.durable.apply(commit.batch(), settings.maxBytes())) {
        commit.completion().succeeded(commit.batch());
      } else {
        commit.completion().failed(directory.failure(Kind.FULL, "holds as much as it may"));
      }
    }

    /** Nobody is told anything any more. */
    void crash() {
      List<Commit> unsynced = new ArrayList<>();
      for (Task task : syncing) {
        if (task instanceof Commit commit) {
          unsynced.add(commit);
        }
      }
      int written = fault == null ? directory.random.nextInt(unsynced.size() + 1) : 0;
      for (Commit commit : unsynced.subList(0, written)) {
        directory.durable.apply(commit.batch(), settings.maxBytes());
      }
      closing = true;
      ended = true;
    }
  }
}
