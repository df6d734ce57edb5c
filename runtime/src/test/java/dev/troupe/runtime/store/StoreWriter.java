package dev.troupe.runtime.store;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

/**
 * A process that writes until it is killed, and says on standard output what has been acknowledged.
 *
 * <p>Commit n puts entry n into two collections, and deletes entry n - {@link #KEPT} from both.
 */
final class StoreWriter {

  /** How many entries there are at a time. */
  static final int KEPT = 500;

  /** How many commits wait at a time: enough for groups. */
  private static final int UNDER_WAY = 32;

  private StoreWriter() {}

  /** The directory, and the number of the first commit. */
  public static void main(String[] args) throws InterruptedException {
    StoreSettings settings = StoreSettings.DEFAULT.withDirectory(args[0]);
    long first = Long.parseLong(args[1]);
    Semaphore room = new Semaphore(UNDER_WAY);
    RocksStore.open(
        settings,
        RocksStoreTest.peer(1),
        new StoreCompletion<>() {
          @Override
          public void succeeded(Store store) {
            System.out.println("open");
            new Thread(() -> write(store, first, room)).start();
          }

          @Override
          public void failed(StoreFailure failure) {
            System.out.println("failed " + failure.message());
            System.exit(1);
          }
        });
    new CountDownLatch(1).await();
  }

  private static void write(Store store, long first, Semaphore room) {
    for (long n = first; ; n++) {
      room.acquireUninterruptibly();
      long number = n;
      Bytes key = key(n);
      Bytes old = key(n - KEPT);
      store.commit(
          new Batch(
              List.of(
                  Change.put(StoreCollection.VALUES, key, value(n)),
                  Change.delete(StoreCollection.VALUES, old),
                  Change.put(StoreCollection.PROVIDERS, key, value(n)),
                  Change.delete(StoreCollection.PROVIDERS, old))),
          new StoreCompletion<>() {
            @Override
            public void succeeded(Batch batch) {
              System.out.println("ack " + number);
              room.release();
            }

            @Override
            public void failed(StoreFailure failure) {
              System.out.println("failed " + failure.message());
              System.exit(1);
            }
          });
    }
  }

  static Bytes key(long n) {
    return Bytes.fromHex(String.format("%016x", n));
  }

  /** Some 0 to 8,000 bytes, which follow from the number. */
  static Bytes value(long n) {
    SplittableRandom random = new SplittableRandom(n);
    byte[] value = new byte[random.nextInt(8000)];
    random.nextBytes(value);
    return Bytes.wrap(value);
  }
}
