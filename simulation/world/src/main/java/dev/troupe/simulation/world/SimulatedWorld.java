package dev.troupe.simulation.world;

import dev.troupe.actors.host.Host;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.Ticker;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multiaddr.Protocol;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** One machine of a {@link SimulatedNetwork}: the world of the peers that run on it. */
public final class SimulatedWorld implements World {

  private static final int FIRST_FREE_PORT = 49_152;
  private static final int LAST_PORT = 65_535;

  private final SimulatedNetwork network;
  private final String name;
  private final String ip4;
  private final String ip6;
  private final List<SimulatedHost> hosts = new ArrayList<>();
  private final Map<Endpoint, SimulatedHost> listeners = new LinkedHashMap<>();
  private int nextPort = FIRST_FREE_PORT;
  private int hostNumber;
  private boolean down;

  SimulatedWorld(SimulatedNetwork network, String name, String ip4, String ip6) {
    this.network = network;
    this.name = name;
    this.ip4 = ip4;
    this.ip6 = ip6;
  }

  /** The machine's name, which {@code /dns4} resolves. */
  public String name() {
    return name;
  }

  /** The machine's IPv4 address with a TCP port. */
  public Multiaddr address(int port) {
    return new Endpoint(Protocol.IP4, ip4, port).address();
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
    return network.system().newRandom("peer/" + owner + "/" + purpose);
  }

  @Override
  public Ticker ticker() {
    return network.system()::now;
  }

  @Override
  public InstantSource clock() {
    return network.system().clock();
  }

  @Override
  public Host createHost(PrivateKey identity, HostSettings settings) {
    if (down) {
      throw new IllegalStateException("machine " + name + " has crashed");
    }
    SimulatedHost host =
        new SimulatedHost(network, this, identity, settings, name + "/" + ++hostNumber);
    hosts.add(host);
    return host;
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
    hosts.forEach(SimulatedHost::die);
    hosts.clear();
    listeners.clear();
    network.memory().values().removeIf(SimulatedHost::isDead);
  }

  void restart() {
    down = false;
  }

  void forget(SimulatedHost host) {
    hosts.remove(host);
  }

  /** The endpoints that listening at one means; empty when it is not on this machine. */
  List<Endpoint> interfaces(Endpoint asked) {
    if (asked.isUnspecified()) {
      return asked.kind() == Protocol.IP4
          ? List.of(asked.at(Protocol.IP4, ip4), asked.at(Protocol.IP4, "127.0.0.1"))
          : List.of(asked.at(Protocol.IP6, ip6), asked.at(Protocol.IP6, "::1"));
    }
    boolean here = asked.isLoopback() || asked.place().equals(ip4) || asked.place().equals(ip6);
    return here ? List.of(asked) : List.of();
  }

  /** A port that is free at all these endpoints, or -1. */
  int freePort(List<Endpoint> endpoints) {
    for (int tried = FIRST_FREE_PORT; tried <= LAST_PORT; tried++) {
      int port = nextPort;
      nextPort = nextPort == LAST_PORT ? FIRST_FREE_PORT : nextPort + 1;
      if (endpoints.stream().noneMatch(each -> listeners.containsKey(each.withPort(port)))) {
        return port;
      }
    }
    return -1;
  }

  boolean isFree(Endpoint endpoint) {
    return !listeners.containsKey(endpoint);
  }

  void bind(Endpoint endpoint, SimulatedHost host) {
    listeners.put(endpoint, host);
  }

  void unbind(SimulatedHost host) {
    listeners.values().removeIf(host::equals);
  }

  @Nullable SimulatedHost listener(Endpoint endpoint) {
    return listeners.get(endpoint);
  }

  /** Where this machine's packets to a place come from. */
  Endpoint source(Endpoint target) {
    int port = nextPort;
    nextPort = nextPort == LAST_PORT ? FIRST_FREE_PORT : nextPort + 1;
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
