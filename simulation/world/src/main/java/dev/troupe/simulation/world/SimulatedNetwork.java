package dev.troupe.simulation.world;

import dev.troupe.actors.store.StoreFailure;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.noise.NoiseTransport;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A network of simulated machines on the virtual time and the seed of one {@link SimulatedSystem},
 * with the faults that a test asks for. Not thread-safe: it belongs to the thread of the system.
 *
 * <p>Each machine has an IPv4 address from 10.0.0.1 on, an IPv6 address from fd00::1 on, loopback
 * addresses, and its own name for {@code /dns4} and its like. {@code /memory/N} reaches every
 * machine. Somebody who dials an address of no machine hears nothing, ever; a port where nobody
 * listens refuses.
 */
public final class SimulatedNetwork {

  private static final Bottleneck FREE = new Bottleneck();

  /** What goes from one machine to another. */
  private record Way(String from, String to) {
    static Way of(SimulatedWorld from, SimulatedWorld to) {
      return new Way(from.name(), to.name());
    }
  }

  private record Pair(String one, String other) {
    static Pair of(SimulatedWorld a, SimulatedWorld b) {
      return a.name().compareTo(b.name()) <= 0
          ? new Pair(a.name(), b.name())
          : new Pair(b.name(), a.name());
    }
  }

  /** Two regions, in either order. */
  private record Regions(String one, String other) {
    static Regions of(String a, String b) {
      return a.compareTo(b) <= 0 ? new Regions(a, b) : new Regions(b, a);
    }
  }

  /** A latency and what comes on top of it, in nanoseconds. */
  private record Distance(long latency, long jitter) {}

  private final SimulatedSystem system;
  private final NetworkSettings settings;
  private final Crypto crypto = new RememberingCrypto(new PortableCrypto());
  private final RandomGenerator jitter;
  private final RandomGenerator losses;
  private final RandomSource keyMaterial;
  private final ByteBuffer scratch = ByteBuffer.allocate(NoiseTransport.MAX_PLAINTEXT);
  private final Map<String, SimulatedWorld> machines = new LinkedHashMap<>();
  private final Map<String, SimulatedWorld> byIp = new LinkedHashMap<>();
  private final Map<String, List<String>> texts = new LinkedHashMap<>();
  private int addresses;
  private final Map<Pair, Long> latencies = new LinkedHashMap<>();
  private final Map<Pair, Long> drawn = new LinkedHashMap<>();
  private final Map<SimulatedWorld, String> regions = new LinkedHashMap<>();
  private final Map<Regions, Distance> distances = new LinkedHashMap<>();
  private final Map<Way, Bottleneck> lines = new LinkedHashMap<>();
  private final Map<Pair, Loss> losing = new LinkedHashMap<>();
  private Loss loss = Loss.NONE;
  private int changes;
  private final Map<Way, Long> partedSince = new LinkedHashMap<>();
  private final Set<Way> held = new LinkedHashSet<>();
  private final Set<Pipe> stalled = new LinkedHashSet<>();
  private final Set<SimulatedConnection> connections = new LinkedHashSet<>();
  private final NavigableMap<Long, Listening> memory = new TreeMap<>();
  private final Traffic traffic = new Traffic();
  private final SharedBuffer linkBuffer = new SharedBuffer();
  private final Walks walks = new Walks();

  /** A network with the default settings. */
  public SimulatedNetwork(SimulatedSystem system) {
    this(system, NetworkSettings.DEFAULT);
  }

  /** A network. */
  public SimulatedNetwork(SimulatedSystem system, NetworkSettings settings) {
    this.system = system;
    this.settings = settings;
    this.jitter = system.newRandom("network/jitter");
    this.losses = system.newRandom("network/losses");
    RandomGenerator keys = system.newRandom("network/keys");
    this.keyMaterial = keys::nextBytes;
  }

  /**
   * The TXT records of a name, from now on; the name servers of all machines know them at once.
   *
   * @param name such as {@code _dnsaddr.example.org}
   * @param records none: there is no such name
   */
  public void setText(String name, String... records) {
    texts.put(name, List.of(records));
  }

  List<String> text(String name) {
    return texts.getOrDefault(name, List.of());
  }

  /** The machine of this name, made on first use: the world that its peers live in. */
  public SimulatedWorld machine(String name) {
    SimulatedWorld known = machines.get(name);
    if (known != null) {
      return known;
    }
    SimulatedWorld machine = new SimulatedWorld(this, name);
    machines.put(name, machine);
    giveAddress(machine);
    return machine;
  }

  private void giveAddress(SimulatedWorld machine) {
    int number = ++addresses;
    String ip4 = "10." + (number >> 16 & 255) + "." + (number >> 8 & 255) + "." + (number & 255);
    String ip6 = "fd00::" + Integer.toHexString(number);
    byIp.put(ip4, machine);
    byIp.put(ip6, machine);
    machine.moveTo(ip4, ip6);
  }

  // --- faults
  // ---------------------------------------------------------------------------------------

  /** Sets the one-way latency between two machines; jitter comes on top. */
  public void latency(SimulatedWorld a, SimulatedWorld b, Duration latency) {
    latencies.put(Pair.of(a, b), latency.toNanos());
    changes++;
  }

  /**
   * Puts a machine into a region: where nothing is said of a pair of machines itself, the {@link
   * #latency(String, String, Duration, Duration)} between their regions holds.
   */
  public void region(SimulatedWorld machine, String region) {
    regions.put(machine, region);
    changes++;
  }

  /**
   * Sets the one-way latency between two regions, or within one, and what each parcel may take
   * longer. Regions of which nothing is said are as far apart as machines without a region.
   */
  public void latency(String a, String b, Duration latency, Duration jitter) {
    distances.put(Regions.of(a, b), new Distance(latency.toNanos(), jitter.toNanos()));
    changes++;
  }

  /**
   * How many bytes a virtual second a machine sends and reads, to and from all others together; 0
   * for no limit. Parcels queue, one after the other, each with 40 bytes of headers. A machine that
   * reads slowly fills the windows of those who send to it.
   */
  public void bandwidth(SimulatedWorld machine, long outbound, long inbound) {
    machine.outbound().limit(outbound);
    machine.inbound().limit(inbound);
  }

  /** How many bytes a virtual second pass between two machines, in each direction; 0: no limit. */
  public void bandwidth(SimulatedWorld a, SimulatedWorld b, long bytesPerSecond) {
    line(Way.of(a, b)).limit(bytesPerSecond);
    line(Way.of(b, a)).limit(bytesPerSecond);
  }

  private Bottleneck line(Way way) {
    return lines.computeIfAbsent(
        way,
        made -> {
          changes++;
          return new Bottleneck();
        });
  }

  /** A machine reads nothing for a time; what comes waits, and nobody gives up for it. */
  public void stopReading(SimulatedWorld machine, Duration length) {
    machine.inbound().close(Math.addExact(system.now(), length.toNanos()));
  }

  /** What goes wrong by chance between any two machines of which nothing else is said. */
  public void loss(Loss everywhere) {
    loss = everywhere;
    changes++;
  }

  /** What goes wrong by chance between two machines. */
  public void loss(SimulatedWorld a, SimulatedWorld b, Loss between) {
    losing.put(Pair.of(a, b), between);
    changes++;
  }

  /**
   * Sets a machine's wall clock: so much later than true time, and so many seconds more with each
   * true second. Its monotonic ticker and its timers stay true.
   */
  public void skew(SimulatedWorld machine, Duration offset, double drift) {
    machine.skew(offset, drift);
  }

  /**
   * A machine gets another IPv4 and another IPv6 address, and loses those it had. Who listens at
   * all addresses listens at the new ones; who listens at the old one is not reached there any
   * more, and does not notice. Connections to other machines fall silent at both ends. Its name
   * leads to the new address at once.
   *
   * <p>A simulated host notices and tells its peers, those it is still connected to; the built-in
   * host, which asks its links where they listen, tells the peers that it meets from now on.
   */
  public void changeAddress(SimulatedWorld machine) {
    byIp.values().removeIf(machine::equals);
    giveAddress(machine);
    for (SimulatedConnection connection : List.copyOf(connections)) {
      if (connection.isOn(machine) != connection.isTo(machine)) {
        connection.suspect();
      }
    }
  }

  /**
   * The disk of a machine refuses what is to be written from now on: with {@link
   * StoreFailure.Kind#FULL} or whatever is said; null ends it. What is on it remains readable.
   */
  public void failDisk(SimulatedWorld machine, StoreFailure.@Nullable Kind failure) {
    machine.disk().failWith(failure);
  }

  /** What is on a machine's disk cannot be read any more when it is opened the next time. */
  public void damageDisk(SimulatedWorld machine) {
    machine.disk().damage();
  }

  /**
   * Ends all faults that last: partitions, holds, loss, limits of bandwidth, wrong clocks, full
   * disks. Crashed machines stay crashed, latencies and addresses as they are.
   */
  public void calm() {
    loss = Loss.NONE;
    losing.clear();
    lines.values().forEach(Bottleneck::free);
    machines.values().forEach(SimulatedWorld::calm);
    changes++;
    held.clear();
    repair();
  }

  /**
   * Parts each machine of one side from each of the other. What is sent across waits; connections
   * across are given up, by each end for itself, when the partition lasts longer than {@link
   * NetworkSettings#silence()}.
   */
  public void partition(Collection<SimulatedWorld> side, Collection<SimulatedWorld> other) {
    cut(side, other);
    cut(other, side);
    suspect(side, other);
  }

  /**
   * As {@link #partition}, in one direction only: what these send to those does not arrive, and the
   * other way round all does. Connections need both ways, and are given up as well.
   */
  public void partitionOneWay(Collection<SimulatedWorld> from, Collection<SimulatedWorld> to) {
    cut(from, to);
    suspect(from, to);
  }

  private void cut(Collection<SimulatedWorld> from, Collection<SimulatedWorld> to) {
    for (SimulatedWorld a : from) {
      for (SimulatedWorld b : to) {
        if (a != b) {
          partedSince.putIfAbsent(Way.of(a, b), system.now());
        }
      }
    }
  }

  private void suspect(Collection<SimulatedWorld> side, Collection<SimulatedWorld> other) {
    for (SimulatedConnection connection : List.copyOf(connections)) {
      if (connection.isAcross(side, other)) {
        connection.suspect();
      }
    }
  }

  /**
   * Keeps all that one machine sends to another on its way, for as long as it takes; nobody gives a
   * connection up for it.
   */
  public void hold(SimulatedWorld from, SimulatedWorld to) {
    held.add(Way.of(from, to));
  }

  /** Lets go what {@link #hold} keeps: it arrives, in order. */
  public void release(SimulatedWorld from, SimulatedWorld to) {
    if (held.remove(Way.of(from, to))) {
      resumeStalled();
    }
  }

  /** Parts one machine from all others that there are now. */
  public void isolate(SimulatedWorld machine) {
    List<SimulatedWorld> others = new ArrayList<>(machines.values());
    others.remove(machine);
    partition(List.of(machine), others);
  }

  /** Ends all partitions: what waited arrives. */
  public void repair() {
    partedSince.clear();
    resumeStalled();
  }

  private void resumeStalled() {
    List<Pipe> resumed = List.copyOf(stalled);
    stalled.clear();
    resumed.forEach(Pipe::resume);
  }

  /**
   * The power of a machine fails: its hosts and stores fall silent without a word, and call nothing
   * back any more; what was not synced is lost. Their actors do not know: stop them as well.
   */
  public void crash(SimulatedWorld machine) {
    machine.crash();
    for (SimulatedConnection connection : List.copyOf(connections)) {
      if (connection.isOn(machine)) {
        connections.remove(connection);
      } else if (connection.isTo(machine)) {
        connection.suspect();
      }
    }
  }

  /** The power of a crashed machine returns; its hosts are gone, new ones may be created. */
  public void restart(SimulatedWorld machine) {
    machine.restart();
  }

  /**
   * What is still open on a machine: its ends of connections and its listeners. Links of the
   * built-in host are not counted.
   */
  public long openOn(SimulatedWorld machine) {
    return connections.stream().filter(connection -> connection.isOn(machine)).count()
        + machine.listening();
  }

  /** The buffer that links write into. */
  SharedBuffer linkBuffer() {
    return linkBuffer;
  }

  /** What has been sent so far, by protocol. */
  public Traffic traffic() {
    return traffic;
  }

  /** The walks of all DHTs so far. */
  public Walks walks() {
    return walks;
  }

  // --- for its parts
  // --------------------------------------------------------------------------------

  SimulatedSystem system() {
    return system;
  }

  NetworkSettings settings() {
    return settings;
  }

  /** What every machine of the network computes with. */
  public Crypto crypto() {
    return crypto;
  }

  /** One for all loops: tasks of two loops never run at the same time. */
  ByteBuffer scratch() {
    return scratch.clear();
  }

  RandomSource keyMaterial() {
    return keyMaterial;
  }

  /** Counts the changes of conditions: what was kept from before one is out of date. */
  int changes() {
    return changes;
  }

  /** How it is now on the way from one machine to another. */
  Conditions conditions(SimulatedWorld from, SimulatedWorld to) {
    if (from == to) {
      return new Conditions(settings.localLatency().toNanos(), 0, FREE, Loss.NONE);
    }
    Distance distance = distance(from, to);
    return new Conditions(
        distance.latency(),
        distance.jitter(),
        lines.getOrDefault(Way.of(from, to), FREE),
        losing.getOrDefault(Pair.of(from, to), loss));
  }

  private Distance distance(SimulatedWorld from, SimulatedWorld to) {
    long usual = settings.jitter().toNanos();
    String here = regions.get(from);
    String there = regions.get(to);
    if (here != null && there != null && !latencies.containsKey(Pair.of(from, to))) {
      Distance between = distances.get(Regions.of(here, there));
      if (between != null) {
        return between;
      }
    }
    return new Distance(latency(from, to), usual);
  }

  private long latency(SimulatedWorld from, SimulatedWorld to) {
    Pair between = Pair.of(from, to);
    Long set = latencies.get(between);
    if (set != null) {
      return set;
    }
    return drawn.computeIfAbsent(
        between,
        pair -> {
          long min = settings.minLatency().toNanos();
          long span = settings.maxLatency().toNanos() - min;
          RandomGenerator own =
              system.newRandom("network/latency/" + pair.one() + "/" + pair.other());
          return span == 0 ? min : min + own.nextLong(span + 1);
        });
  }

  /** What a parcel takes longer, in nanoseconds, up to so much. */
  long drawJitter(long most) {
    return most == 0 ? 0 : jitter.nextLong(most + 1);
  }

  /** Whether something that happens to this part of all happens now. */
  boolean draw(double part) {
    return part > 0 && losses.nextDouble() < part;
  }

  /** Whether a dial gets no answer, by bad luck. */
  boolean losesDial(SimulatedWorld from, SimulatedWorld to) {
    return draw(conditions(from, to).loss().dial());
  }

  /** How long something lasts, in nanoseconds, up to so long. */
  long drawUpTo(long most) {
    return losses.nextLong(most + 1);
  }

  /** Whether what one machine sends does not arrive at another now. */
  boolean isStopped(SimulatedWorld from, SimulatedWorld to) {
    if (partedSince.isEmpty() && held.isEmpty()) {
      return false;
    }
    Way way = Way.of(from, to);
    return partedSince.containsKey(way) || held.contains(way);
  }

  /** Since when two machines have been parted without a break, in a direction or both, or -1. */
  long partedSince(SimulatedWorld a, SimulatedWorld b) {
    Long one = partedSince.get(Way.of(a, b));
    Long other = partedSince.get(Way.of(b, a));
    if (one == null || other == null) {
      return one != null ? one : other != null ? other : -1;
    }
    return Math.min(one, other);
  }

  void stall(Pipe pipe) {
    stalled.add(pipe);
  }

  void opened(SimulatedConnection connection) {
    connections.add(connection);
  }

  void ended(SimulatedConnection connection) {
    connections.remove(connection);
  }

  @Nullable SimulatedWorld machineAt(String ip) {
    return byIp.get(ip);
  }

  @Nullable SimulatedWorld machineNamed(String name) {
    return machines.get(name);
  }

  NavigableMap<Long, Listening> memory() {
    return memory;
  }
}
