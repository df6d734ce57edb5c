package dev.troupe.actors.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What every {@link Store} does, on whatever it keeps things. */
public abstract class StoreContract {

  /** What a call came to: one of the two is null. */
  protected record Outcome<T>(T value, StoreFailure failure) {}

  /** A new store with no entry. */
  protected abstract Store create(StoreSettings settings);

  /** The store that was made last, closed and opened again. */
  protected abstract Store reopen();

  /** The store that was made last, after a crash at this moment. */
  protected abstract Store crash();

  /** Waits until it is complete, on whatever clock the store has. */
  protected abstract <T> T await(CompletableFuture<T> future);

  /** Room for many, which none of these tests fills unless it wants to. */
  protected static final StoreSettings ROOMY = StoreSettings.DEFAULT.withMaxBytes(1 << 24);

  private static final StoreCollection VALUES = StoreCollection.VALUES;

  @Test
  void anEmptyOneHasNothing() {
    Store store = create(ROOMY);
    for (StoreCollection collection : StoreCollection.values()) {
      assertEquals(new Page(List.of(), true), await(read(store, collection, Bytes.EMPTY)).value());
    }
    assertTrue(store.keeps());
  }

  @Test
  void whatIsCommittedIsReadInTheOrderOfUnsignedKeys() {
    Store store = create(ROOMY);
    commit(store, put(VALUES, "ff", "01"), put(VALUES, "00ff", "02"), put(VALUES, "7f", "03"));
    assertEquals("{00ff=02, 7f=03, ff=01}", all(store, VALUES).toString());
    assertEquals("{}", all(store, StoreCollection.PROVIDERS).toString());
  }

  @Test
  void aBatchTakesEffectInItsOrder() {
    Store store = create(ROOMY);
    commit(store, put(VALUES, "01", "01"), put(VALUES, "02", "02"));
    commit(
        store,
        put(VALUES, "01", "11"),
        delete(VALUES, "01"),
        delete(VALUES, "02"),
        put(VALUES, "02", "22"),
        delete(VALUES, "03"));
    assertEquals("{02=22}", all(store, VALUES).toString());
  }

  @Test
  void theSameKeyIsAnotherEntryInEachCollection() {
    Store store = create(ROOMY);
    for (StoreCollection collection : StoreCollection.values()) {
      commit(store, put(collection, "01", "0" + collection.ordinal()));
    }
    commit(store, delete(StoreCollection.TABLE, "01"));
    for (StoreCollection collection : StoreCollection.values()) {
      assertEquals(
          collection == StoreCollection.TABLE ? "{}" : "{01=0" + collection.ordinal() + "}",
          all(store, collection).toString());
    }
  }

  @Test
  void allIsThereAfterItWasClosedAndOpened() {
    Store store = create(ROOMY);
    commit(store, put(VALUES, "01", ""), put(StoreCollection.BOOTSTRAP, "01", "02"));
    Store again = reopen();
    assertEquals("{01=}", all(again, VALUES).toString());
    assertEquals("{01=02}", all(again, StoreCollection.BOOTSTRAP).toString());
  }

  @Test
  void whatWasAcknowledgedSurvivesACrash() {
    Store store = create(ROOMY);
    for (int i = 0; i < 50; i++) {
      commit(store, put(VALUES, hex(i), "01"), put(StoreCollection.PROVIDERS, hex(i), "02"));
    }
    commit(store, delete(VALUES, hex(7)));
    Store after = crash();
    assertEquals(49, all(after, VALUES).size());
    assertEquals(50, all(after, StoreCollection.PROVIDERS).size());
  }

  @Test
  void whatAcrashFindsUnderWayIsThereWholeOrNotAtAll() {
    Store store = create(ROOMY);
    List<CompletableFuture<Outcome<Batch>>> under = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      under.add(
          start(store, put(VALUES, hex(i), "01"), put(StoreCollection.PROVIDERS, hex(i), "02")));
    }
    Store after = crash();
    assertEquals(
        all(after, VALUES).keySet().toString(),
        all(after, StoreCollection.PROVIDERS).keySet().toString());
  }

  @Test
  void aLongCollectionComesInPages() {
    Store store = create(ROOMY);
    Map<String, String> expected = new TreeMap<>();
    List<Change> changes = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 2 * Store.PAGE_ENTRIES + 3; i++) {
      String key = String.format("%016x", random.nextLong());
      expected.put(key, hex(i));
      changes.add(put(VALUES, key, hex(i)));
    }
    commit(store, changes.toArray(new Change[0]));
    Page first = await(read(store, VALUES, Bytes.EMPTY)).value();
    assertEquals(Store.PAGE_ENTRIES, first.entries().size());
    assertFalse(first.isLast());
    assertEquals(expected.toString(), all(store, VALUES).toString());
  }

  @Test
  void aPageOfLargeEntriesIsBoundedInBytes() {
    Store store = create(ROOMY);
    Bytes large = Bytes.wrap(new byte[Store.MAX_VALUE]);
    for (int i = 0; i < 5; i++) {
      commit(store, Change.put(VALUES, Bytes.fromHex(hex(i)), large));
    }
    Page first = await(read(store, VALUES, Bytes.EMPTY)).value();
    assertEquals(Store.PAGE_BYTES / Store.MAX_VALUE, first.entries().size());
    assertFalse(first.isLast());
    assertEquals(5, all(store, VALUES).size());
  }

  @Test
  void aReadSeesWhatWasCommittedBeforeIt() {
    Store store = create(ROOMY);
    CompletableFuture<Outcome<Batch>> commit = start(store, put(VALUES, "01", "02"));
    CompletableFuture<Outcome<Page>> read = read(store, VALUES, Bytes.EMPTY);
    assertEquals(1, await(read).value().entries().size());
    assertEquals(1, await(commit).value().changes().size());
  }

  @Test
  void commitsAreAcknowledgedInTheirOrder() {
    Store store = create(ROOMY);
    List<Integer> order = new ArrayList<>();
    List<CompletableFuture<Outcome<Batch>>> all = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      int number = i;
      CompletableFuture<Outcome<Batch>> done = new CompletableFuture<>();
      store.commit(
          Batch.of(put(VALUES, hex(i), "01")),
          new StoreCompletion<>() {
            @Override
            public void succeeded(Batch batch) {
              order.add(number);
              done.complete(new Outcome<>(batch, null));
            }

            @Override
            public void failed(StoreFailure failure) {
              done.complete(new Outcome<>(null, failure));
            }
          });
      all.add(done);
    }
    all.forEach(this::await);
    List<Integer> expected = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      expected.add(i);
    }
    assertEquals(expected, order);
  }

  @Test
  void aFullOneRefusesMoreAndLosesNothing() {
    Store store = create(StoreSettings.DEFAULT.withMaxBytes(3 * 40));
    commit(store, put(VALUES, "01", "000000"), put(VALUES, "02", "00"), put(VALUES, "03", "00"));
    Outcome<Batch> refused =
        await(start(store, put(VALUES, "04", "00"), put(StoreCollection.TABLE, "01", "00")));
    assertEquals(StoreFailure.Kind.FULL, refused.failure().kind());
    assertEquals("{01=000000, 02=00, 03=00}", all(store, VALUES).toString());
    assertEquals("{}", all(store, StoreCollection.TABLE).toString());
    // It counts what it holds, not what it was told: there is room for what replaces another.
    commit(store, put(VALUES, "01", "01"));
    commit(store, delete(VALUES, "02"), put(VALUES, "04", "00"));
    assertEquals("{01=01, 03=00, 04=00}", all(store, VALUES).toString());
  }

  @Test
  void itKnowsHowMuchItHoldsAfterItWasOpened() {
    Store store = create(StoreSettings.DEFAULT.withMaxBytes(3 * 40));
    commit(store, put(VALUES, "01", "00"), put(VALUES, "02", "00"), put(VALUES, "03", "00"));
    Store again = reopen();
    assertEquals(
        StoreFailure.Kind.FULL, await(start(again, put(VALUES, "04", "00"))).failure().kind());
    commit(again, delete(VALUES, "03"), put(VALUES, "04", "00"));
  }

  @Test
  void closingFinishesWhatWaits() {
    Store store = create(ROOMY);
    List<CompletableFuture<Outcome<Batch>>> under = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      under.add(start(store, put(VALUES, hex(i), "01")));
    }
    CompletableFuture<Boolean> closed = new CompletableFuture<>();
    store.close(() -> closed.complete(true));
    CompletableFuture<Boolean> closedAgain = new CompletableFuture<>();
    store.close(() -> closedAgain.complete(true));
    assertTrue(await(closed));
    assertTrue(await(closedAgain));
    under.forEach(each -> assertEquals(null, await(each).failure()));
    assertEquals(
        StoreFailure.Kind.CLOSED, await(start(store, put(VALUES, "01", "01"))).failure().kind());
    assertEquals(
        StoreFailure.Kind.CLOSED, await(read(store, VALUES, Bytes.EMPTY)).failure().kind());
    assertEquals(20, all(reopen(), VALUES).size());
  }

  @Test
  void theLargestEntryFitsAndALargerOneIsOurBug() {
    Store store = create(ROOMY);
    Bytes key = Bytes.wrap(new byte[Store.MAX_KEY]);
    commit(store, Change.put(VALUES, key, Bytes.wrap(new byte[Store.MAX_VALUE])));
    assertEquals(1, all(store, VALUES).size());
    assertThrows(
        IllegalArgumentException.class,
        () -> Change.delete(VALUES, key.concat(Bytes.of((byte) 0))));
    assertThrows(IllegalArgumentException.class, () -> Change.delete(VALUES, Bytes.EMPTY));
    assertThrows(
        IllegalArgumentException.class,
        () -> Change.put(VALUES, key, Bytes.wrap(new byte[Store.MAX_VALUE + 1])));
    assertThrows(IllegalArgumentException.class, () -> new Batch(List.of()));
  }

  @Test
  void manyRandomChangesLeaveWhatAMapWouldHold() {
    Store store = create(ROOMY);
    SplittableRandom random = new SplittableRandom(42);
    Map<String, String> expected = new TreeMap<>();
    for (int round = 0; round < 40; round++) {
      List<Change> changes = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        String key = hex(random.nextInt(60));
        if (random.nextInt(3) == 0) {
          expected.remove(key);
          changes.add(delete(VALUES, key));
        } else {
          String value = hex(random.nextInt());
          expected.put(key, value);
          changes.add(put(VALUES, key, value));
        }
      }
      commit(store, changes.toArray(new Change[0]));
      if (round == 20) {
        store = reopen();
      }
    }
    assertEquals(expected.toString(), all(store, VALUES).toString());
  }

  // For these tests and those of the implementations

  protected static Change put(StoreCollection collection, String key, String value) {
    return Change.put(collection, Bytes.fromHex(key), Bytes.fromHex(value));
  }

  protected static Change delete(StoreCollection collection, String key) {
    return Change.delete(collection, Bytes.fromHex(key));
  }

  protected static String hex(int number) {
    return String.format("%08x", number);
  }

  /** Commits, and says what came of it. */
  protected static CompletableFuture<Outcome<Batch>> start(Store store, Change... changes) {
    CompletableFuture<Outcome<Batch>> outcome = new CompletableFuture<>();
    store.commit(Batch.of(changes), into(outcome));
    return outcome;
  }

  /** Commits, and waits until it is durable. */
  protected final void commit(Store store, Change... changes) {
    assertEquals(null, await(start(store, changes)).failure());
  }

  protected static CompletableFuture<Outcome<Page>> read(
      Store store, StoreCollection collection, Bytes after) {
    CompletableFuture<Outcome<Page>> outcome = new CompletableFuture<>();
    store.read(collection, after, into(outcome));
    return outcome;
  }

  /** All pages of a collection, in hexadecimal. */
  protected final Map<String, String> all(Store store, StoreCollection collection) {
    Map<String, String> all = new LinkedHashMap<>();
    Bytes after = Bytes.EMPTY;
    while (true) {
      Outcome<Page> outcome = await(read(store, collection, after));
      assertEquals(null, outcome.failure());
      for (Page.Entry entry : outcome.value().entries()) {
        all.put(entry.key().hex(), entry.value().hex());
        after = entry.key();
      }
      if (outcome.value().isLast()) {
        return all;
      }
    }
  }

  protected static <T> StoreCompletion<T> into(CompletableFuture<Outcome<T>> outcome) {
    return new StoreCompletion<>() {
      @Override
      public void succeeded(T value) {
        assertTrue(outcome.complete(new Outcome<>(value, null)));
      }

      @Override
      public void failed(StoreFailure failure) {
        assertTrue(outcome.complete(new Outcome<>(null, failure)));
      }
    };
  }
}
