package dev.troupe.simulation.world;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * One direction between two machines for one link: parcels leave one after the other as the
 * sender's bandwidth allows, arrive after the latency of the pair in the order sent, and are read
 * as the receiver's bandwidth allows. What meets a partition waits for its repair, as TCP would
 * send it again; what meets a crashed machine, or an address that its machine has no more, is lost.
 */
final class Pipe {

  /** What a parcel costs besides its content, in bytes: the headers of IP and TCP. */
  private static final int HEADERS = 40;

  private static final class Parcel {
    final String what;
    final long size;
    final int digest;
    final Runnable delivery;
    long arrival;
    boolean read;

    Parcel(String what, long size, int digest, Runnable delivery) {
      this.what = what;
      this.size = size;
      this.digest = digest;
      this.delivery = delivery;
    }
  }

  /** For the trace. */
  private record Arrived(String from, String to, String what, long size, int digest) {}

  private final SimulatedNetwork network;
  private final SimulatedWorld from;
  private final SimulatedWorld to;
  private final int life;
  private final int addresses;

  /** What has not left yet; its first is leaving. */
  private final Queue<Parcel> waiting = new ArrayDeque<>(1);

  private final Queue<Parcel> underWay = new ArrayDeque<>(1);
  private long lastDeparture = -1;
  private long lastArrival;
  private @Nullable Conditions conditions;
  private int changes;
  private @Nullable Runnable nearLost;
  private @Nullable Runnable farLost;
  private boolean lost;

  Pipe(SimulatedNetwork network, SimulatedWorld from, SimulatedWorld to) {
    this.network = network;
    this.from = from;
    this.to = to;
    this.life = from.incarnation();
    this.addresses = addressChanges();
  }

  /** From now on it carries a connection that may be lost: how each end learns of that. */
  void carries(Runnable nearEndLost, Runnable farEndLost) {
    nearLost = nearEndLost;
    farLost = farEndLost;
  }

  /** Whether an end has another address by now: nothing arrives any more. */
  boolean isStale() {
    return addresses != addressChanges();
  }

  private int addressChanges() {
    return from == to ? 0 : from.addressChanges() + to.addressChanges();
  }

  /** Sends something without content whose arrival runs {@code delivery}. */
  void send(String what, Runnable delivery) {
    send(what, 0, 0, delivery);
  }

  /**
   * Sends something whose arrival runs {@code delivery}.
   *
   * @param digest of its content, for the trace
   */
  void send(String what, long size, int digest, Runnable delivery) {
    if (from.isDown() || lost || isStale()) {
      return;
    }
    Runnable near = nearLost;
    Runnable far = farLost;
    if (near != null && far != null && network.draw(conditions().loss().connection())) {
      lost = true;
      near.run();
      leave(new Parcel("lost", 0, 0, far));
    } else {
      leave(new Parcel(what, size, digest, delivery));
    }
  }

  // --- leaving

  private void leave(Parcel parcel) {
    waiting.add(parcel);
    if (waiting.size() == 1) {
      leaveNext();
    }
  }

  private void leaveNext() {
    while (!waiting.isEmpty()) {
      long now = network.system().now();
      long bytes = waiting.element().size + HEADERS;
      long gone =
          from == to ? now : conditions().line().pass(from.outbound().pass(now, bytes), bytes);
      if (gone > now) {
        network.system().arrange(Duration.ofNanos(gone - now), this::hasLeft);
        return;
      }
      travel(waiting.remove());
    }
  }

  private void hasLeft() {
    if (from.incarnation() != life) {
      waiting.clear(); // it had not left when the power failed
      return;
    }
    travel(waiting.remove());
    leaveNext();
  }

  // --- under way

  /** What leaves at the same instant travels together, as one segment. */
  private void travel(Parcel parcel) {
    long now = network.system().now();
    if (now == lastDeparture && !underWay.isEmpty()) {
      parcel.arrival = lastArrival;
      underWay.add(parcel);
      return;
    }
    lastDeparture = now;
    lastArrival = Math.max(lastArrival, now + drawLatency());
    if (network.draw(conditions().loss().stall())) {
      lastArrival += network.drawUpTo(conditions().loss().longestStall().toNanos());
    }
    parcel.arrival = lastArrival;
    underWay.add(parcel);
    network.system().arrange(Duration.ofNanos(lastArrival - now), this::arrive);
  }

  private Conditions conditions() {
    Conditions known = conditions;
    if (known == null || changes != network.changes()) {
      changes = network.changes();
      known = network.conditions(from, to);
      conditions = known;
    }
    return known;
  }

  private long drawLatency() {
    Conditions now = conditions();
    return now.latency() + network.drawJitter(now.jitter());
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
    while (!underWay.isEmpty() && underWay.element().arrival <= now) {
      Parcel parcel = underWay.element();
      if (from != to && !parcel.read) {
        parcel.read = true;
        parcel.arrival = to.inbound().pass(now, parcel.size + HEADERS);
        if (parcel.arrival > now) {
          network.system().arrange(Duration.ofNanos(parcel.arrival - now), this::arrive);
          return;
        }
      }
      underWay.remove();
      if (!to.isDown() && !isStale()) {
        network
            .system()
            .record(new Arrived(from.name(), to.name(), parcel.what, parcel.size, parcel.digest));
        parcel.delivery.run();
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
