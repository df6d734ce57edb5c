package dev.troupe.simulation.testkit;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.Peer;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.world.NetworkSettings;
import dev.troupe.simulation.world.SimulatedNetwork;
import dev.troupe.simulation.world.SimulatedWorld;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;

/**
 * A simulated network for a test: {@linkplain #machine machines} on which services run, the time
 * they live in, and the faults that befall them.
 *
 * <p>Nothing happens by itself. {@link #advance}, {@link #ask} and everything that awaits let
 * virtual time pass, as fast as the computer can; between those calls the world stands still. What
 * awaits gives up at a deadline of virtual time, with an {@link AssertionError} that names the
 * seed.
 *
 * <p>Not thread-safe: it belongs to the thread of the test. JUnit tests get one by {@link
 * Simulated}; anything else by {@link #create}.
 */
public final class Simulation implements AutoCloseable {

  /** How long is awaited, in virtual time, where a test does not say. */
  public static final Duration PATIENCE = Duration.ofMinutes(1);

  /** How often what is awaited is looked at, in virtual time. */
  static final Duration LOOK = Duration.ofMillis(50);

  private final SimulatedSystem system;
  private final SimulatedNetwork network;
  private final Fidelity fidelity;
  private final Map<String, Machine> machines = new LinkedHashMap<>();
  private final List<FakePeer> fakes = new ArrayList<>();

  private Simulation(SimulatedSystem system, NetworkSettings settings, Fidelity fidelity) {
    this.system = system;
    this.network = new SimulatedNetwork(system, settings);
    this.fidelity = fidelity;
  }

  /** A world without machines, whose every choice comes from the seed. */
  public static Simulation create(long seed, Order order, Fidelity fidelity) {
    return create(seed, order, fidelity, NetworkSettings.DEFAULT);
  }

  /** A world without machines, whose every choice comes from the seed. */
  public static Simulation create(
      long seed, Order order, Fidelity fidelity, NetworkSettings settings) {
    return new Simulation(SimulatedSystem.create(seed, order), settings, fidelity);
  }

  /** The machine of this name, made on first use. */
  public Machine machine(String name) {
    return machines.computeIfAbsent(name, Machine.in(this));
  }

  /** All machines, in the order of their making. */
  public List<Machine> machines() {
    return List.copyOf(machines.values());
  }

  // --- time
  // -----------------------------------------------------------------------------------------

  /** Lets this much virtual time pass. */
  public void advance(Duration duration) {
    system.advance(duration);
  }

  /** Runs all that is ready, without letting time pass. */
  public void runUntilIdle() {
    system.runUntilIdle();
  }

  /** The virtual time since the start. */
  public Duration now() {
    return Duration.ofNanos(system.now());
  }

  // --- actors of the test itself
  // --------------------------------------------------------------------

  /** Spawns an actor that is on no machine: it has no power that could fail. */
  public <T> ActorRef<T> spawn(Behavior<T> behavior, String name) {
    return system.spawn(behavior, name);
  }

  /** An actor that records what it is told. */
  public <T> Probe<T> probe() {
    return system.probe();
  }

  // --- asking and awaiting
  // --------------------------------------------------------------------------

  /**
   * Asks an actor something and lets time pass until it answers.
   *
   * @param command made of where the answer goes, such as {@code GetTotal::new}
   * @throws AssertionError if it does not within the limit of virtual time
   */
  public <C, R> R ask(ActorRef<C> actor, Function<ActorRef<R>, C> command, Duration limit) {
    Probe<R> answers = system.probe();
    try {
      return ask(actor, command, limit, answers);
    } finally {
      system.stop(answers.ref());
    }
  }

  /** As {@link #ask(ActorRef, Function, Duration)}, within {@link #PATIENCE}. */
  public <C, R> R ask(ActorRef<C> actor, Function<ActorRef<R>, C> command) {
    return ask(actor, command, PATIENCE);
  }

  private <C, R> R ask(
      ActorRef<C> actor, Function<ActorRef<R>, C> command, Duration limit, Probe<R> answers) {
    actor.tell(command.apply(answers.ref()));
    if (!system.tryRunUntil(() -> !answers.received().isEmpty(), limit)) {
      throw new AssertionError(
          actor.path().name() + " did not answer within " + limit + " (" + replay() + ")");
    }
    return answers.received().get(0);
  }

  /**
   * Asks an actor the same again and again, twenty times a virtual second, until the answer is as
   * it should be, and answers that.
   *
   * @throws AssertionError with the last answer, if that does not happen within the limit
   */
  public <C, R> R askUntil(
      ActorRef<C> actor,
      Function<ActorRef<R>, C> command,
      Predicate<? super R> condition,
      Duration limit) {
    long deadline = Math.addExact(system.now(), limit.toNanos());
    R answer = ask(actor, command, limit);
    while (!condition.test(answer)) {
      Duration left = Duration.ofNanos(deadline - system.now());
      if (left.isNegative() || left.isZero()) {
        throw new AssertionError(
            actor.path().name()
                + " still answers "
                + answer
                + " after "
                + limit
                + " ("
                + replay()
                + ")");
      }
      advance(left.compareTo(LOOK) < 0 ? left : LOOK);
      answer = ask(actor, command, limit);
    }
    return answer;
  }

  /**
   * Lets time pass until a supplier, looked at twenty times a virtual second, gives something. The
   * supplier may ask actors.
   *
   * @throws AssertionError if it gives nothing within the limit of virtual time
   */
  public <T> T await(Supplier<Optional<T>> supplier, Duration limit) {
    return await("what was awaited did not come", supplier, limit);
  }

  /** Lets time pass until a condition holds, as {@link #await(Supplier, Duration)} does. */
  public void awaitThat(BooleanSupplier condition, Duration limit) {
    await(
        "the condition did not hold",
        () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty(),
        limit);
  }

  private <T> T await(String complaint, Supplier<Optional<T>> supplier, Duration limit) {
    long deadline = Math.addExact(system.now(), limit.toNanos());
    runUntilIdle();
    for (Optional<T> found = supplier.get(); ; found = supplier.get()) {
      if (found.isPresent()) {
        return found.get();
      }
      Duration left = Duration.ofNanos(deadline - system.now());
      if (left.isNegative() || left.isZero()) {
        throw new AssertionError(complaint + " within " + limit + " (" + replay() + ")");
      }
      advance(left.compareTo(LOOK) < 0 ? left : LOOK);
    }
  }

  /** Awaits that the DHT of a peer is ready, within {@link #PATIENCE}. */
  public void awaitDhtReady(ActorRef<Peer.Command> peer) {
    awaitDhtReady(peer, PATIENCE);
  }

  /** Awaits that the DHT of a peer is ready. */
  public void awaitDhtReady(ActorRef<Peer.Command> peer, Duration limit) {
    this.<Peer.Command, Dht.StateChanged>askUntil(
        peer, Peer::getDhtState, answer -> answer.state() == Dht.State.READY, limit);
  }

  /** Awaits that the routing table of a peer has so many peers, within {@link #PATIENCE}. */
  public void awaitTable(ActorRef<Peer.Command> peer, int peers) {
    awaitTable(peer, peers, PATIENCE);
  }

  /** Awaits that the routing table of a peer has so many peers, or more. */
  public void awaitTable(ActorRef<Peer.Command> peer, int peers, Duration limit) {
    this.<Peer.Command, Dht.Table>askUntil(
        peer, Peer::getDhtTable, table -> table.peers().size() >= peers, limit);
  }

  /**
   * Awaits that peers are in one mesh of a topic, within {@link #PATIENCE}: each has somebody in
   * its mesh, and all are connected by these, directly or over others.
   */
  @SafeVarargs
  public final void awaitMesh(String topic, ActorRef<Peer.Command>... peers) {
    awaitMesh(topic, Arrays.asList(peers), PATIENCE);
  }

  /** As {@link #awaitMesh(String, ActorRef...)}, within another limit. */
  public void awaitMesh(String topic, Collection<ActorRef<Peer.Command>> peers, Duration limit) {
    await(
        peers.size() + " peers did not form one mesh of '" + topic + "'",
        () -> isOneMesh(topic, peers) ? Optional.of(true) : Optional.empty(),
        limit);
  }

  private boolean isOneMesh(String topic, Collection<ActorRef<Peer.Command>> peers) {
    List<Set<PeerId>> islands = new ArrayList<>();
    for (ActorRef<Peer.Command> peer : peers) {
      Peer.Info info = ask(peer, Peer::getInfo);
      Gossip.TopicPeers neighbours =
          this.<Peer.Command, Gossip.TopicPeers>ask(
              peer, replyTo -> Peer.getTopicPeers(topic, replyTo));
      if (neighbours.mesh().isEmpty()) {
        return false;
      }
      Set<PeerId> island = new LinkedHashSet<>(neighbours.mesh());
      island.add(info.peer());
      for (Set<PeerId> other : List.copyOf(islands)) {
        if (other.stream().anyMatch(island::contains)) {
          island.addAll(other);
          islands.remove(other);
        }
      }
      islands.add(island);
    }
    return islands.size() == 1;
  }

  // --- faults
  // ---------------------------------------------------------------------------------------

  /** Parts two machines, both ways. */
  public void partition(Machine one, Machine other) {
    partition(List.of(one), List.of(other));
  }

  /**
   * Parts each machine of one side from each of the other, both ways. What is sent across waits;
   * connections across are given up when the partition lasts longer than {@link
   * NetworkSettings#silence()}, 30 s by default.
   */
  public void partition(Collection<Machine> side, Collection<Machine> other) {
    network.partition(worlds(side), worlds(other));
  }

  /** Cuts what one machine sends to another, and not the other way round. */
  public void partitionOneWay(Machine from, Machine to) {
    network.partitionOneWay(List.of(from.simulated()), List.of(to.simulated()));
  }

  /** Parts a machine from all others that there are now. */
  public void isolate(Machine machine) {
    network.isolate(machine.simulated());
  }

  /** Ends all partitions: what waited arrives. */
  public void repair() {
    network.repair();
  }

  /** Keeps all that one machine sends to another on its way, until it is released. */
  public void hold(Machine from, Machine to) {
    network.hold(from.simulated(), to.simulated());
  }

  /** Lets go what is held: it arrives, in order. */
  public void release(Machine from, Machine to) {
    network.release(from.simulated(), to.simulated());
  }

  /** Sets the one-way latency between two machines; by default each pair draws 5 to 50 ms. */
  public void latency(Machine one, Machine other, Duration latency) {
    network.latency(one.simulated(), other.simulated(), latency);
  }

  /**
   * The power of a machine fails: its services are gone, and nobody is told. {@link #restart}
   * brings them back.
   */
  public void crash(Machine machine) {
    machine.crash();
  }

  /** The power of a crashed machine returns, and its services start anew. */
  public void restart(Machine machine) {
    machine.restart();
  }

  /** A machine crashes and restarts at once. */
  public void bounce(Machine machine) {
    crash(machine);
    restart(machine);
  }

  /**
   * Crashes one actor, as by a bug: it throws an {@link IllegalStateException} from inside its
   * behaviour, so that whatever supervises it acts.
   *
   * @param root an actor, such as {@link Service#ref()}
   * @param path from there down to the actor that throws, such as {@code "peers/peer-0/dht"}; empty
   *     for the root itself
   * @throws IllegalArgumentException if there is no such actor; the message names those there are
   */
  public void crash(ActorRef<?> root, String path) {
    crash(root, path, new IllegalStateException("crashed by the test"));
  }

  /** As {@link #crash(ActorRef, String)}, with the exception that it throws. */
  public void crash(ActorRef<?> root, String path, RuntimeException bug) {
    system.crash(root, path, bug);
  }

  private static List<SimulatedWorld> worlds(Collection<Machine> machines) {
    return machines.stream().map(Machine::simulated).toList();
  }

  // --- what it is made of
  // ---------------------------------------------------------------------------

  /** The actor system of all machines. */
  public SimulatedSystem system() {
    return system;
  }

  /** What lies between the machines. */
  public SimulatedNetwork network() {
    return network;
  }

  /** How much of the peers is real below their actors. */
  public Fidelity fidelity() {
    return fidelity;
  }

  /** For the choices of the test: a generator of the seed, another one for each purpose. */
  public RandomGenerator random(String purpose) {
    return system.random("test/" + purpose);
  }

  /** A digest of all that happened; the same seed gives the same. */
  public long traceHash() {
    return system.traceHash();
  }

  /** The seed, order and time of now, for messages. */
  public String replay() {
    return system.replay();
  }

  void add(FakePeer fake) {
    fakes.add(fake);
  }

  /** Stops all that runs. Throws what failed and was not thrown yet. */
  @Override
  public void close() {
    fakes.forEach(FakePeer::close);
    system.close();
  }
}
