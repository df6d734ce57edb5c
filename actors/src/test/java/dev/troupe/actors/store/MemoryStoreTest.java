package dev.troupe.actors.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.troupe.protocol.Bytes;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class MemoryStoreTest extends StoreContract {

  private MemoryStore last;

  @Override
  protected Store create(StoreSettings settings) {
    last = new MemoryStore(settings);
    return last;
  }

  @Override
  protected Store reopen() {
    last.close(() -> {});
    last = last.reopened();
    return last;
  }

  @Override
  protected Store crash() {
    last = last.reopened();
    return last;
  }

  @Override
  protected <T> T await(CompletableFuture<T> future) {
    return future.getNow(null);
  }

  @Test
  void noStoreKeepsNothingAndSaysSo() {
    assertFalse(Store.NONE.keeps());
    assertEquals(
        1,
        await(start(Store.NONE, put(StoreCollection.VALUES, "01", "02"))).value().changes().size());
    assertEquals(
        new Page(List.of(), true),
        await(read(Store.NONE, StoreCollection.VALUES, Bytes.EMPTY)).value());
    CompletableFuture<Boolean> closed = new CompletableFuture<>();
    Store.NONE.close(() -> closed.complete(true));
    assertEquals(true, await(closed));
  }

  @Test
  void settingsRefuseLimitsThatLeaveNothing() {
    assertThrows(IllegalArgumentException.class, () -> StoreSettings.DEFAULT.withMaxBytes(0));
    assertThrows(IllegalArgumentException.class, () -> StoreSettings.DEFAULT.withMaxWaiting(0));
    assertFalse(StoreSettings.DEFAULT.isPresent());
  }
}
