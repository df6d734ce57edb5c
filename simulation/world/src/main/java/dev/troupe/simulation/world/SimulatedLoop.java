package dev.troupe.simulation.world;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.simulation.kernel.SerialExecutor;
import java.time.Duration;

/** One event loop of a machine. What is left of it after a crash does not run. */
final class SimulatedLoop implements EventLoop {

  private final SimulatedNetwork network;
  private final SimulatedWorld machine;
  private final int incarnation;
  private final SerialExecutor executor;
  private boolean running;

  SimulatedLoop(SimulatedNetwork network, SimulatedWorld machine, String what) {
    this.network = network;
    this.machine = machine;
    this.incarnation = machine.incarnation();
    this.executor = network.system().serialExecutor(what + " of " + machine.name());
  }

  boolean isDead() {
    return machine.incarnation() != incarnation;
  }

  @Override
  public boolean inLoop() {
    return running;
  }

  @Override
  public void execute(Runnable task) {
    executor.execute(() -> run(task));
  }

  /** Runs what the network brings. */
  void arrive(Runnable task) {
    executor.arrive(() -> run(task));
  }

  private void run(Runnable task) {
    if (isDead()) {
      return;
    }
    running = true;
    try {
      task.run();
    } finally {
      running = false;
    }
  }

  @Override
  public long nanos() {
    return network.system().now();
  }

  @Override
  public Cancellable schedule(long delayNanos, Runnable task) {
    boolean[] over = {false};
    org.apache.pekko.actor.Cancellable timer =
        network
            .system()
            .schedule(
                Duration.ofNanos(Math.max(0, delayNanos)),
                () ->
                    execute(
                        () -> {
                          if (!over[0]) {
                            over[0] = true;
                            task.run();
                          }
                        }));
    return () -> {
      over[0] = true;
      timer.cancel();
    };
  }
}
