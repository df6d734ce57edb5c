package dev.troupe.runtime.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreContract;
import dev.troupe.actors.store.StoreFailure.Kind;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RocksStoreTest extends StoreContract {

  private static final PeerId OWNER = peer(1);

  @TempDir Path temporary;
  private Path directory;
  private StoreSettings settings;
  private final List<Store> open = new ArrayList<>();
  private Store last;

  @AfterEach
  void closeAll() {
    open.forEach(this::close);
  }

  @Override
  protected Store create(StoreSettings wanted) {
    directory = temporary.resolve("data");
    settings = wanted.withDirectory(directory.toString());
    return openNow();
  }

  @Override
  protected Store reopen() {
    close(last);
    return openNow();
  }

  /** A copy of the directory as it is at this moment: nobody has closed that. */
  @Override
  protected Store crash() {
    Path copy = temporary.resolve("copy");
    copyOf(directory, copy);
    close(last);
    directory = copy;
    settings = settings.withDirectory(copy.toString());
    return openNow();
  }

  @Override
  protected <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aSecondOneInTheSameDirectoryIsRefused() {
    commitOne(create(ROOMY));
    assertEquals(Kind.IN_USE, tryToOpen(OWNER).failure().kind());
    assertTrue(tryToOpen(OWNER).failure().message().contains(directory.toString()));
    assertEquals(1, all(reopen(), StoreCollection.VALUES).size());
  }

  @Test
  void theStoreOfAnotherPeerIsRefused() {
    commitOne(create(ROOMY));
    close(last);
    Outcome<Store> refused = tryToOpen(peer(2));
    assertEquals(Kind.OTHER_OWNER, refused.failure().kind());
    assertTrue(refused.failure().message().contains(OWNER.toString()));
    assertEquals(1, all(openNow(), StoreCollection.VALUES).size());
  }

  @Test
  void aNewerFormatIsRefusedAndLeftAsItIs() throws IOException {
    commitOne(create(ROOMY));
    close(last);
    Path format = directory.resolve("FORMAT");
    String before = Files.readString(format);
    Files.writeString(format, before.replace("store 1 ", "store 2 ") + "and more\n");
    Outcome<Store> refused = tryToOpen(OWNER);
    assertEquals(Kind.NEWER_FORMAT, refused.failure().kind());
    assertTrue(refused.failure().message().contains("format 2"), refused.failure().message());
    Files.writeString(format, before);
    assertEquals(1, all(openNow(), StoreCollection.VALUES).size());
  }

  @Test
  void aFormatThatSaysNothingIsDamage() throws IOException {
    create(ROOMY);
    close(last);
    for (String text : List.of("", "nonsense", "troupe-store x y\n", "troupe-store 0 z\n")) {
      Files.writeString(directory.resolve("FORMAT"), text);
      assertEquals(Kind.DAMAGED, tryToOpen(OWNER).failure().kind());
    }
    Files.write(directory.resolve("FORMAT"), new byte[1 << 20]);
    assertEquals(Kind.DAMAGED, tryToOpen(OWNER).failure().kind());
  }

  @Test
  void recordsWithoutAformatAreDamage() throws IOException {
    commitOne(create(ROOMY));
    close(last);
    Files.delete(directory.resolve("FORMAT"));
    assertEquals(Kind.DAMAGED, tryToOpen(OWNER).failure().kind());
  }

  @Test
  void oneWhoseMakingWasInterruptedIsMade() throws IOException {
    create(ROOMY);
    close(last);
    Files.delete(directory.resolve("FORMAT"));
    commitOne(openNow());
    assertEquals(1, all(reopen(), StoreCollection.VALUES).size());
  }

  @Test
  void aDatabaseThatIsGoneIsDamageAndNotAnEmptyOne() throws IOException {
    commitOne(create(ROOMY));
    close(last);
    Files.move(directory.resolve("records"), directory.resolve("elsewhere"));
    assertEquals(Kind.DAMAGED, tryToOpen(OWNER).failure().kind());
    Files.move(directory.resolve("records"), temporary.resolve("remains"));
    Files.move(directory.resolve("elsewhere"), directory.resolve("records"));
    assertEquals(1, all(openNow(), StoreCollection.VALUES).size());
  }

  @Test
  void noDamageToAfileOfTheDatabaseLosesAnythingUnnoticed() throws IOException {
    Store store = create(ROOMY);
    for (int i = 0; i < 200; i++) {
      commit(store, put(StoreCollection.VALUES, hex(i), hex(i).repeat(100)));
    }
    close(last);
    // Opening moves the log into a table; a crash then leaves a new log with the rest.
    store = openNow();
    for (int i = 200; i < 400; i++) {
      commit(store, put(StoreCollection.VALUES, hex(i), hex(i).repeat(100)));
    }
    Path whole = temporary.resolve("whole");
    copyOf(directory, whole);
    close(last);
    int damaged = 0;
    for (Path file : filesOf(whole.resolve("records"))) {
      String name = file.getFileName().toString();
      if (!name.matches("CURRENT|MANIFEST-.*|.*\\.sst|.*\\.log")) {
        continue;
      }
      directory = temporary.resolve("damaged-" + name);
      settings = settings.withDirectory(directory.toString());
      copyOf(whole, directory);
      Path victim = directory.resolve("records").resolve(name);
      long size = Files.size(victim);
      try (RandomAccessFile bytes = new RandomAccessFile(victim.toFile(), "rw")) {
        bytes.seek(name.endsWith(".log") ? 3000 : size / 2);
        bytes.write(new byte[] {'d', 'a', 'm', 'a', 'g', 'e'});
      }
      damaged += isDamagedOrWhole("damage to " + name) ? 1 : 0;
      copyOf(whole, directory);
      Files.delete(victim);
      damaged += isDamagedOrWhole("the loss of " + name) ? 1 : 0;
    }
    assertTrue(damaged >= 6, "only " + damaged + " were noticed");
  }

  /** Either it does not open, and says why, or nothing is missing. */
  private boolean isDamagedOrWhole(String what) {

    Outcome<Store> outcome = tryToOpen(OWNER);
    if (outcome.failure() == null) {
      assertEquals(400, all(outcome.value(), StoreCollection.VALUES).size(), what);
      close(outcome.value());
      return false;
    }
    assertEquals(Kind.DAMAGED, outcome.failure().kind(), what + ": " + outcome.failure());
    return true;
  }

  @Test
  void tooMuchThatWaitsIsRefusedAndTheRestIsWritten() throws InterruptedException {
    Store store = create(ROOMY.withMaxWaiting(10));
    // Its thread stands in the completion of a first one, so that the others wait.
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    CompletableFuture<Outcome<Page>> read = new CompletableFuture<>();
    read.thenAccept(
        page -> {
          entered.countDown();
          try {
            leave.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    store.read(StoreCollection.TABLE, Bytes.EMPTY, into(read));
    assertTrue(entered.await(30, TimeUnit.SECONDS));
    List<CompletableFuture<Outcome<Batch>>> all = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      all.add(start(store, put(StoreCollection.VALUES, hex(i), "01")));
    }
    assertEquals(Kind.BUSY, await(all.get(10)).failure().kind());
    leave.countDown();
    for (int i = 0; i < 10; i++) {
      assertEquals(null, await(all.get(i)).failure());
    }
    commit(store, put(StoreCollection.VALUES, hex(11), "01"));
    assertEquals(11, all(store, StoreCollection.VALUES).size());
  }

  /**
   * On a disk that can be filled: {@code -Dtroupe.small.disk=DIR}, for instance a tmpfs of 48 MiB.
   */
  @Test
  void aFullDiskIsSaidAndEverythingGoesOnWhenThereIsRoom() throws IOException {
    String disk = System.getProperty("troupe.small.disk");
    assumeTrue(disk != null, "-Dtroupe.small.disk is not given");
    directory = Files.createTempDirectory(Path.of(disk), "store");
    settings = ROOMY.withMaxBytes(1L << 40).withDirectory(directory.toString());
    Store store = openNow();
    Path ballast = Files.createTempFile(Path.of(disk), "ballast", "");
    Files.write(ballast, new byte[16 << 20]);
    byte[] large = new byte[100_000];
    new SplittableRandom(1).nextBytes(large);
    int stored = 0;
    Outcome<Batch> outcome;
    do {
      Bytes value = Bytes.of(large);
      outcome = await(start(store, Change.put(StoreCollection.VALUES, key(stored), value)));
      stored += outcome.failure() == null ? 1 : 0;
      new SplittableRandom(stored).nextBytes(large);
    } while (outcome.failure() == null);
    assertEquals(Kind.FULL, outcome.failure().kind(), outcome.failure().message());
    assertTrue(outcome.failure().message().contains(directory.toString()));
    assertEquals(stored, all(store, StoreCollection.VALUES).size());
    // Each attempt may find a little more, when what was in a log is put in order.
    int refused = 0;
    for (long end = System.nanoTime() + 5_000_000_000L; System.nanoTime() < end; ) {
      new SplittableRandom(stored).nextBytes(large);
      Change more = Change.put(StoreCollection.VALUES, key(stored), Bytes.of(large));
      outcome = await(start(store, more));
      if (outcome.failure() == null) {
        stored++;
      } else {
        assertEquals(Kind.FULL, outcome.failure().kind(), outcome.failure().message());
        refused++;
      }
    }
    assertTrue(refused > 1);
    Files.delete(ballast);
    long end = System.nanoTime() + 30_000_000_000L;
    do {
      outcome = await(start(store, put(StoreCollection.TABLE, "01", "02")));
    } while (outcome.failure() != null && System.nanoTime() < end);
    assertEquals(null, outcome.failure());
    Store again = reopen();
    assertTrue(all(again, StoreCollection.VALUES).size() >= stored);
    assertEquals("{01=02}", all(again, StoreCollection.TABLE).toString());
    close(again);
  }

  private static Bytes key(int number) {
    return Bytes.fromHex(hex(number));
  }

  @Test
  void aDirectoryThatCannotBeOneIsRefused() throws IOException {
    Path file = Files.writeString(temporary.resolve("file"), "not a directory");
    directory = file;
    settings = ROOMY.withDirectory(file.toString());
    assertEquals(Kind.FAILED, tryToOpen(OWNER).failure().kind());
  }

  // ---

  private void commitOne(Store store) {
    commit(store, put(StoreCollection.VALUES, "01", "02"));
  }

  private Store openNow() {
    Outcome<Store> outcome = tryToOpen(OWNER);
    assertEquals(null, outcome.failure());
    return outcome.value();
  }

  private Outcome<Store> tryToOpen(PeerId owner) {
    CompletableFuture<Outcome<Store>> outcome = new CompletableFuture<>();
    RocksStore.open(settings, owner, into(outcome));
    Outcome<Store> opened = await(outcome);
    if (opened.value() != null) {
      last = opened.value();
      open.add(last);
    }
    return opened;
  }

  private void close(Store store) {
    CompletableFuture<Boolean> closed = new CompletableFuture<>();
    store.close(() -> closed.complete(true));
    await(closed);
  }

  static PeerId peer(int number) {
    byte[] seed = new byte[32];
    seed[0] = (byte) number;
    return PrivateKey.fromSeed(new PortableCrypto(), seed).peerId();
  }

  private static List<Path> filesOf(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  private static void copyOf(Path from, Path to) {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else if (!file.toString().contains("native")) {
          Files.write(copy, Files.readAllBytes(file));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
