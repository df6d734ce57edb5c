package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.addressbook.AddressBookSettings;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsSettings;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.gossip.Gossip.Message;
import dev.troupe.actors.gossip.Gossip.PeerLeft;
import dev.troupe.actors.gossip.Gossip.Publish;
import dev.troupe.actors.gossip.Gossip.PublishReply;
import dev.troupe.actors.gossip.Gossip.Published;
import dev.troupe.actors.gossip.Gossip.TopicEvent;
import dev.troupe.actors.gossip.GossipSettings;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.world.Recorder.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;

/**
 * Gossip among several peers over a simulated network, without a DHT: who is connected is up to the
 * test.
 */
final class GossipNetworkTest {

  private static final String TOPIC = "chat";
  private static final int PORT = 4001;

  /** One peer: its host, its connections, its gossip, and a subscriber. */
  private static final class Member {
    final SimulatedWorld machine;
    final PeerId id;
    final ActorRef<Connections.Command> connections;
    final ActorRef<Gossip.Command> gossip;
    final Probe<TopicEvent> subscriber;

    Member(SimulatedSystem system, SimulatedWorld machine, Function<SimulatedWorld, World> worlds) {
      this.machine = machine;
      World world = worlds.apply(machine);
      PrivateKey key = PrivateKey.generate(world.crypto(), world.keyMaterial());
      String name = machine.name();
      Host host = world.createHost(key, HostSettings.DEFAULT);
      id = host.peerId();
      connections =
          system.spawn(
              Connections.create(
                  ConnectionsSettings.DEFAULT,
                  world.ticker(),
                  host,
                  system.spawn(
                      AddressBook.create(AddressBookSettings.DEFAULT, world.ticker()),
                      name + "-addresses")),
              name + "-connections");
      host.start(event -> connections.tell(new Connections.HostHeard(event)));
      host.listen(machine.address(PORT), new Outcome<>());
      gossip =
          system.spawn(
              Gossip.create(
                  GossipSettings.DEFAULT,
                  key,
                  world,
                  host,
                  connections,
                  system.spawn(noDht(), name + "-dht")),
              name + "-gossip");
      subscriber = system.probe(name + "-subscriber");
    }

    void connectTo(SimulatedSystem system, Member other) {
      Probe<Connections.ConnectReply> reply = system.probe();
      connections.tell(
          new Connections.Connect(other.id, List.of(other.machine.address(PORT)), reply.ref()));
      reply.expect(Connections.Connected.class, Duration.ofSeconds(10));
    }

    void subscribe(SimulatedSystem system) {
      Probe<Gossip.SubscribeReply> reply = system.probe();
      gossip.tell(new Gossip.Subscribe(TOPIC, subscriber.ref(), reply.ref()));
      reply.expect(Gossip.Subscribed.class);
    }

    int publish(SimulatedSystem system, String text) {
      Probe<PublishReply> reply = system.probe();
      gossip.tell(new Publish(TOPIC, Bytes.utf8(text), reply.ref()));
      return reply.expect(Published.class).recipients();
    }

    List<String> heard() {
      List<String> texts = new ArrayList<>();
      for (TopicEvent event : subscriber.received()) {
        if (event instanceof Message message) {
          texts.add(message.data().utf8());
        }
      }
      return texts;
    }
  }

  private static Behavior<Dht.Command> noDht() {
    return Behaviors.receiveMessage(
        command -> {
          Dht.OperationFailed failed =
              new Dht.OperationFailed(Dht.Reason.NO_DHT, "there is none in this test");
          if (command instanceof Dht.Provide provide) {
            provide.replyTo().tell(failed);
          } else if (command instanceof Dht.FindProviders find) {
            find.replyTo().tell(failed);
          }
          return Behaviors.same();
        });
  }

  private static List<Member> members(
      int count, SimulatedSystem system, Function<SimulatedWorld, World> worlds) {
    SimulatedNetwork network = new SimulatedNetwork(system);
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      members.add(new Member(system, network.machine("machine-" + i), worlds));
    }
    system.advance(Duration.ofSeconds(1));
    return members;
  }

  /** Each is connected to the next and to one further on. */
  private static void connectInARing(SimulatedSystem system, List<Member> members) {
    int count = members.size();
    for (int i = 0; i < count; i++) {
      members.get(i).connectTo(system, members.get((i + 1) % count));
      if (count > 6) {
        members.get(i).connectTo(system, members.get((i + 5) % count));
      }
    }
  }

  @Test
  void everyMessageReachesAllSubscribersOnceOverHops() {
    try (SimulatedSystem system = SimulatedSystem.create(1, Order.RANDOM)) {
      everyMessageReachesAll(system, members(20, system, machine -> machine));
    }
  }

  @Test
  void everyMessageReachesAllSubscribersOnceByteForByteOverLinks() {
    try (SimulatedSystem system = SimulatedSystem.create(2, Order.RANDOM)) {
      everyMessageReachesAll(system, members(6, system, SimulatedWorld::overLinks));
    }
  }

  private static void everyMessageReachesAll(SimulatedSystem system, List<Member> members) {
    connectInARing(system, members);
    members.forEach(member -> member.subscribe(system));
    system.advance(Duration.ofSeconds(5));
    List<String> all = new ArrayList<>();
    for (Member member : members) {
      String text = "from " + member.machine.name();
      assertTrue(member.publish(system, text) > 0);
      all.add(text);
    }
    system.advance(Duration.ofSeconds(5));
    for (Member member : members) {
      List<String> expected = new ArrayList<>(all);
      expected.remove("from " + member.machine.name());
      assertEquals(expected.stream().sorted().toList(), member.heard().stream().sorted().toList());
    }
  }

  @Test
  void aLargeMessageCrossesByteForByte() {
    try (SimulatedSystem system = SimulatedSystem.create(3, Order.FIFO)) {
      List<Member> members = members(2, system, SimulatedWorld::overLinks);
      members.get(0).connectTo(system, members.get(1));
      members.forEach(member -> member.subscribe(system));
      system.advance(Duration.ofSeconds(2));
      String large = "x".repeat(1_000_000);
      members.get(0).publish(system, large);
      system.advance(Duration.ofSeconds(10));
      assertEquals(List.of(large), members.get(1).heard());
    }
  }

  @Test
  void whoCrashesLeavesTheTopicAndTheOthersGoOn() {
    try (SimulatedSystem system = SimulatedSystem.create(4, Order.RANDOM)) {
      SimulatedNetwork network = new SimulatedNetwork(system);
      List<Member> members = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        members.add(new Member(system, network.machine("machine-" + i), machine -> machine));
      }
      system.advance(Duration.ofSeconds(1));
      connectInARing(system, members);
      members.forEach(member -> member.subscribe(system));
      system.advance(Duration.ofSeconds(5));
      network.crash(members.get(1).machine);
      PeerLeft left = members.get(0).subscriber.fishFor(PeerLeft.class, Duration.ofMinutes(5));
      assertEquals(members.get(1).id, left.peer());
      system.advance(Duration.ofSeconds(5));
      members.get(0).publish(system, "without it");
      system.advance(Duration.ofSeconds(5));
      assertEquals(List.of("without it"), members.get(2).heard());
      assertEquals(List.of("without it"), members.get(3).heard());
      assertEquals(List.of(), members.get(1).heard());
    }
  }

  @Test
  void oneSeedGivesOneTrace() {
    long first = trace(9);
    assertEquals(first, trace(9));
    assertNotEquals(first, trace(10));
  }

  private static long trace(long seed) {
    try (SimulatedSystem system = SimulatedSystem.create(seed, Order.RANDOM)) {
      List<Member> members = members(8, system, machine -> machine);
      connectInARing(system, members);
      members.forEach(member -> member.subscribe(system));
      system.advance(Duration.ofSeconds(5));
      members.get(0).publish(system, "hello");
      system.advance(Duration.ofSeconds(5));
      return system.traceHash();
    }
  }
}
