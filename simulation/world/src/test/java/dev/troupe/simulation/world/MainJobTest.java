package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The main job from end to end, as an embedder would do it: peers that know one bootstrap address
 * find each other by topic through the DHT, and talk.
 */
final class MainJobTest {

  private static final String TOPIC = "room";
  private static final ProtocolId LETTERS = ProtocolId.of("/letters/1.0.0");

  @Test
  void twentyPeersFromOneSeedGiveTheSameTraceTwice() {
    long first = new Run(42, Order.RANDOM, 20, machine -> machine).mainJob();
    long again = new Run(42, Order.RANDOM, 20, machine -> machine).mainJob();
    assertEquals(first, again);
    assertNotEquals(first, new Run(43, Order.RANDOM, 20, machine -> machine).mainJob());
  }

  @Test
  void twentyPeersInOrderGiveTheSameTraceTwice() {
    long first = new Run(42, Order.FIFO, 20, machine -> machine).mainJob();
    assertEquals(first, new Run(42, Order.FIFO, 20, machine -> machine).mainJob());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void itIsDoneWhateverTheInterleaving(long seed) {
    new Run(seed, Order.RANDOM, 12, machine -> machine).mainJob();
  }

  @Test
  void itIsDoneAndReplayedWithEveryByteOfTheWire() {
    long first = new Run(7, Order.RANDOM, 6, SimulatedWorld::overLinks).mainJob();
    assertEquals(first, new Run(7, Order.RANDOM, 6, SimulatedWorld::overLinks).mainJob());
  }

  /** One local peer with what it hears. */
  private record Member(
      SimulatedWorld machine,
      ActorRef<PeerManager.Command> manager,
      ActorRef<Peer.Command> peer,
      PeerId id,
      List<Multiaddr> addresses,
      Probe<Gossip.TopicEvent> topic,
      Probe<Dht.StateChanged> dht) {

    Set<String> heard() {
      Set<String> texts = new TreeSet<>();
      topic.received().stream()
          .filter(Gossip.Message.class::isInstance)
          .forEach(event -> texts.add(((Gossip.Message) event).data().utf8()));
      return texts;
    }

    boolean isReady() {
      return dht.received().stream().anyMatch(change -> change.state() == Dht.State.READY);
    }
  }

  private static final class Run {
    private final long seed;
    private final Order order;
    private final int peers;
    private final Function<SimulatedWorld, World> worlds;

    Run(long seed, Order order, int peers, Function<SimulatedWorld, World> worlds) {
      this.seed = seed;
      this.order = order;
      this.peers = peers;
      this.worlds = worlds;
    }

    /** Does it all, and answers the digest of the trace. */
    long mainJob() {
      try (SimulatedSystem system = SimulatedSystem.create(seed, order)) {
        SimulatedNetwork network = new SimulatedNetwork(system);
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < peers; i++) {
          members.add(join(system, network, i, i == 0 ? List.of() : members.get(0).addresses()));
        }

        // Each subscribed while its DHT was still bootstrapping: what had to wait was done
        // afterwards.
        system.runUntil(() -> members.stream().allMatch(Member::isReady), Duration.ofSeconds(30));
        system.runUntil(
            () ->
                members.stream()
                    .allMatch(
                        member ->
                            member.topic().received().stream()
                                .anyMatch(
                                    event ->
                                        event instanceof Gossip.MeshFormed mesh
                                            && mesh.peers() > 0)),
            Duration.ofMinutes(1));
        system.advance(Duration.ofSeconds(30));

        // Whoever publishes, everybody else hears it, once.
        for (int i = 0; i < peers; i++) {
          publish(system, members.get(i), "hello of " + i);
        }
        system.advance(Duration.ofSeconds(10));
        for (int i = 0; i < peers; i++) {
          Set<String> expected = new TreeSet<>();
          for (int j = 0; j < peers; j++) {
            if (j != i) {
              expected.add("hello of " + j);
            }
          }
          assertEquals(expected, members.get(i).heard(), "peer " + i);
          long messages =
              members.get(i).topic().received().stream()
                  .filter(Gossip.Message.class::isInstance)
                  .count();
          assertEquals(peers - 1, messages, "peer " + i);
        }

        letter(system, members.get(1), members.get(peers - 1));

        // Without its bootstrap peer, whose power fails, and after a partition, the topic goes on.
        network.crash(members.get(0).machine());
        network.partition(
            members.subList(1, peers / 2).stream().map(Member::machine).toList(),
            members.subList(peers / 2, peers).stream().map(Member::machine).toList());
        system.advance(Duration.ofSeconds(10));
        network.repair();
        system.advance(Duration.ofMinutes(2));
        publish(system, members.get(1), "still here");
        system.advance(Duration.ofSeconds(10));
        for (int i = 2; i < peers; i++) {
          assertTrue(members.get(i).heard().contains("still here"), "peer " + i);
        }

        for (int i = 1; i < peers; i++) {
          Probe<PeerManager.StopReply> stopped = system.probe("stopped-" + i);
          members.get(i).manager().tell(new PeerManager.StopPeer("peer", stopped.ref()));
          assertTrue(
              stopped.expect(PeerManager.StopReply.class, Duration.ofSeconds(10)).wasRunning());
        }
        return system.traceHash();
      }
    }

    private Member join(
        SimulatedSystem system, SimulatedNetwork network, int number, List<Multiaddr> bootstrap) {
      SimulatedWorld machine = network.machine("machine-" + number);
      World world = worlds.apply(machine);
      ActorRef<PeerManager.Command> manager =
          system.spawn(PeerManager.create(world), "manager-" + number);
      PeerSettings defaults =
          PeerSettings.of(
              PrivateKey.generate(world.crypto(), world.keyMaterial()),
              List.of(machine.address(4001)));
      PeerSettings settings = defaults.withDht(defaults.dht().withBootstrapPeers(bootstrap));
      Probe<PeerManager.CreateReply> created = system.probe("created-" + number);
      manager.tell(new PeerManager.Create("peer", settings, created.ref()));
      PeerManager.Created reply = created.expect(PeerManager.Created.class, Duration.ofSeconds(1));

      Probe<Dht.StateChanged> dht = system.probe("dht-" + number);
      reply.peer().tell(Peer.subscribeDht(dht.ref()));
      Probe<Gossip.TopicEvent> topic = system.probe("topic-" + number);
      Probe<Gossip.SubscribeReply> subscribed = system.probe("subscribed-" + number);
      reply.peer().tell(Peer.subscribe(TOPIC, topic.ref(), subscribed.ref()));
      subscribed.expect(Gossip.Subscribed.class);
      return new Member(machine, manager, reply.peer(), reply.id(), reply.addresses(), topic, dht);
    }

    private static void publish(SimulatedSystem system, Member member, String text) {
      Probe<Gossip.PublishReply> published = system.probe();
      member.peer().tell(Peer.publish(TOPIC, Bytes.utf8(text), published.ref()));
      Gossip.Published reply = published.expect(Gossip.Published.class);
      assertTrue(reply.recipients() > 0, text);
    }

    private static void letter(SimulatedSystem system, Member from, Member to) {
      Probe<VirtualConnections.StartReply> started = system.probe("started");
      Probe<VirtualConnections.Received> letters = system.probe("letters");
      to.peer().tell(Peer.startProtocol(LETTERS, letters.ref(), started.ref()));
      started.expect(VirtualConnections.Started.class);
      Probe<Dht.FindPeerReply> found = system.probe("found");
      from.peer().tell(Peer.findPeer(to.id(), found.ref()));
      found.expect(Dht.PeerFound.class, Duration.ofSeconds(30));
      Probe<VirtualConnections.SendReply> sent = system.probe("sent");
      from.peer().tell(Peer.send(to.id(), LETTERS, Bytes.utf8("\"dear\""), sent.ref()));
      assertEquals(
          1, sent.expect(VirtualConnections.Delivered.class, Duration.ofSeconds(30)).attempts());
      assertEquals(
          new VirtualConnections.Received(from.id(), LETTERS, Bytes.utf8("\"dear\"")),
          letters.next());
    }
  }
}
