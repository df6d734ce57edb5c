package dev.troupe.runtime.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that writes is killed (SIGKILL) after a random number of acknowledgements, some of them
 * before the first; again and again on one store. How often: {@code troupe.store.kills}.
 */
final class StoreKilledIT {

  private static final int KILLS = Integer.getInteger("troupe.store.kills", 5);
  private static final long SEED = Long.getLong("troupe.store.seed", 1);

  @TempDir Path temporary;

  @Test
  void nothingAcknowledgedIsLostAndNothingTornIsServed() throws Exception {
    SplittableRandom random = new SplittableRandom(SEED);
    Path directory = temporary.resolve("data");
    long next = 0;
    long opened = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      // One in five falls into the opening.
      int after = random.nextInt(5) == 0 ? 0 : 1 + random.nextInt(3000);
      long acknowledged = runAndKill(directory, next, after, random.nextLong(400_000_000));
      opened += acknowledged >= next ? 1 : 0;
      next = 1 + check(directory, Math.max(acknowledged, next - 1), kill);
    }
    assertTrue(next > 0 && opened > 0, "nothing was written");
    System.out.println(KILLS + " kills, of them " + opened + " amid writes; " + next + " commits");
  }

  /** Answers the number of the last commit that the process said was acknowledged. */
  private static long runAndKill(Path directory, long first, int after, long startNanos)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                StoreWriter.class.getName(),
                directory.toString(),
                Long.toString(first))
            .redirectErrorStream(true)
            .start();
    long last = first - 1;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      // By its handle: the process itself would close the pipe, and what is in it be lost.
      if (after == 0 && process.waitFor(startNanos, TimeUnit.NANOSECONDS)) {
        throw new AssertionError("the writer ended by itself");
      } else if (after == 0) {
        process.toHandle().destroyForcibly();
      }
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        assertTrue(!line.startsWith("failed"), line);
        // The last line may have been cut by the kill; a number that lost digits would be smaller.
        if (line.startsWith("ack ") && line.length() > 4) {
          last = Math.max(last, Long.parseLong(line.substring(4)));
        }
        if (after > 0 && last - first + 1 >= after) {
          process.toHandle().destroyForcibly();
        }
      }
    } finally {
      process.toHandle().destroyForcibly();
    }
    process.waitFor();
    return last;
  }

  /** Answers the number of the last commit that is there. */
  private static long check(Path directory, long acknowledged, int kill) throws Exception {
    CompletableFuture<Store> opening = new CompletableFuture<>();
    RocksStore.open(
        StoreSettings.DEFAULT.withDirectory(directory.toString()),
        RocksStoreTest.peer(1),
        completing(opening));
    Store store = opening.get(60, TimeUnit.SECONDS);
    TreeMap<Bytes, Bytes> values = all(store, StoreCollection.VALUES);
    TreeMap<Bytes, Bytes> providers = all(store, StoreCollection.PROVIDERS);
    CompletableFuture<Boolean> closed = new CompletableFuture<>();
    store.close(() -> closed.complete(true));
    closed.get(60, TimeUnit.SECONDS);
    assertEquals(values, providers, "a commit was torn, kill " + kill);
    long last = values.isEmpty() ? -1 : Long.parseLong(values.lastKey().hex(), 16);
    assertTrue(
        last >= acknowledged,
        "kill " + kill + ": " + acknowledged + " was acknowledged, not " + last);
    assertEquals(Math.min(last + 1, StoreWriter.KEPT), values.size(), "kill " + kill);
    values.forEach(
        (key, value) -> assertEquals(StoreWriter.value(Long.parseLong(key.hex(), 16)), value));
    return last;
  }

  private static TreeMap<Bytes, Bytes> all(Store store, StoreCollection collection)
      throws InterruptedException, ExecutionException, TimeoutException {
    TreeMap<Bytes, Bytes> all = new TreeMap<>();
    Bytes after = Bytes.EMPTY;
    while (true) {
      CompletableFuture<Page> reading = new CompletableFuture<>();
      store.read(collection, after, completing(reading));
      Page page = reading.get(60, TimeUnit.SECONDS);
      page.entries().forEach(entry -> all.put(entry.key(), entry.value()));
      if (page.isLast()) {
        return all;
      }
      after = all.lastKey();
    }
  }

  private static <T> StoreCompletion<T> completing(CompletableFuture<T> future) {
    return new StoreCompletion<>() {
      @Override
      public void succeeded(T value) {
        future.complete(value);
      }

      @Override
      public void failed(StoreFailure failure) {
        future.completeExceptionally(new AssertionError(failure.toString()));
      }
    };
  }
}
