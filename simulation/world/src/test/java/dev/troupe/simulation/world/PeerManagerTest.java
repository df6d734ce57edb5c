package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.peermanager.PeerManager.Refusal;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PeerManagerTest {

  private final SimulatedSystem system = SimulatedSystem.create();
  private final SimulatedNetwork network = new SimulatedNetwork(system);
  private final SimulatedWorld machine = network.machine("here");
  private final ActorRef<PeerManager.Command> manager =
      system.spawn(PeerManager.create(machine, 2), "manager");
  private final Probe<PeerManager.CreateReply> created = system.probe("created");

  @AfterEach
  void close() {
    system.close();
  }

  private PrivateKey key() {
    return PrivateKey.generate(machine.crypto(), machine.keyMaterial());
  }

  private PeerSettings listening(PrivateKey key) {
    return PeerSettings.of(key, List.of(machine.address(0)));
  }

  private void create(String alias, PeerSettings settings) {
    manager.tell(new PeerManager.Create(alias, settings, created.ref()));
  }

  private Refusal refusal() {
    PeerManager.CreateRefused refused = created.expect(PeerManager.CreateRefused.class);
    assertFalse(refused.message().isBlank());
    return refused.refusal();
  }

  @Test
  void twoPeersWithOneKeyAreRefusedEvenBeforeTheFirstListens() {
    PrivateKey key = key();
    create("one", listening(key));
    create("two", listening(key));
    assertEquals(Refusal.IDENTITY_TAKEN, refusal());
    assertEquals("one", created.expect(PeerManager.Created.class).alias());
    create("three", listening(key));
    assertEquals(Refusal.IDENTITY_TAKEN, refusal());
  }

  @Test
  void oneAliasIsOnePeerAndHasACharacterAtLeast() {
    create("one", listening(key()));
    create("one", listening(key()));
    assertEquals(Refusal.ALIAS_TAKEN, refusal());
    created.expect(PeerManager.Created.class);
    create("", listening(key()));
    assertEquals(Refusal.INVALID_ALIAS, refusal());
    create("x".repeat(101), listening(key()));
    assertEquals(Refusal.INVALID_ALIAS, refusal());
  }

  @Test
  void thereAreAsManyPeersAsThereMayBe() {
    create("one", listening(key()));
    create("two", listening(key()));
    create("three", listening(key()));
    assertEquals(Refusal.TOO_MANY_PEERS, refusal());
  }

  @Test
  void aPeerThatCannotListenIsRefusedAndItsNameAndIdentityAreFree() throws MalformedException {
    PrivateKey key = key();
    create("one", PeerSettings.of(key, List.of(Multiaddr.parse("/ip4/192.0.2.9/tcp/1"))));
    assertEquals(Refusal.LISTEN_FAILED, refusal());
    system.advance(Duration.ofSeconds(10));
    create("one", listening(key));
    created.expect(PeerManager.Created.class);
  }

  @Test
  void aStoppedPeerIsGoneWhenTheAnswerComesAndMayBeMadeAgain() {
    PrivateKey key = key();
    create("one", listening(key));
    PeerManager.Created first = created.expect(PeerManager.Created.class);
    assertTrue(first.addresses().get(0).toString().endsWith("/p2p/" + key.peerId()));
    Probe<PeerManager.StopReply> stopped = system.probe();
    manager.tell(new PeerManager.StopPeer("one", stopped.ref()));
    assertTrue(stopped.expect(PeerManager.StopReply.class, Duration.ofSeconds(6)).wasRunning());
    assertTrue(system.hasStopped(first.peer()));
    assertEquals(0, network.openOn(machine));
    manager.tell(new PeerManager.StopPeer("one", stopped.ref()));
    assertFalse(stopped.next().wasRunning());
    create("one", listening(key));
    created.expect(PeerManager.Created.class);
  }

  @Test
  void aPeerThatStopsBeforeItListensIsRefused() {
    create("one", listening(key()));
    Probe<PeerManager.StopReply> stopped = system.probe();
    manager.tell(new PeerManager.StopPeer("one", stopped.ref()));
    assertEquals(Refusal.STOPPED, refusal());
    assertTrue(stopped.next().wasRunning());
  }

  @Test
  void aPeerThatDiesFreesItsNameAndIdentity() {
    PrivateKey key = key();
    create("one", listening(key));
    PeerManager.Created first = created.expect(PeerManager.Created.class);
    first.peer().tell(Peer.getInfo(null));
    system.advance(Duration.ofSeconds(10));
    assertTrue(system.hasStopped(first.peer()));
    create("one", listening(key));
    created.expect(PeerManager.Created.class);
  }

  @Test
  void runningPeersAreFoundByTheirAlias() {
    Probe<PeerManager.FindReply> found = system.probe();
    manager.tell(new PeerManager.Find("one", found.ref()));
    assertNull(found.next().peer());
    create("one", listening(key()));
    created.expect(PeerManager.Created.class);
    manager.tell(new PeerManager.Find("one", found.ref()));
    assertNotNull(found.next().peer());
    Probe<PeerManager.Peers> all = system.probe();
    manager.tell(new PeerManager.GetPeers(all.ref()));
    assertEquals(1, all.next().peers().size());
  }
}
