package dev.troupe.simulation.world;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.Ticker;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multiaddr.Protocol;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** One machine of a {@link SimulatedNetwork}: the world of the peers that run on it. */
public final class SimulatedWorld implements World {

  private static final int FIRST_FREE_PORT = 49_152;

  /** How long a name server takes to answer. */
  public static final Duration NAME_LATENCY = Duration.ofMillis(20);

  private static final int LAST_PORT = 65_535;

  private final SimulatedNetwork network;
  private final String name;
  private final SimulatedDisk disk;
  private final Bottleneck outbound = new Bottleneck();
  private final Bottleneck inbound = new Bottleneck();
  private String ip4 = "";
  private String ip6 = "";
  private final List<SimulatedHost> hosts = new ArrayList<>();
  private final Map<Endpoint, Listening> listeners = new LinkedHashMap<>();

  /** Those of the endpoints that were bound because all addresses were asked for. */
  private final Set<Endpoint> anywhere = new LinkedHashSet<>();

  private int nextPort = FIRST_FREE_PORT;
  private int hostNumber;
  private boolean down;
  private boolean reachable = true;
  private int incarnation;
  private int addressChanges;
  private long walkedAt = -1;
  private int walkedHops;
  private final InstantSource clock = this::instant;
  private long skewedAt;
  private Duration skew = Duration.ZERO;
  private double drift;

  SimulatedWorld(SimulatedNetwork network, String name) {
    this.network = network;
    this.name = name;
    this.disk = new SimulatedDisk(network.system(), name);
  }

  /** The machine's name, which {@code /dns4} resolves. */
  public String name() {
    return name;
  }

  /** The machine's IPv4 address with a TCP port. */
  public Multiaddr address(int port) {
    return new Endpoint(Protocol.IP4, ip4, port).address();
  }

  /** All IPv4 addresses of a machine, whichever they are, with a TCP port: to listen at. */
  public static Multiaddr anywhere(int port) {
    return new Endpoint(Protocol.IP4, "0.0.0.0", port).address();
  }

  @Override
  public Crypto crypto() {
    return network.crypto();
  }

  @Override
  public RandomSource keyMaterial() {
    return network.keyMaterial();
  }

  @Override
  public RandomGenerator random(PeerId owner, String purpose) {
    // A peer that starts again must not draw again what it drew in its first life.
    String life = hostNumber <= 1 ? "" : "/" + hostNumber;
    return network.system().newRandom("peer/" + owner + "/" + purpose + life);
  }

  @Override
  public Ticker ticker() {
    return network.system()::now;
  }

  @Override
  public InstantSource clock() {
    return clock;
  }

  private Instant instant() {
    long since = network.system().now() - skewedAt;
    return network.system().instant().plus(skew).plusNanos((long) (since * drift));
  }

  @Override
  public void onWalked(int asked, int hops, Duration took) {
    network.walks().add(asked, hops);
    walkedAt = network.system().now();
    walkedHops = hops;
  }

  /**
   * How far the last walk of a DHT led that ended on this machine at an instant; -1 if none did.
   * Whatever is answered at once when a walk is over is told of its walk so, as long as no other
   * ends here in the same nanosecond.
   */
  public int hopsOfWalkAt(long now) {
    return walkedAt == now ? walkedHops : -1;
  }

  @Override
  public Host createHost(PrivateKey identity, HostSettings settings) {
    if (down) {
      throw new IllegalStateException("machine " + name + " has crashed");
    }
    SimulatedHost host =
        new SimulatedHost(network, this, identity, settings, name + "/" + nextHost());
    hosts.add(host);
    return host;
  }

  /** One more host is made on this machine, which with the others makes so many. */
  int nextHost() {
    return ++hostNumber;
  }

  /**
   * A store on the disk of this machine, which survives its crashes: but for what was not synced.
   */
  @Override
  public void openStore(StoreSettings settings, PeerId owner, StoreCompletion<Store> completion) {
    if (down) {
      throw new IllegalStateException("machine " + name + " has crashed");
    }
    disk.open(settings, owner, completion);
  }

  /** The records of {@link SimulatedNetwork#setText}, after {@link #NAME_LATENCY}. */
  @Override
  public Cancellable findText(String asked, Completion<List<String>> completion) {
    List<String> records = network.text(asked);
    boolean[] over = new boolean[1];
    Runnable answer =
        () -> {
          if (over[0]) {
            return;
          }
          over[0] = true;
          if (records.isEmpty()) {
            completion.failed(
                new HostFailure(HostFailure.Kind.UNREACHABLE, "there is no such name"));
          } else {
            completion.succeeded(records);
          }
        };
    if (!down) {
      network.system().schedule(NAME_LATENCY, answer);
    }
    return () -> {
      if (!over[0]) {
        over[0] = true;
        completion.failed(
            new HostFailure(HostFailure.Kind.CANCELLED, "the question was called off"));
      }
    };
  }

  /**
   * This machine as a world whose hosts are the built-in one over simulated links: every byte of
   * multistream, Noise and Yamux is there, for what must be true on the wire. It costs much more
   * than this world, whose hosts have streams only; the two kinds of host do not reach one another.
   */
  public World overLinks() {
    return new WorldOverLinks(network, this);
  }

  /**
   * Whether others can dial this machine. Behind an address translation they cannot: they hear
   * nothing, while it dials whom it likes.
   */
  public void setReachable(boolean reachable) {
    this.reachable = reachable;
  }

  @Override
  public String toString() {
    return name;
  }

  // --- for the network
  // ------------------------------------------------------------------------------

  boolean isDown() {
    return down;
  }

  void crash() {
    down = true;
    incarnation++;
    disk.crash();
    hosts.forEach(SimulatedHost::die);
    hosts.clear();
    listeners.clear();
    anywhere.clear();
    network.memory().values().removeIf(each -> each.machine() == this);
  }

  void restart() {
    down = false;
  }

  void skew(Duration offset, double newDrift) {
    skewedAt = network.system().now();
    skew = offset;
    drift = newDrift;
  }

  void calm() {
    outbound.free();
    inbound.free();
    skew(Duration.ZERO, 0);
    disk.failWith(null);
  }

  SimulatedDisk disk() {
    return disk;
  }

  /** What it sends to others passes here. */
  Bottleneck outbound() {
    return outbound;
  }

  /** What others send to it passes here. */
  Bottleneck inbound() {
    return inbound;
  }

  /** Gives it its addresses, the first or others. */
  void moveTo(String newIp4, String newIp6) {
    String oldIp4 = ip4;
    String oldIp6 = ip6;
    ip4 = newIp4;
    ip6 = newIp6;
    addressChanges++;
    for (Endpoint before : List.copyOf(anywhere)) {
      if (before.place().equals(oldIp4) || before.place().equals(oldIp6)) {
        boolean four = before.kind() == Protocol.IP4;
        Endpoint now = before.at(before.kind(), four ? newIp4 : newIp6);
        Listening listening = Objects.requireNonNull(listeners.remove(before));
        listeners.put(now, listening);
        anywhere.remove(before);
        anywhere.add(now);
        listening.moved(before, now);
      }
    }
  }

  /** Counts how often it got addresses. */
  int addressChanges() {
    return addressChanges;
  }

  void forget(SimulatedHost host) {
    hosts.remove(host);
  }

  /** Counts the crashes: what belongs to an earlier one is dead. */
  int incarnation() {
    return incarnation;
  }

  /**
   * Binds an endpoint, port 0 to any free one; answers all that it means, empty when it is in use
   * or not on this machine.
   */
  List<Endpoint> bind(Endpoint asked, Listening listening) {
    return asked.isMemory() ? bindMemory(asked, listening) : bindIp(asked, listening);
  }

  private List<Endpoint> bindMemory(Endpoint asked, Listening listening) {
    NavigableMap<Long, Listening> memory = network.memory();
    long number = asked.port();
    if (number == 0) {
      number = memory.isEmpty() ? 1 : memory.lastKey() + 1;
    }
    return memory.putIfAbsent(number, listening) == null
        ? List.of(asked.withPort(number))
        : List.of();
  }

  private List<Endpoint> bindIp(Endpoint asked, Listening listening) {
    List<Endpoint> places = interfaces(asked);
    if (places.isEmpty()) {
      return List.of();
    }
    long port = asked.port() == 0 ? freePort(places) : asked.port();
    List<Endpoint> bound = places.stream().map(place -> place.withPort(port)).toList();
    if (port < 0 || bound.stream().anyMatch(listeners::containsKey)) {
      return List.of();
    }
    bound.forEach(endpoint -> listeners.put(endpoint, listening));
    if (asked.isUnspecified()) {
      anywhere.addAll(bound);
    }
    return bound;
  }

  /** The endpoints that listening at one means; empty when it is not on this machine. */
  private List<Endpoint> interfaces(Endpoint asked) {
    if (asked.isUnspecified()) {
      return asked.kind() == Protocol.IP4
          ? List.of(asked.at(Protocol.IP4, ip4), asked.at(Protocol.IP4, "127.0.0.1"))
          : List.of(asked.at(Protocol.IP6, ip6), asked.at(Protocol.IP6, "::1"));
    }
    boolean here = asked.isLoopback() || asked.place().equals(ip4) || asked.place().equals(ip6);
    return here ? List.of(asked) : List.of();
  }

  private int freePort(List<Endpoint> endpoints) {
    for (int tried = FIRST_FREE_PORT; tried <= LAST_PORT; tried++) {
      int port = nextPort();
      if (endpoints.stream().noneMatch(each -> listeners.containsKey(each.withPort(port)))) {
        return port;
      }
    }
    return -1;
  }

  private int nextPort() {
    int port = nextPort;
    nextPort = nextPort == LAST_PORT ? FIRST_FREE_PORT : nextPort + 1;
    return port;
  }

  void unbind(Listening listening) {
    listeners.values().removeIf(listening::equals);
    anywhere.retainAll(listeners.keySet());
    network.memory().values().removeIf(listening::equals);
  }

  /** At how many endpoints somebody listens. */
  int listening() {
    return listeners.size();
  }

  /** Who listens at an endpoint of this machine. */
  @Nullable Listening listener(Endpoint endpoint) {
    return endpoint.isMemory() ? network.memory().get(endpoint.port()) : listeners.get(endpoint);
  }

  /** Which machine an endpoint leads to, seen from this one; null where nobody answers. */
  @Nullable SimulatedWorld machineAt(Endpoint target) {
    if (target.isMemory()) {
      Listening listening = network.memory().get(target.port());
      return listening == null ? null : listening.machine();
    }
    SimulatedWorld there = target.isLoopback() ? this : network.machineAt(target.place());
    return there == null || there == this || there.reachable ? there : null;
  }

  /** Where this machine's packets to a place come from. */
  Endpoint source(Endpoint target) {
    int port = nextPort();
    if (target.isMemory()) {
      return new Endpoint(Protocol.MEMORY, "", port);
    }
    if (target.isLoopback()) {
      return target.withPort(port);
    }
    return new Endpoint(target.kind(), target.kind() == Protocol.IP4 ? ip4 : ip6, port);
  }

  /** The IP endpoint of a name, or null if it does not resolve. */
  static @Nullable Endpoint resolve(SimulatedNetwork network, Endpoint named) {
    boolean six = named.kind() == Protocol.DNS6;
    Protocol kind = six ? Protocol.IP6 : Protocol.IP4;
    if (named.place().equals("localhost")) {
      return named.at(kind, six ? "::1" : "127.0.0.1");
    }
    SimulatedWorld machine = network.machineNamed(named.place());
    return machine == null ? null : named.at(kind, six ? machine.ip6 : machine.ip4);
  }
}
