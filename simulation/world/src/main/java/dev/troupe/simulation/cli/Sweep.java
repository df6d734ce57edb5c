package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One scenario over many seeds, several at a time, until one fails; then the same with less, as
 * long as it still fails. A seed that could not be played is a failure as well, or an exception;
 * never clean.
 */
final class Sweep {

  /** How many smaller runs are tried. */
  private static final int MAX_SHRINKS = 40;

  /** How many faults are left in first, where a run had all. */
  private static final int FAULTS_AT_FIRST = 64;

  private static final int FEWEST_PEERS = 3;
  private static final Duration SHORTEST = Duration.ofSeconds(10);

  /** A run that was violated. */
  record Failed(Parameters parameters, WorkerReply reply) {

    private String checker() {
      return reply.violation().split("[ :]", 2)[0];
    }
  }

  /**
   * What became of a sweep.
   *
   * @param failed of the seeds that were played before it stopped, the first that failed; null if
   *     all were played and none did
   */
  record Outcome(@Nullable Failed failed, long events) {}

  private final Supplier<? extends Player> players;
  private final int cores;

  Sweep(Supplier<? extends Player> players, int cores) {
    this.players = players;
    this.cores = cores;
  }

  Outcome play(Parameters model, long first, long last) throws InterruptedException {
    AtomicLong next = new AtomicLong(first);
    AtomicBoolean stop = new AtomicBoolean();
    AtomicLong events = new AtomicLong();
    Callable<List<Failed>> share =
        () -> {
          List<Failed> failures = new ArrayList<>();
          try (Player player = players.get()) {
            long seed = next.getAndIncrement();
            while (seed <= last && !stop.get()) {
              Parameters parameters = model.withSeed(seed);
              WorkerReply reply = player.play(parameters);
              events.addAndGet(reply.events());
              if (!reply.isClean()) {
                stop.set(true);
                failures.add(new Failed(parameters, reply));
              }
              seed = next.getAndIncrement();
            }
          } catch (RuntimeException e) {
            stop.set(true);
            throw e;
          }
          return failures;
        };
    int shares = (int) Math.min(cores, last - first + 1);
    List<Callable<List<Failed>>> all = new ArrayList<>();
    for (int i = 0; i < shares; i++) {
      all.add(share);
    }
    List<Failed> failures = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(shares);
    try {
      for (Future<List<Failed>> each : threads.invokeAll(all)) {
        failures.addAll(each.get());
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a seed could not be played", e);
    } finally {
      threads.shutdownNow();
    }
    Failed earliest =
        failures.stream()
            .min(Comparator.comparingLong(each -> each.parameters().seed()))
            .orElse(null);
    return new Outcome(earliest, events.get());
  }

  /** Tries fewer peers, fewer faults and less time, and keeps what still fails by one checker. */
  Failed shrink(Failed failed) {
    Failed best = failed;
    int left = MAX_SHRINKS;
    try (Player player = players.get()) {
      boolean smaller = true;
      while (smaller && left > 0) {
        smaller = false;
        for (Parameters candidate : candidates(best.parameters())) {
          if (left-- <= 0) {
            break;
          }
          Failed tried = new Failed(candidate, player.play(candidate));
          if (!tried.reply().isClean() && tried.checker().equals(failed.checker())) {
            best = tried;
            smaller = true;
            break;
          }
        }
      }
    }
    return best;
  }

  private static List<Parameters> candidates(Parameters from) {
    List<Parameters> smaller = new ArrayList<>();
    if (from.peers() > FEWEST_PEERS) {
      smaller.add(from.withPeers(Math.max(FEWEST_PEERS, from.peers() / 2)));
      smaller.add(from.withPeers(from.peers() - 1));
    }
    int faults = from.faults() == Parameters.ALL_FAULTS ? FAULTS_AT_FIRST : from.faults();
    if (faults > 0) {
      smaller.add(from.withFaults(faults / 2));
      smaller.add(from.withFaults(faults - 1));
    }
    if (from.length().compareTo(SHORTEST) > 0) {
      smaller.add(from.withLength(Duration.ofSeconds(from.length().toSeconds() / 2)));
    }
    return smaller;
  }
}
