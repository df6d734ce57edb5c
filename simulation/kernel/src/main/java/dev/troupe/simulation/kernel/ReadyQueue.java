package dev.troupe.simulation.kernel;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** What is ready to run now, in one of the two orders. */
abstract class ReadyQueue {

  static ReadyQueue of(Order order, RandomGenerator random) {
    return order == Order.FIFO ? new Fifo() : new Shuffled(random);
  }

  abstract void add(Runnable task);

  abstract @Nullable Runnable poll();

  abstract int size();

  private static final class Fifo extends ReadyQueue {
    private final Queue<Runnable> tasks = new ArrayDeque<>();

    @Override
    void add(Runnable task) {
      tasks.add(task);
    }

    @Override
    @Nullable Runnable poll() {
      return tasks.poll();
    }

    @Override
    int size() {
      return tasks.size();
    }
  }

  private static final class Shuffled extends ReadyQueue {
    private final List<Runnable> tasks = new ArrayList<>();
    private final RandomGenerator random;

    Shuffled(RandomGenerator random) {
      this.random = random;
    }

    @Override
    void add(Runnable task) {
      tasks.add(task);
    }

    @Override
    @Nullable Runnable poll() {
      int size = tasks.size();
      if (size == 0) {
        return null;
      }
      Runnable last = tasks.remove(size - 1);
      if (size == 1) {
        return last;
      }
      int drawn = random.nextInt(size);
      return drawn == size - 1 ? last : tasks.set(drawn, last);
    }

    @Override
    int size() {
      return tasks.size();
    }
  }
}
