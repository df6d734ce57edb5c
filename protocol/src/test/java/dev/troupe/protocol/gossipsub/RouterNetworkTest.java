package dev.troupe.protocol.gossipsub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.keys.PeerId;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** Several routers that talk to each other. */
class RouterNetworkTest {

  private static final String TOPIC = "chat";

  @Test
  void everyMessageReachesEachSubscriberOnce() {
    RouterNetwork network =
        new RouterNetwork(20, GossipsubSettings.DEFAULT.withFloodPublish(false), 1);
    network.connectAll();
    network.subscribeAll(TOPIC);
    network.heartbeats(5);
    for (int i = 0; i < 20; i++) {
      network.publish(i, TOPIC, "from " + i);
    }
    for (int i = 0; i < 20; i++) {
      assertEquals(19, network.delivered(i).size(), "at " + i);
      assertEquals(19, network.delivered(i).stream().distinct().count());
    }
    assertEquals(List.of(), network.rejected);
  }

  @Test
  void meshesSettleWithinTheDegreesAndAgree() {
    RouterNetwork network = new RouterNetwork(40, GossipsubSettings.DEFAULT, 2);
    network.connectAll();
    network.subscribeAll(TOPIC);
    network.heartbeats(10);
    for (int i = 0; i < 40; i++) {
      List<PeerId> mesh = network.router(i).meshPeers(TOPIC);
      assertTrue(mesh.size() >= 5 && mesh.size() <= 12, "mesh of " + mesh.size());
      for (PeerId member : mesh) {
        assertTrue(
            network.routers.get(member).meshPeers(TOPIC).contains(network.ids.get(i)),
            "a link that only one side knows");
      }
    }
    assertEquals(List.of(), network.rejected);
  }

  @Test
  void aMissedMessageIsRecoveredThroughGossip() {
    // A chain of meshes 0 - 1 - 2, and 3 which is in nobody's mesh: it refuses every graft by
    // having been pruned.
    RouterNetwork network =
        new RouterNetwork(
            4, GossipsubSettings.DEFAULT.withFloodPublish(false).withDegrees(1, 2, 2, 2, 0), 3);
    network.connectAll();
    network.subscribeAll(TOPIC);
    network.heartbeats(3);
    PeerId missed = network.ids.get(3);
    network.loss = (to, rpc) -> to.equals(missed) && !rpc.messages().isEmpty();
    network.publish(0, TOPIC, "hello");
    assertEquals(List.of(), network.delivered(3));
    network.loss = (to, rpc) -> false;
    network.heartbeats(3);
    assertEquals(List.of("hello"), network.delivered(3));
  }

  @Test
  void aMessageCrossesFromSubscriberToSubscriberOverPeersInBetween() {
    RouterNetwork network = new RouterNetwork(5, GossipsubSettings.DEFAULT, 4);
    for (int i = 0; i < 4; i++) {
      network.connect(i, i + 1);
    }
    network.subscribeAll(TOPIC);
    network.heartbeats(2);
    assertEquals(1, network.publish(0, TOPIC, "along the line"));
    assertEquals(List.of("along the line"), network.delivered(4));
  }

  @Test
  void whoLeavesHearsNoMoreAndWhoStaysHealsTheMesh() {
    RouterNetwork network = new RouterNetwork(10, GossipsubSettings.DEFAULT, 5);
    network.connectAll();
    network.subscribeAll(TOPIC);
    network.heartbeats(5);
    network.unsubscribe(0, TOPIC);
    for (int i = 2; i < 10; i++) {
      network.disconnect(1, i);
    }
    network.heartbeats(5);
    network.publish(5, TOPIC, "after");
    assertEquals(List.of(), network.delivered(0));
    assertEquals(List.of(), network.delivered(1));
    for (int i = 2; i < 10; i++) {
      assertTrue(network.router(i).meshPeers(TOPIC).size() >= 5);
    }
  }

  @Test
  void theSameSeedGivesTheSameTraceAndAnotherSeedAnother() {
    assertEquals(trace(7), trace(7));
    assertNotEquals(trace(7), trace(8));
  }

  private static List<String> trace(long seed) {
    RouterNetwork network = new RouterNetwork(15, GossipsubSettings.DEFAULT, seed);
    network.connectAll();
    network.subscribeAll(TOPIC);
    network.heartbeats(3);
    network.publish(0, TOPIC, "hello");
    network.heartbeats(2);
    return network.trace;
  }

  @Property(tries = 30)
  void underAnyChurnMeshesStayWithinBoundsAndMessagesAreDeliveredOnce(@ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    RouterNetwork network = new RouterNetwork(8, GossipsubSettings.DEFAULT, seed);
    network.loss = (to, rpc) -> random.nextInt(10) == 0;
    for (int step = 0; step < 150; step++) {
      int a = random.nextInt(8);
      int b = random.nextInt(8);
      switch (random.nextInt(6)) {
        case 0 -> {
          if (a != b) {
            network.connect(a, b);
          }
        }
        case 1 -> network.disconnect(a, b);
        case 2 -> network.subscribe(a, TOPIC);
        case 3 -> network.unsubscribe(a, TOPIC);
        case 4 -> network.publish(a, TOPIC, a + "/" + step);
        default -> network.heartbeat();
      }
      for (int i = 0; i < 8; i++) {
        Router router = network.router(i);
        List<PeerId> mesh = router.meshPeers(TOPIC);
        assertTrue(mesh.size() <= 12);
        assertTrue(router.topicPeers(TOPIC).containsAll(mesh));
        assertTrue(mesh.stream().allMatch(router::knows));
        assertEquals(network.delivered(i).size(), network.delivered(i).stream().distinct().count());
      }
    }
  }
}
