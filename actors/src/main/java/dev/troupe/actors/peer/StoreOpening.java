package dev.troupe.actors.peer;

import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A store on its way to the peer: called off before it is taken, it is closed. */
final class StoreOpening implements StoreCompletion<Store> {

  private final Consumer<Store> opened;
  private final Consumer<StoreFailure> refused;
  private final AtomicBoolean settled = new AtomicBoolean();
  private volatile @Nullable Store store;
  private volatile boolean over;
  private volatile Runnable closed = () -> {};

  /** Either of both is told, unless it is called off before. */
  StoreOpening(Consumer<Store> opened, Consumer<StoreFailure> refused) {
    this.opened = opened;
    this.refused = refused;
  }

  /** From now on the store is the caller's; false if it has been called off before. */
  boolean take() {
    return settled.compareAndSet(false, true);
  }

  /**
   * Nobody wants it any more.
   *
   * @param told when nothing of it is left
   */
  void callOff(Runnable told) {
    closed = told;
    if (!settled.compareAndSet(false, true)) {
      return;
    }
    Store there = store;
    if (there != null) {
      there.close(told);
    } else if (over) {
      told.run();
    }
  }

  @Override
  public void succeeded(Store there) {
    store = there;
    if (settled.get()) {
      there.close(closed);
    } else {
      opened.accept(there);
    }
  }

  @Override
  public void failed(StoreFailure failure) {
    over = true;
    if (settled.get()) {
      closed.run();
    } else {
      refused.accept(failure);
    }
  }
}
