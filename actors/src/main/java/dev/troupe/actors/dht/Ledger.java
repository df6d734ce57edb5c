package dev.troupe.actors.dht;

import dev.troupe.actors.dht.Dht.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Every operation that was accepted and has not been answered: those that wait (the stash) in the
 * order they were asked, and those that run.
 *
 * <p>This is the stash, and not Pekko's {@code StashBuffer}, for two reasons. A readiness budget
 * may run out in the middle of the queue, where a {@code StashBuffer} cannot let go of a single
 * message. And what runs must be remembered as well as what waits, or a crash would lose it: the
 * ledger lives outside the supervised behavior, so it is what a restarted {@link Dht} finds.
 *
 * <p>An operation leaves the ledger exactly once, by {@link #settle}, {@link #withdraw}, {@link
 * #expire}, {@link #abandonRunning} or {@link #drain}, and whoever takes it out answers it. That is
 * the whole of the promise "exactly one reply".
 */
final class Ledger {

  private final int stashCapacity;
  private final Map<Long, Entry> waiting = new LinkedHashMap<>();
  private final Map<Long, Entry> running = new LinkedHashMap<>();
  private long lastId;

  /**
   * An operation that owes a reply.
   *
   * @param id unique in the life of the ledger
   * @param acceptedAt on the clock of the caller, in nanoseconds
   */
  record Entry(long id, Operation operation, long acceptedAt) {

    /** How much longer it may wait; empty when for as long as it takes. */
    Optional<Duration> patience(long now) {
      Duration limit = operation.readiness().limit();
      return limit == null ? Optional.empty() : Optional.of(limit.minusNanos(now - acceptedAt));
    }

    private boolean isExpired(long now) {
      return patience(now).filter(left -> left.isZero() || left.isNegative()).isPresent();
    }
  }

  /**
   * An empty ledger.
   *
   * @param stashCapacity how many operations may wait
   */
  Ledger(int stashCapacity) {
    this.stashCapacity = stashCapacity;
  }

  /** A number that no entry has, nor will have. */
  long newId() {
    return ++lastId;
  }

  /** Lets an operation wait; empty, and nothing is noted, when as many wait as may. */
  Optional<Entry> accept(Operation operation, long now) {
    if (waiting.size() >= stashCapacity) {
      return Optional.empty();
    }
    Entry entry = new Entry(newId(), operation, now);
    waiting.put(entry.id, entry);
    return Optional.of(entry);
  }

  /** The operation that has waited the longest, which runs from now on. */
  Optional<Entry> startNext() {
    Iterator<Entry> oldest = waiting.values().iterator();
    if (!oldest.hasNext()) {
      return Optional.empty();
    }
    Entry entry = oldest.next();
    oldest.remove();
    running.put(entry.id, entry);
    return Optional.of(entry);
  }

  /** Takes out one that waits, and will not run; empty, when it has been taken out before. */
  Optional<Operation> withdraw(long id) {
    return Optional.ofNullable(waiting.remove(id)).map(Entry::operation);
  }

  /**
   * Takes out a running operation that has come to its end; empty, when it has been taken out
   * before.
   */
  Optional<Operation> settle(long id) {
    return Optional.ofNullable(running.remove(id)).map(Entry::operation);
  }

  /** Takes out those that wait and have run out of patience, in the order they were asked. */
  List<Operation> expire(long now) {
    return takeWaiting(entry -> entry.isExpired(now));
  }

  /** Takes out those that wait and will not run, in the order they were asked. */
  List<Operation> withdraw(Predicate<Operation> which) {
    return takeWaiting(entry -> which.test(entry.operation));
  }

  /** How long until the next of those that wait runs out of patience; empty when none does. */
  Optional<Duration> nextExpiry(long now) {
    return waiting.values().stream()
        .flatMap(entry -> entry.patience(now).stream())
        .min(Duration::compareTo);
  }

  /** Takes out all that run: whoever ran them is gone. */
  List<Operation> abandonRunning() {
    List<Operation> abandoned = running.values().stream().map(Entry::operation).toList();
    running.clear();
    return abandoned;
  }

  /** Takes out everything, those that run first. */
  List<Operation> drain() {
    List<Operation> everything = new ArrayList<>(abandonRunning());
    everything.addAll(takeWaiting(entry -> true));
    return everything;
  }

  int waiting() {
    return waiting.size();
  }

  int running() {
    return running.size();
  }

  private List<Operation> takeWaiting(Predicate<Entry> which) {
    List<Operation> taken = new ArrayList<>();
    Iterator<Entry> entries = waiting.values().iterator();
    while (entries.hasNext()) {
      Entry entry = entries.next();
      if (which.test(entry)) {
        entries.remove();
        taken.add(entry.operation);
      }
    }
    return taken;
  }
}
