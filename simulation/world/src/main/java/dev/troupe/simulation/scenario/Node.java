package dev.troupe.simulation.scenario;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.world.SimulatedWorld;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.jspecify.annotations.Nullable;

/** One machine with one complete peer on it, and what that peer told whoever started it. */
public final class Node {

  /** How a node is. */
  public enum State {
    /** Its peer has been started. */
    UP,
    /** Its peer was stopped in order. */
    STOPPED,
    /** Its power failed. */
    CRASHED
  }

  private final String name;
  private final SimulatedWorld machine;
  private final PeerSettings settings;
  private final UnaryOperator<PeerSettings> fault;
  private final UnaryOperator<Behavior<Peer.Command>> disguise;
  private final List<ActorCrash> actorCrashes = new ArrayList<>();
  private State state = State.UP;
  private int incarnation;
  private final Set<Integer> crashes = new LinkedHashSet<>();
  private @Nullable ActorRef<Peer.Command> peer;
  private @Nullable ActorRef<Object> ear;
  private long startedAt;
  private long changedAt;
  private long listeningAt = -1;
  private long readyAt = -1;
  private Dht.@Nullable StateChanged dht;
  private final Set<String> topics = new LinkedHashSet<>();
  private final Map<String, Integer> heard = new LinkedHashMap<>();
  private boolean receivesLetters;
  private List<Multiaddr> addresses = List.of();
  private Measurements.@Nullable Start measured;

  private record ActorCrash(String path, long at) {}

  Node(
      String name,
      SimulatedWorld machine,
      PeerSettings settings,
      UnaryOperator<PeerSettings> fault,
      UnaryOperator<Behavior<Peer.Command>> disguise) {
    this.fault = fault;
    this.disguise = disguise;
    this.name = name;
    this.machine = machine;
    this.settings = settings;
  }

  void start(
      ActorRef<Peer.Command> newPeer,
      ActorRef<Object> newEar,
      long now,
      Measurements measurements) {
    peer = newPeer;
    ear = newEar;
    state = State.UP;
    incarnation++;
    startedAt = now;
    changedAt = now;
    measured = measurements.started(name, incarnation, now);
    listeningAt = -1;
    readyAt = -1;
    dht = null;
    topics.clear();
    heard.clear();
  }

  void end(State how, long now) {
    state = how;
    changedAt = now;
    if (how == State.CRASHED) {
      crashes.add(incarnation);
    }
  }

  void actorCrashed(String path, long now) {
    actorCrashes.add(new ActorCrash(path, now));
  }

  /** How often an actor of its peer was crashed between two instants, both included. */
  public int crashesOf(String path, long from, long until) {
    return (int)
        actorCrashes.stream()
            .filter(each -> each.path().equals(path) && each.at() >= from && each.at() <= until)
            .count();
  }

  /** What its peer says of its own accord; whether it is a message heard for the first time. */
  boolean hear(Object message, long now) {
    if (message instanceof Peer.Listening listening) {
      listeningAt = now;
      addresses = listening.addresses();
    } else if (message instanceof Dht.StateChanged changed) {
      if (changed.state() == Dht.State.READY && changed.peers() > 0 && readyAt < 0) {
        readyAt = now;
        if (measured != null) {
          measured.ready(now);
        }
      }
      dht = changed;
    } else if (message instanceof Gossip.Message published) {
      return heard.merge(published.data().utf8(), 1, Integer::sum) == 1;
    }
    return false;
  }

  void subscribed(String topic) {
    topics.add(topic);
  }

  void receivingLetters() {
    receivesLetters = true;
  }

  /** Whether it receives letters, after each start anew. */
  boolean receivesLetters() {
    return receivesLetters;
  }

  /** Its name, which is its machine's as well. */
  public String name() {
    return name;
  }

  /** Where it runs. */
  public SimulatedWorld machine() {
    return machine;
  }

  /** What its peer does, which is what a peer does unless it is faulty. */
  Behavior<Peer.Command> behaviour(World world, ActorRef<Peer.Started> starter) {
    return disguise.apply(Peer.create(fault.apply(settings), world, starter));
  }

  /** What its peer is started with. */
  public PeerSettings settings() {
    return settings;
  }

  /** Who it is. */
  public PeerId id() {
    return settings.identity().peerId();
  }

  /** Its peer's actor. */
  public ActorRef<Peer.Command> peer() {
    if (peer == null) {
      throw new IllegalStateException(name + " has not been started");
    }
    return peer;
  }

  ActorRef<Object> ear() {
    if (ear == null) {
      throw new IllegalStateException(name + " has not been started");
    }
    return ear;
  }

  /** The address that others dial, whether it listens yet or not. */
  public Multiaddr address() {
    return machine.address(Cluster.PORT).withPeer(id());
  }

  /** Where it said that it listens. */
  public List<Multiaddr> addresses() {
    return addresses;
  }

  /** How it is. */
  public State state() {
    return state;
  }

  /** Whether its peer runs. */
  public boolean isUp() {
    return state == State.UP;
  }

  /** How often it has been started. */
  public int incarnation() {
    return incarnation;
  }

  boolean crashedIn(int which) {
    return crashes.contains(which);
  }

  /** When it was started last, in virtual nanoseconds. */
  public long startedAt() {
    return startedAt;
  }

  /** When it was started, stopped or crashed last. */
  public long changedAt() {
    return changedAt;
  }

  /** When it listened; -1 before. */
  public long listeningAt() {
    return listeningAt;
  }

  /** When its DHT was ready with somebody in the table for the first time; -1 before. */
  public long readyAt() {
    return readyAt;
  }

  /** The last that its DHT said of its state. */
  public Dht.@Nullable StateChanged dht() {
    return dht;
  }

  /** What it has subscribed to. */
  public Set<String> topics() {
    return topics;
  }

  /** The texts of the messages it heard, each with how often. */
  public Map<String, Integer> heard() {
    return heard;
  }

  @Override
  public String toString() {
    return name;
  }
}
