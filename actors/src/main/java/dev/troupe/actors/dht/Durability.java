package dev.troupe.actors.dht;

import dev.troupe.actors.dht.Query.Outcome;
import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.protocol.Bytes;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that what a {@link Dht} acknowledges is durable: loads what was kept, commits what
 * {@link Keeping} has gathered, and holds operations back until that is done.
 *
 * <p>Belongs to the Dht's actor, which hands it what the store says. Each commit has a number of
 * the {@link Ledger}'s, by which who waits for it knows it.
 */
final class Durability {

  private final DhtEnvironment environment;
  private final Keeping keeping;
  private final Ledger ledger;
  private final ActorContext<Dht.Command> context;

  /** Operations that wait for a commit, and what came of their lookups if that is known. */
  private final Map<Long, Optional<Outcome>> uncommitted = new LinkedHashMap<>();

  /** Operations that run on, of which nothing could be kept. */
  private final Map<Long, StoreFailure> notKept = new LinkedHashMap<>();

  /** The page that is awaited. */
  private long reading;

  private boolean storeFails;

  /** Nothing is under way. */
  Durability(
      DhtEnvironment environment,
      Keeping keeping,
      Ledger ledger,
      ActorContext<Dht.Command> context) {
    this.environment = environment;
    this.keeping = keeping;
    this.ledger = ledger;
    this.context = context;
  }

  // Loading

  /** Asks for what was kept; each page comes as a message. */
  void load() {
    readPage(Bytes.EMPTY);
  }

  /** A part of it has come; answers whether that was the last. */
  boolean onPage(Dht.PageRead read) {
    if (read.id() != reading) {
      return false; // It was asked for before a crash, and is read anew.
    }
    Bytes after = Bytes.EMPTY;
    if (read.page() != null) {
      after = keeping.onPage(read.page());
    } else {
      keeping.onUnreadable();
      onFailed(read.failure());
    }
    if (keeping.loading().isPresent()) {
      readPage(after);
      return false;
    }
    return true;
  }

  private void readPage(Bytes after) {
    ActorRef<Dht.Command> self = context.getSelf();
    long id = ledger.newId();
    reading = id;
    environment
        .store()
        .read(
            keeping.loading().orElseThrow(),
            after,
            new StoreCompletion<>() {
              @Override
              public void succeeded(Page page) {
                self.tell(new Dht.PageRead(id, page, null));
              }

              @Override
              public void failed(StoreFailure failure) {
                self.tell(new Dht.PageRead(id, null, failure));
              }
            });
  }

  // Committing

  /** Whether something has changed that no commit is for yet. */
  boolean isPending() {
    return !keeping.isIdle();
  }

  /** Commits what has changed; its end comes as a message with the number that is returned. */
  long commit() {
    long id = ledger.newId();
    commit(id);
    return id;
  }

  /** Keeps what has changed; nobody waits for it. */
  void keepInPassing() {
    if (isPending()) {
      commit();
    }
  }

  /** Sees to it that an operation is answered only once what it changed here is kept. */
  void keepFor(long id) {
    if (isPending()) {
      uncommitted.put(id, Optional.empty());
      commit(id);
    }
  }

  private void commit(long id) {
    ActorRef<Dht.Command> self = context.getSelf();
    environment
        .store()
        .commit(
            keeping.take(),
            new StoreCompletion<>() {
              @Override
              public void succeeded(Batch batch) {
                self.tell(new Dht.Committed(id, null));
              }

              @Override
              public void failed(StoreFailure failure) {
                self.tell(new Dht.Committed(id, failure));
              }
            });
  }

  /** A commit has ended. */
  void onCommitted(Dht.Committed committed) {
    if (committed.failure() == null) {
      storeFails = false;
    } else {
      onFailed(committed.failure());
      keeping.forgetTable();
    }
  }

  // Operations

  /** Whether the operation waits for its commit still; then the outcome waits with it. */
  boolean holdsBack(long id, Outcome outcome) {
    return uncommitted.computeIfPresent(
            id, (unused, known) -> known.isPresent() ? known : Optional.of(outcome))
        != null;
  }

  /** An operation waits no more; its outcome, if that was all that it waited for. */
  Optional<Outcome> releaseCommitted(Dht.Committed committed) {
    Optional<Outcome> known = uncommitted.remove(committed.id());
    if (known == null) {
      return Optional.empty();
    }
    if (committed.failure() != null) {
      notKept.put(committed.id(), committed.failure());
    }
    return known;
  }

  /** An operation waits no more, whatever becomes of its commit. */
  void release(long id) {
    uncommitted.remove(id);
  }

  /** The outcome of an operation, which is a failure where it could not be kept. */
  Outcome whole(long id, Outcome outcome) {
    StoreFailure failure = notKept.remove(id);
    return failure == null || outcome instanceof Outcome.Failed
        ? outcome
        : new Outcome.Failed(
            Dht.Reason.NOT_KEPT, "others have it, but it is not kept here: " + failure.message());
  }

  /** Said once, until it works again. */
  private void onFailed(@Nullable StoreFailure failure) {
    if (failure != null && !storeFails) {
      storeFails = true;
      context
          .getLog()
          .atWarn()
          .addKeyValue("kind", failure.kind())
          .addKeyValue("reason", failure.message())
          .log("The DHT cannot keep what it is told");
    }
  }
}
