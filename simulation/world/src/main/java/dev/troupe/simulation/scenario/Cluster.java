package dev.troupe.simulation.scenario;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.virtualconnections.VirtualConnectionSettings;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.world.Loss;
import dev.troupe.simulation.world.SimulatedNetwork;
import dev.troupe.simulation.world.SimulatedWorld;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * A network of complete peers, and the verbs that befall it. Belongs to the thread of its {@link
 * SimulatedSystem}.
 */
public final class Cluster {

  private static final Duration PING = Duration.ofSeconds(5);

  /** How long the messages of a flood are, about. */
  private static final int FLOOD_BYTES = 4096;

  /** The port at which every peer listens. */
  public static final int PORT = 4001;

  /**
   * The default of how long an answer may take: a gate of 30 s, a whole operation of 30 s, slack.
   */
  public static final Duration BOUND = Duration.ofSeconds(65);

  /** How much longer than its timers a message may take to be answered. */
  private static final Duration SLACK = Duration.ofSeconds(5);

  /** The protocol of letters. */
  public static final ProtocolId LETTERS = ProtocolId.of("/troupe/simulation/letters/1");

  private final SimulatedSystem system;
  private final SimulatedNetwork network;
  private final Fidelity fidelity;
  private final RandomGenerator chance;
  private final Map<String, Node> nodes = new LinkedHashMap<>();
  private final List<Operation> operations = new ArrayList<>();
  private final List<Publication> publications = new ArrayList<>();
  private final Map<String, Publication> published = new LinkedHashMap<>();
  private final Measurements measurements = new Measurements();
  private final List<Letter> letters = new ArrayList<>();
  private final Map<Bytes, Letter> lettersByText = new LinkedHashMap<>();
  private final List<Letter.Hearing> hearings = new ArrayList<>();
  private long names;

  /** A cluster without peers. */
  public Cluster(SimulatedSystem system, SimulatedNetwork network, Fidelity fidelity) {
    this.system = system;
    this.network = network;
    this.fidelity = fidelity;
    this.chance = system.newRandom("cluster");
  }

  /** The actor system of all peers. */
  public SimulatedSystem system() {
    return system;
  }

  /** What lies between the peers. */
  public SimulatedNetwork network() {
    return network;
  }

  /** For the choices of the scenario. */
  public RandomGenerator chance() {
    return chance;
  }

  /** All nodes that ever were, in the order of their first start. */
  public Collection<Node> nodes() {
    return nodes.values();
  }

  /** Those whose peer runs. */
  public List<Node> up() {
    return nodes.values().stream().filter(Node::isUp).toList();
  }

  /** One of those whose peer runs. */
  public Node any() {
    List<Node> up = up();
    return up.get(chance.nextInt(up.size()));
  }

  /** All that was asked. */
  public List<Operation> operations() {
    return operations;
  }

  /** All messages whose delivery is owed. */
  public List<Publication> publications() {
    return publications;
  }

  /** All that was sent from peer to peer, in order. */
  public List<Letter> letters() {
    return letters;
  }

  /** All times that one of these was heard, in order. */
  public List<Letter.Hearing> hearings() {
    return hearings;
  }

  /** What has been noted so far. */
  public Measurements measurements() {
    return measurements;
  }

  // --- peers

  /** Starts a peer on a machine of its own, with an identity of its own. */
  public Node start(String name, UnaryOperator<PeerSettings> change) {
    return startFaulty(name, change, UnaryOperator.identity());
  }

  /**
   * Starts a peer that does not keep to its settings, for the tests of checkers.
   *
   * @param change makes the settings that the checkers know
   * @param fault makes those that it runs with of them
   */
  public Node startFaulty(
      String name, UnaryOperator<PeerSettings> change, UnaryOperator<PeerSettings> fault) {
    return startFaulty(name, change, fault, UnaryOperator.identity());
  }

  /**
   * Starts a peer that does not behave as a peer does, for the tests of checkers.
   *
   * @param disguise makes what it does of what a peer would do
   */
  public Node startFaulty(
      String name,
      UnaryOperator<PeerSettings> change,
      UnaryOperator<PeerSettings> fault,
      UnaryOperator<Behavior<Peer.Command>> disguise) {
    SimulatedWorld machine = network.machine(name);
    RandomGenerator keys = system.newRandom("identity/" + name);
    PrivateKey identity = PrivateKey.generate(machine.crypto(), keys::nextBytes);
    Node node =
        new Node(
            name,
            machine,
            change.apply(PeerSettings.of(identity, List.of(machine.address(PORT)))),
            fault,
            disguise);
    if (nodes.putIfAbsent(name, node) != null) {
      throw new IllegalArgumentException("there is a node " + name + " already");
    }
    boot(node);
    return node;
  }

  private void boot(Node node) {
    World world = fidelity == Fidelity.HOST ? node.machine() : node.machine().overLinks();
    Behavior<Object> listening =
        Behaviors.receiveMessage(
            message -> {
              if (node.hear(message, system.now()) && message instanceof Gossip.Message heard) {
                onDelivered(node, published.get(heard.data().utf8()));
              } else if (message instanceof VirtualConnections.Received received) {
                onLetter(node, lettersByText.get(received.data()));
              }
              return Behaviors.same();
            });
    ActorRef<Object> ear = system.spawn(listening, "ear-" + ++names);
    ActorRef<Peer.Command> peer =
        system.spawn(node.behaviour(world, ear.<Peer.Started>narrow()), node.name() + "-" + names);
    node.start(peer, ear, system.now(), measurements);
    peer.tell(Peer.subscribeDht(ear.<Dht.StateChanged>narrow()));
    if (node.receivesLetters()) {
      receiveLetters(node);
    }
  }

  private void onLetter(Node node, @Nullable Letter letter) {
    if (letter != null) {
      hearings.add(letter.hear(node, system.now()));
    }
  }

  private void onDelivered(Node node, @Nullable Publication publication) {
    if (publication != null && publication.publisher() != node) {
      measurements.delivered(publication.publishedAt(), system.now());
    }
  }

  /** Stops a peer in order. */
  public void stop(Node node) {
    node.end(Node.State.STOPPED, system.now());
    node.peer().tell(Peer.stop());
  }

  /** The power of a machine fails: nobody is told, and its actors are gone. */
  public void crash(Node node) {
    node.end(Node.State.CRASHED, system.now());
    network.crash(node.machine());
    system.stop(node.peer());
    system.stop(node.ear());
  }

  /** The power of a crashed machine returns, and its peer starts anew with the same identity. */
  public void restart(Node node) {
    if (node.state() == Node.State.CRASHED) {
      network.restart(node.machine());
    }
    boot(node);
  }

  /**
   * Crashes one actor of a peer, as by a bug: it throws from inside its behaviour, and whatever
   * supervises it acts.
   *
   * @param path from the peer down to the actor, such as {@code "gossip"}
   * @throws IllegalArgumentException if there is no such actor; the message names those there are
   */
  public void crashActor(Node node, String path) {
    system.crash(node.peer(), path, new IllegalStateException("crashed by the scenario"));
    node.actorCrashed(path, system.now());
  }

  /**
   * Crashes any one actor below a peer: first a kind is drawn, so that those of which there are
   * many are not always the ones, and then one of it. (The actor of the peer itself, which nobody
   * restarts, fails with its machine.)
   *
   * @return its path
   */
  public String crashAnyActor(Node node) {
    return crashAnyActor(node, "");
  }

  /**
   * The same for those alone whose path begins so.
   *
   * @param part such as {@code "virtualconnections"}, for that actor and those below it
   */
  public String crashAnyActor(Node node, String part) {
    system.runUntilIdle();
    String root = node.peer().path().toStringWithoutAddress();
    TreeMap<String, List<String>> kinds = new TreeMap<>();
    for (String place : system.children(node.peer()).keySet()) {
      String path = place.equals(root) ? "" : place.substring(root.length() + 1);
      if (!path.isEmpty() && path.startsWith(part)) {
        kinds.computeIfAbsent(kind(path), kind -> new ArrayList<>()).add(path);
      }
    }
    List<List<String>> all = List.copyOf(kinds.values());
    List<String> paths = all.get(chance.nextInt(all.size()));
    String path = paths.get(chance.nextInt(paths.size()));
    crashActor(node, path);
    return path;
  }

  /** The place of an actor, without the names of the single ones: {@code dht/}, for a lookup. */
  private static String kind(String path) {
    int slash = path.lastIndexOf('/');
    return path.substring(0, slash + 1) + path.substring(slash + 1).replaceAll("[^a-z].*", "");
  }

  /**
   * A machine gets other addresses, as {@link SimulatedNetwork#changeAddress} says. A peer goes on
   * listening if it was told to listen at all addresses.
   */
  public void changeAddress(Node node) {
    network.changeAddress(node.machine());
  }

  /** The wall clock of a machine goes wrong by so much, and by so many seconds more a second. */
  public void skew(Node node, Duration offset, double drift) {
    network.skew(node.machine(), offset, drift);
  }

  // --- faults between them

  /** Parts each of one side from each of the other, both ways. */
  public void partition(Collection<Node> side, Collection<Node> other) {
    network.partition(machines(side), machines(other));
  }

  /** Cuts what one side sends to the other, and not the other way round. */
  public void partitionOneWay(Collection<Node> from, Collection<Node> to) {
    network.partitionOneWay(machines(from), machines(to));
  }

  /** Keeps all that one node sends to another on its way. */
  public void hold(Node from, Node to) {
    network.hold(from.machine(), to.machine());
  }

  /** Lets go what is held. */
  public void release(Node from, Node to) {
    network.release(from.machine(), to.machine());
  }

  /** Limits what a machine sends and reads, in bytes a second; 0 for no limit. */
  public void bandwidth(Node node, long outbound, long inbound) {
    network.bandwidth(node.machine(), outbound, inbound);
  }

  /** A machine reads nothing for a time. */
  public void stopReading(Node node, Duration length) {
    network.stopReading(node.machine(), length);
  }

  /** What goes wrong by chance between all machines. */
  public void loss(Loss loss) {
    network.loss(loss);
  }

  /** What goes wrong by chance between two machines. */
  public void loss(Node a, Node b, Loss loss) {
    network.loss(a.machine(), b.machine(), loss);
  }

  /** A peer publishes and asks far too much at once: this many messages, and as many gets. */
  public void flood(Node node, String topic, int times) {
    String text = "flood of " + node.name() + " ".repeat(FLOOD_BYTES);
    for (int i = 0; i < times; i++) {
      publish(node, topic, text);
      get(node, "nothing-" + i);
    }
  }

  /** Ends all that lasts and is wrong with the network; crashed machines stay crashed. */
  public void calm() {
    network.calm();
  }

  /** Ends all partitions. */
  public void repair() {
    network.repair();
  }

  private static List<SimulatedWorld> machines(Collection<Node> nodes) {
    return nodes.stream().map(Node::machine).toList();
  }

  // --- asking

  /**
   * Asks a peer something; the answer is awaited by the checkers.
   *
   * @param bound within which it must be answered
   */
  public <R> Operation ask(
      Node node, String what, Duration bound, Function<ActorRef<R>, Peer.Command> question) {
    Operation operation = new Operation(node, what, system.now(), bound);
    operations.add(operation);
    Behavior<R> answered =
        Behaviors.receiveMessage(
            reply -> {
              operation.answer(reply, node.machine().hopsOfWalkAt(system.now()), system.now());
              return Behaviors.same();
            });
    node.peer().tell(question.apply(system.spawn(answered, "asker-" + ++names)));
    return operation;
  }

  /** Subscribes a peer to a topic. */
  public Operation subscribe(Node node, String topic) {
    node.subscribed(topic);
    return this.<Gossip.SubscribeReply>ask(
        node,
        "subscribe " + topic,
        BOUND,
        replyTo -> Peer.subscribe(topic, node.ear().<Gossip.TopicEvent>narrow(), replyTo));
  }

  /** Announces a key. */
  public Operation provide(Node node, String key) {
    return this.<Dht.ProvideReply>ask(
        node, "provide " + key, BOUND, replyTo -> Peer.provide(hash(key), replyTo));
  }

  /** Looks for those who announced a key. */
  public Operation findProviders(Node node, String key) {
    return this.<Dht.FindProvidersReply>ask(
        node, "providers " + key, BOUND, replyTo -> Peer.findProviders(hash(key), 20, replyTo));
  }

  /** Stores a value. */
  public Operation put(Node node, String key, String value) {
    return this.<Dht.PutValueReply>ask(
        node,
        "put " + key,
        BOUND,
        replyTo -> Peer.putValue(Bytes.utf8("/test/" + key), Bytes.utf8(value), replyTo));
  }

  /** Gets a value. */
  public Operation get(Node node, String key) {
    return this.<Dht.GetValueReply>ask(
        node, "get " + key, BOUND, replyTo -> Peer.getValue(Bytes.utf8("/test/" + key), replyTo));
  }

  /** Looks for the addresses of a peer. */
  public Operation findPeer(Node node, PeerId sought) {
    return this.<Dht.FindPeerReply>ask(
        node, "find " + sought, BOUND, replyTo -> Peer.findPeer(sought, replyTo));
  }

  /** Connects a peer to another. */
  public Operation connect(Node node, Node other) {
    return this.<Connections.ConnectReply>ask(
        node,
        "connect " + other.name(),
        BOUND,
        replyTo -> Peer.connectTo(other.address(), replyTo));
  }

  /** Pings a peer once, for 5 s at most. */
  public Operation ping(Node node, Node other) {
    return this.<Peer.PingReply>ask(
        node, "ping " + other.name(), BOUND, replyTo -> Peer.ping(other.id(), 1, PING, replyTo));
  }

  /** Publishes a text, which nobody needs to hear. */
  public Operation publish(Node node, String topic, String text) {
    return this.<Gossip.PublishReply>ask(
        node,
        "publish to " + topic,
        BOUND,
        replyTo -> Peer.publish(topic, Bytes.utf8(text), replyTo));
  }

  /** Publishes a text that all who subscribe to the topic now must hear in time. */
  public void publishToAll(Node node, String topic, Duration within) {
    String text = "message " + publications.size() + " of " + node.name();
    publish(node, topic, text);
    Publication publication =
        new Publication(
            text,
            node,
            up().stream().filter(each -> each != node && each.topics().contains(topic)).toList(),
            system.now(),
            system.now() + within.toNanos());
    publications.add(publication);
    published.put(text, publication);
  }

  /** Has a peer receive what others {@link #send}, from now on and after each restart. */
  public Operation receiveLetters(Node node) {
    node.receivingLetters();
    return this.<VirtualConnections.StartReply>ask(
        node,
        "receive letters",
        BOUND,
        replyTo ->
            Peer.startProtocol(LETTERS, node.ear().<VirtualConnections.Received>narrow(), replyTo));
  }

  /** Sends a letter over the virtual connection from one peer to another. */
  public Letter send(Node from, Node to) {
    return send(from, to, (text, replyTo) -> Peer.send(to.id(), LETTERS, text, replyTo));
  }

  /**
   * The same in a way that need not be right, for the tests of checkers.
   *
   * @param way what the sender's peer is told, for a text and who waits for the answer
   */
  public Letter send(
      Node from,
      Node to,
      BiFunction<Bytes, ActorRef<VirtualConnections.SendReply>, Peer.Command> way) {
    int number = letters.size();
    Bytes text = Letter.text(number);
    long ahead =
        letters.stream()
            .filter(each -> each.from() == from && each.to() == to && each.isOpen())
            .count();
    Letter letter =
        new Letter(
            number,
            from,
            to,
            this.<VirtualConnections.SendReply>ask(
                from,
                "send to " + to.name(),
                longestSend(from.settings()).multipliedBy(ahead + 1),
                replyTo -> way.apply(text, replyTo)));
    letters.add(letter);
    lettersByText.put(text, letter);
    return letter;
  }

  /** How long all attempts to send may take, each with a dial, a stream and an answer. */
  private static Duration longestSend(PeerSettings settings) {
    VirtualConnectionSettings sending = settings.virtualConnections();
    Duration attempt =
        settings
            .connections()
            .dialBudget()
            .plus(settings.host().streamTimeout())
            .plus(sending.acknowledgement());
    long pauses = (1L << (sending.attempts() - 1)) - 1;
    return attempt
        .multipliedBy(sending.attempts())
        .plus(sending.backoff().multipliedBy(pauses))
        .plus(SLACK);
  }

  private Multihash hash(String key) {
    return Multihash.sha256(network.crypto(), Bytes.utf8(key));
  }

  // --- looking without being counted

  /**
   * Asks every running peer something that it answers at once, and runs the network for a moment.
   * Those who have not answered in that moment are missing from the map.
   */
  public <R> Map<Node, R> survey(Function<ActorRef<R>, Peer.Command> question) {
    Map<Node, R> answers = new LinkedHashMap<>();
    for (Node node : up()) {
      Behavior<R> once =
          Behaviors.receiveMessage(
              reply -> {
                answers.put(node, reply);
                return Behaviors.stopped();
              });
      node.peer().tell(question.apply(system.spawn(once, "survey-" + ++names)));
    }
    system.runUntilIdle();
    return answers;
  }
}
