package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreContract;
import dev.troupe.actors.store.StoreFailure.Kind;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SimulatedStoreTest extends StoreContract {

  private SimulatedSystem system;
  private SimulatedNetwork network;
  private SimulatedWorld machine;
  private StoreSettings settings;
  private Store last;

  @AfterEach
  void close() {
    if (system != null) {
      system.close();
    }
  }

  @Override
  protected Store create(StoreSettings wanted) {
    return create(1, wanted);
  }

  private Store create(long seed, StoreSettings wanted) {
    close();
    system = SimulatedSystem.create(seed, Order.RANDOM);
    network = new SimulatedNetwork(system);
    machine = network.machine("m");
    settings = wanted.withDirectory("data");
    return openNow();
  }

  @Override
  protected Store reopen() {
    CompletableFuture<Boolean> closed = new CompletableFuture<>();
    last.close(() -> closed.complete(true));
    await(closed);
    return openNow();
  }

  @Override
  protected Store crash() {
    network.crash(machine);
    network.restart(machine);
    return openNow();
  }

  @Override
  protected <T> T await(CompletableFuture<T> future) {
    system.runUntil(future::isDone, Duration.ofMinutes(1));
    return future.getNow(null);
  }

  @Test
  void aCrashLosesWhatWasNotSyncedAndNotAlwaysAllOfIt() {
    Set<Integer> survivors = new LinkedHashSet<>();
    for (long seed = 0; seed < 20; seed++) {
      Store store = create(seed, ROOMY);
      commit(store, put(StoreCollection.VALUES, "01", "02"));
      for (int i = 0; i < 10; i++) {
        start(store, put(StoreCollection.VALUES, hex(i), "03"));
        system.advance(Duration.ofMillis(1));
      }
      survivors.add(all(crash(), StoreCollection.VALUES).size());
    }
    assertTrue(survivors.size() > 3, survivors.toString());
    assertTrue(survivors.stream().allMatch(size -> size >= 1), survivors.toString());
  }

  @Test
  void aCrashLosesAllThatWaitedForTheNextSync() {
    Store store = create(ROOMY);
    CompletableFuture<Outcome<Batch>> first = start(store, put(StoreCollection.VALUES, "01", "02"));
    start(store, put(StoreCollection.VALUES, "02", "02"));
    Store after = crash();
    system.advance(Duration.ofSeconds(1));
    assertTrue(!first.isDone(), "somebody was told after the crash");
    assertTrue(all(after, StoreCollection.VALUES).size() <= 1);
  }

  @Test
  void aFullDiskRefusesAndWhatIsThereIsReadAllTheSame() {
    Store store = create(ROOMY);
    commit(store, put(StoreCollection.VALUES, "01", "02"));
    network.failDisk(machine, Kind.FULL);
    assertEquals(
        Kind.FULL, await(start(store, put(StoreCollection.VALUES, "02", "02"))).failure().kind());
    assertEquals("{01=02}", all(store, StoreCollection.VALUES).toString());
    network.calm();
    commit(store, put(StoreCollection.VALUES, "02", "02"));
    assertEquals(2, all(store, StoreCollection.VALUES).size());
  }

  @Test
  void whoMayNotOpenItIsToldWhy() {
    create(ROOMY);
    assertEquals(Kind.IN_USE, tryToOpen(peer(1)).failure().kind());
    CompletableFuture<Boolean> closed = new CompletableFuture<>();
    last.close(() -> closed.complete(true));
    await(closed);
    assertEquals(Kind.OTHER_OWNER, tryToOpen(peer(2)).failure().kind());
    network.damageDisk(machine);
    assertEquals(Kind.DAMAGED, tryToOpen(peer(1)).failure().kind());
  }

  @Test
  void tooMuchThatWaitsIsRefused() {
    Store store = create(ROOMY.withMaxWaiting(2));
    CompletableFuture<Outcome<Batch>> first = start(store, put(StoreCollection.VALUES, "01", "02"));
    start(store, put(StoreCollection.VALUES, "02", "02"));
    assertEquals(
        Kind.BUSY, await(start(store, put(StoreCollection.VALUES, "03", "02"))).failure().kind());
    assertEquals(null, await(first).failure());
    assertEquals(2, all(store, StoreCollection.VALUES).size());
  }

  @Test
  void theBytesThatWaitAreBoundedToo() {
    Store store = create(ROOMY);
    Bytes large = Bytes.wrap(new byte[Store.MAX_VALUE]);
    int accepted = 0;
    CompletableFuture<Outcome<Batch>> outcome;
    do {
      outcome =
          start(store, Change.put(StoreCollection.VALUES, Bytes.fromHex(hex(accepted)), large));
      accepted++;
    } while (!outcome.isDone());
    assertEquals(Kind.BUSY, outcome.getNow(null).failure().kind());
    assertEquals(Store.MAX_WAITING_BYTES / Store.MAX_VALUE, accepted - 1, 1);
  }

  private Store openNow() {
    Outcome<Store> outcome = tryToOpen(peer(1));
    assertEquals(null, outcome.failure());
    return outcome.value();
  }

  private Outcome<Store> tryToOpen(PeerId owner) {
    CompletableFuture<Outcome<Store>> outcome = new CompletableFuture<>();
    machine.openStore(settings, owner, into(outcome));
    Outcome<Store> opened = await(outcome);
    if (opened.value() != null) {
      last = opened.value();
    }
    return opened;
  }

  private static PeerId peer(int number) {
    byte[] seed = new byte[32];
    seed[0] = (byte) number;
    return PrivateKey.fromSeed(new PortableCrypto(), seed).peerId();
  }
}
