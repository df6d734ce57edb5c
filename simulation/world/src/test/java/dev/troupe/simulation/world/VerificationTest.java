package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.health.Health;
import dev.troupe.actors.health.Health.Verdict;
import dev.troupe.actors.peer.Peer;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The six steps, and the probe of readiness, among complete peers. */
class VerificationTest {

  private static final Duration BOUND = Duration.ofSeconds(61);

  private final SimulatedSystem system = SimulatedSystem.create(7, Order.RANDOM);
  private final Cluster cluster = new Cluster(system, new SimulatedNetwork(system), Fidelity.HOST);

  @AfterEach
  void close() {
    system.close();
  }

  private List<Node> network(int size) {
    List<Node> nodes = new ArrayList<>();
    nodes.add(cluster.start("bootstrap", UnaryOperator.identity()));
    for (int i = 1; i < size; i++) {
      nodes.add(
          cluster.start(
              "peer-" + i,
              settings ->
                  settings.withDht(
                      settings.dht().withBootstrapPeers(List.of(nodes.get(0).address())))));
    }
    system.advance(Duration.ofSeconds(10));
    return nodes;
  }

  private Health.Verified verify(Node node, Node partner) {
    Operation operation =
        cluster.<Health.VerifyReply>ask(
            node,
            "verify",
            BOUND,
            replyTo -> Peer.verify(partner == null ? null : partner.id(), replyTo));
    system.advance(BOUND);
    assertEquals(1, operation.answers());
    return (Health.Verified) operation.reply();
  }

  private Object probe(Node node, Duration bound) {
    Operation operation =
        cluster.<Health.ProbeReply>ask(node, "probe", bound, Peer::probeReadiness);
    system.advance(bound);
    return operation.reply();
  }

  @Test
  void twoWhoFindEachOtherAreVerifiedStepByStep() {
    List<Node> nodes = network(8);
    Health.Verified result = verify(nodes.get(1), nodes.get(2));
    assertEquals(Health.STEPS, result.steps().stream().map(Health.Step::name).toList());
    assertEquals(Verdict.VERIFIED, result.verdict(), () -> "" + result);
    assertEquals(nodes.get(2).id(), result.partner());
  }

  @Test
  void anybodyWhoAnswersWillDoAndABootstrapPeerIfThereIsNobodyElse() {
    List<Node> nodes = network(4);
    Health.Verified result = verify(nodes.get(1), null);
    assertEquals(Verdict.VERIFIED, result.verdict(), () -> "" + result);
    assertFalse(nodes.get(0).id().equals(result.partner()));
    nodes.subList(2, 4).forEach(cluster::stop);
    system.advance(Duration.ofMinutes(15));
    assertEquals(nodes.get(0).id(), verify(nodes.get(1), null).partner());
  }

  @Test
  void nobodyToVerifyWithIsNoFailure() {
    Node alone = cluster.start("alone", UnaryOperator.identity());
    system.advance(Duration.ofSeconds(1));
    Health.Verified result = verify(alone, null);
    assertEquals(Verdict.UNKNOWN, result.verdict());
    assertNull(result.partner());
    assertEquals(6, result.steps().size());
  }

  @Test
  void aPartnerWhoIsGoneLeavesTheRestToBeVerified() {
    List<Node> nodes = network(8);
    cluster.crash(nodes.get(2));
    Health.Verified result = verify(nodes.get(1), nodes.get(2));
    assertEquals(Verdict.PARTIAL, result.verdict(), () -> "" + result);
    assertTrue(result.steps().get(1).ok());
    assertFalse(result.steps().get(4).ok());
  }

  @Test
  void withoutAnybodyWhoAnswersItFails() {
    List<Node> nodes = network(3);
    cluster.crash(nodes.get(0));
    cluster.crash(nodes.get(2));
    Health.Verified result = verify(nodes.get(1), nodes.get(2));
    assertEquals(Verdict.FAILED, result.verdict(), () -> "" + result);
  }

  @Test
  void aReadyPeerIsReadyAtTheFirstAttempt() {
    Health.Ready ready = (Health.Ready) probe(network(4).get(1), Duration.ofSeconds(10));
    assertEquals(1, ready.attempts());
  }

  @Test
  void aPeerAloneIsNotReadyAfterTenAttemptsASecondApart() {
    Node alone = cluster.start("alone", UnaryOperator.identity());
    system.advance(Duration.ofSeconds(1));
    assertNull(probe(alone, Duration.ofSeconds(9).minusNanos(1)));
    Health.NotReady not = (Health.NotReady) probe(alone, Duration.ofSeconds(9));
    assertEquals(10, not.attempts());
    assertTrue(not.reason().contains("no peer"), not.reason());
  }

  @Test
  void verifiedAfterConnectingWhereTheSettingsSaySo() {
    Node bootstrap = cluster.start("bootstrap", UnaryOperator.identity());
    Node node =
        cluster.start(
            "peer",
            settings ->
                settings
                    .withDht(settings.dht().withBootstrapPeers(List.of(bootstrap.address())))
                    .withHealth(settings.health().withVerifyOnConnect(true)));
    Probe<Health.Event> probe = system.probe("listener");
    node.peer().tell(Peer.subscribeHealth(probe.ref()));
    system.advance(Duration.ofSeconds(30));
    assertEquals(
        1,
        probe.received().stream().filter(each -> each instanceof Health.VerifiedOnConnect).count());
  }
}
