package dev.troupe.simulation.testkit;

import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.world.SimulatedWorld;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One machine of a {@link Simulation}: the services on it, and the address, the identity and the
 * world that a peer on it needs. Its power can fail and return.
 */
public final class Machine {

  /** The port of {@link #address()}. */
  public static final int PORT = 4001;

  private final Simulation simulation;
  private final SimulatedWorld simulated;
  private final World world;
  private final PrivateKey identity;
  private final List<Service<?>> services = new ArrayList<>();
  private boolean up = true;
  private int starters;

  private Machine(Simulation simulation, String name) {
    this.simulation = simulation;
    this.simulated = simulation.network().machine(name);
    this.world = simulation.fidelity() == Fidelity.HOST ? simulated : simulated.overLinks();
    RandomGenerator keys = simulation.system().newRandom("identity/" + name);
    this.identity = PrivateKey.generate(simulated.crypto(), keys::nextBytes);
  }

  static Function<String, Machine> in(Simulation simulation) {
    return name -> new Machine(simulation, name);
  }

  /** Its name, which {@code /dns4} resolves. */
  public String name() {
    return simulated.name();
  }

  /** What a peer on it lives in: hand it to {@code PeerManager.create} and {@code Peer.create}. */
  public World world() {
    return world;
  }

  /** A key of its own, from the seed and its name. */
  public PrivateKey identity() {
    return identity;
  }

  /** Who has {@link #identity()}. */
  public PeerId id() {
    return identity.peerId();
  }

  /** Where its peer can be dialled, with its identity; whether one listens there or not. */
  public Multiaddr address() {
    return simulated.address(PORT).withPeer(id());
  }

  /**
   * Settings of a peer with {@link #identity()} that listens at {@link #address()}, otherwise the
   * defaults.
   *
   * @param bootstrap the machines whose peers it meets first
   */
  public PeerSettings settings(Machine... bootstrap) {
    PeerSettings settings = PeerSettings.of(identity, List.of(simulated.address(PORT)));
    return settings.withDht(
        settings.dht().withBootstrapPeers(Stream.of(bootstrap).map(Machine::address).toList()));
  }

  /**
   * Starts a service: an actor that is gone when the power fails, and made anew when it returns.
   *
   * @param name under which it is spawned, behind the machine's own name and a hyphen
   */
  public <T> Service<T> start(String name, Supplier<Behavior<T>> behavior) {
    if (!up) {
      throw new IllegalStateException("machine " + this + " has crashed");
    }
    Service<T> service = new Service<>(this, name() + "-" + name, behavior);
    services.add(service);
    service.start();
    return service;
  }

  /** Starts a complete peer with {@link #settings}. */
  public Service<Peer.Command> startPeer(Machine... bootstrap) {
    return startPeer(settings(bootstrap));
  }

  /** Starts a complete peer. It runs when it listens; the run fails if it cannot. */
  public Service<Peer.Command> startPeer(PeerSettings settings) {
    Behavior<Peer.Started> watcher =
        Behaviors.receiveMessage(
            started -> {
              if (started instanceof Peer.ListenFailed failed) {
                simulation
                    .system()
                    .fail("the peer on " + this + " cannot listen: " + failed.failure().message());
              } else if (started instanceof Peer.StoreFailed failed) {
                simulation.system().fail("the peer on " + this + ": " + failed.failure().message());
              }
              return Behaviors.stopped();
            });
    return start(
        "peer",
        () ->
            Peer.create(
                settings, world, simulation.spawn(watcher, name() + "-starter-" + ++starters)));
  }

  /** Starts a remote peer that does what scripts say, with {@link #identity()}. */
  public FakePeer startFake() {
    FakePeer fake = new FakePeer(this);
    simulation.add(fake);
    return fake;
  }

  /** Whether it has power. */
  public boolean isUp() {
    return up;
  }

  /**
   * Whether others can dial it. Behind an address translation they cannot: they hear nothing, while
   * it dials whom it likes.
   */
  public void setReachable(boolean reachable) {
    simulated.setReachable(reachable);
  }

  @Override
  public String toString() {
    return name();
  }

  Simulation simulation() {
    return simulation;
  }

  SimulatedWorld simulated() {
    return simulated;
  }

  void crash() {
    if (!up) {
      throw new IllegalStateException("machine " + this + " has crashed already");
    }
    up = false;
    simulation.network().crash(simulated);
    services.forEach(Service::stop);
  }

  void restart() {
    if (up) {
      throw new IllegalStateException("machine " + this + " has not crashed");
    }
    up = true;
    simulation.network().restart(simulated);
    services.forEach(Service::start);
  }
}
