package dev.troupe.simulation.world;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * One direction between two machines for one link: parcels arrive after the latency of the pair, in
 * the order sent. What meets a partition waits for its repair, as TCP would send it again; what
 * meets a crashed machine is lost.
 */
final class Pipe {

  private record Parcel(long arrival, String what, long size, Runnable delivery) {}

  /** For the trace. */
  private record Arrived(String from, String to, String what, long size) {}

  private final SimulatedNetwork network;
  private final SimulatedWorld from;
  private final SimulatedWorld to;
  private final Queue<Parcel> underWay = new ArrayDeque<>();
  private long lastArrival;
  private long latency;
  private int latencyChanges = -1;

  Pipe(SimulatedNetwork network, SimulatedWorld from, SimulatedWorld to) {
    this.network = network;
    this.from = from;
    this.to = to;
  }

  /** Sends something whose arrival runs {@code delivery}. */
  void send(String what, long size, Runnable delivery) {
    if (from.isDown()) {
      return;
    }
    long now = network.system().now();
    lastArrival = Math.max(lastArrival, now + drawLatency());
    underWay.add(new Parcel(lastArrival, what, size, delivery));
    network.system().arrange(Duration.ofNanos(lastArrival - now), this::arrive);
  }

  private long drawLatency() {
    if (latencyChanges != network.latencyChanges()) {
      latencyChanges = network.latencyChanges();
      latency = network.latency(from, to);
    }
    return from == to ? latency : latency + network.drawJitter();
  }

  private void arrive() {
    if (underWay.isEmpty()) {
      return;
    }
    if (network.isStopped(from, to)) {
      network.stall(this);
      return;
    }
    long now = network.system().now();
    while (!underWay.isEmpty() && underWay.element().arrival() <= now) {
      Parcel parcel = underWay.remove();
      if (!to.isDown()) {
        network.system().record(new Arrived(from.name(), to.name(), parcel.what(), parcel.size()));
        parcel.delivery().run();
      }
    }
  }

  /** The partition is over: what waited is sent again. */
  void resume() {
    long delay = drawLatency();
    lastArrival = Math.max(lastArrival, network.system().now() + delay);
    network.system().arrange(Duration.ofNanos(delay), this::arrive);
  }
}
