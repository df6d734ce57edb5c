package dev.troupe.simulation.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.gossipsub.GossipsubSettings;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Each checker can fail: a network that breaks its rule is caught, by it. */
class CheckersTest {

  private record Faulty(Consumer<Run> what) implements Scenario {
    @Override
    public String name() {
      return "faulty";
    }

    @Override
    public String description() {
      return "breaks a rule";
    }

    @Override
    public int peers() {
      return 2;
    }

    @Override
    public Duration length() {
      return Duration.ofMinutes(1);
    }

    @Override
    public void play(Run run) {
      what.accept(run);
    }
  }

  private static final Parameters PARAMETERS =
      new Parameters(
          "faulty", 2, 1, Duration.ofMinutes(1), Fidelity.HOST, Order.FIFO, Parameters.ALL_FAULTS);

  private static void assertCaught(String checker, Consumer<Run> what) {
    Result result = Run.of(new Faulty(what), PARAMETERS);
    assertFalse(result.isClean());
    assertEquals(
        List.of(checker), result.violations().stream().map(v -> v.checker()).distinct().toList());
    assertEquals(result, Run.of(new Faulty(what), PARAMETERS));
  }

  private static Node start(Run run, String name, Node... known) {
    return run.cluster()
        .start(
            name,
            settings ->
                settings.withDht(
                    settings
                        .dht()
                        .withBootstrapPeers(List.of(known).stream().map(Node::address).toList())));
  }

  @Test
  void anOperationThatIsNeverAnswered() {
    assertCaught(
        "answered-once",
        run -> {
          Node node = start(run, "alice");
          run.cluster()
              .<Peer.Info>ask(
                  node,
                  "info",
                  Duration.ofSeconds(1),
                  replyTo -> Peer.getInfo(run.cluster().system().<Peer.Info>probe().ref()));
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void anOperationThatIsStillOpenWhenTheScenarioIsOver() {
    assertCaught(
        "answered-once",
        run -> {
          Node node = start(run, "alice");
          Node other = start(run, "bob", node);
          run.advance(Duration.ofSeconds(10));
          run.cluster()
              .<Peer.Info>ask(
                  other,
                  "info",
                  Cluster.BOUND,
                  replyTo -> Peer.getInfo(run.cluster().system().<Peer.Info>probe().ref()));
        });
  }

  @Test
  void anOperationThatIsAnsweredTwice() {
    assertCaught(
        "answered-once",
        run -> {
          Node node = start(run, "alice");
          run.cluster()
              .<Peer.Info>ask(
                  node,
                  "info",
                  Duration.ofSeconds(1),
                  replyTo -> {
                    node.peer().tell(Peer.getInfo(replyTo));
                    return Peer.getInfo(replyTo);
                  });
          run.advance(Duration.ofSeconds(10));
          start(run, "bob", node);
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void aMessageThatIsNotHeard() {
    assertCaught(
        "delivered",
        run -> {
          Cluster cluster = run.cluster();
          Node alice = start(run, "alice");
          Node bob = start(run, "bob", alice);
          cluster.subscribe(alice, "lobby");
          cluster.subscribe(bob, "lobby");
          run.advance(Duration.ofSeconds(30));
          cluster.partition(List.of(alice), List.of(bob));
          cluster.publishToAll(alice, "lobby", Duration.ofSeconds(5));
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void aMessageThatIsHeardTwice() {
    assertCaught(
        "delivered",
        run -> {
          Cluster cluster = run.cluster();
          Node alice = start(run, "alice");
          Node bob = start(run, "bob", alice);
          cluster.subscribe(alice, "lobby");
          cluster.subscribe(bob, "lobby");
          run.advance(Duration.ofSeconds(30));
          cluster.publishToAll(alice, "lobby", Duration.ofSeconds(5));
          cluster.<Gossip.PublishReply>ask(
              alice,
              "the same again",
              Duration.ofSeconds(5),
              replyTo ->
                  Peer.publish("lobby", Bytes.utf8(cluster.publications().get(0).text()), replyTo));
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void tablesThatDoNotKnowTheNeighbourhood() {
    assertCaught(
        "tables-converge",
        run -> {
          Node alice = start(run, "alice");
          Node bob = start(run, "bob", alice);
          run.advance(Duration.ofSeconds(10));
          // Two networks that have never heard of one another.
          Node carol = start(run, "carol");
          Node dave = start(run, "dave", carol);
          run.advance(Duration.ofMinutes(1));
          run.expect(bob.isUp() && dave.isUp(), "all are up");
        });
  }

  @Test
  void aNetworkThatDoesNotRecover() {
    assertCaught(
        "healthy",
        run -> {
          Node alice = start(run, "alice");
          run.cluster().crash(alice);
          start(run, "bob", alice);
          run.advance(Duration.ofMinutes(2));
        });
  }

  private static DhtSettings.Limits limits(int stash, int running, int inboundStreams) {
    DhtSettings.Limits usual = DhtSettings.Limits.DEFAULT;
    return new DhtSettings.Limits(
        stash,
        running,
        usual.requestsPerLookup(),
        inboundStreams,
        usual.inboundStreamsPerPeer(),
        usual.values(),
        usual.providers());
  }

  @Test
  void aStashThatTakesMoreThanItMay() {
    assertCaught(
        "within-caps",
        run -> {
          Node away = start(run, "away");
          run.cluster().crash(away);
          Node hoarder =
              run.cluster()
                  .startFaulty(
                      "hoarder",
                      settings ->
                          settings.withDht(
                              settings
                                  .dht()
                                  .withBootstrapPeers(List.of(away.address()))
                                  .withLimits(limits(5, 64, 100))),
                      settings -> settings.withDht(settings.dht().withLimits(limits(50, 64, 100))));
          run.advance(Duration.ofSeconds(1));
          for (int i = 0; i < 10; i++) {
            run.cluster().get(hoarder, "key-" + i);
          }
          run.advance(Duration.ofSeconds(12));
        });
  }

  @Test
  void aSetOfChildrenThatGrowsBeyondItsCap() {
    assertCaught(
        "within-caps",
        run -> {
          Node alice = start(run, "alice");
          Node busy =
              run.cluster()
                  .startFaulty(
                      "busy",
                      settings ->
                          settings.withDht(
                              settings
                                  .dht()
                                  .withBootstrapPeers(List.of(alice.address()))
                                  .withLimits(limits(1000, 1, 1))),
                      settings ->
                          settings.withDht(settings.dht().withLimits(limits(1000, 64, 100))));
          run.advance(Duration.ofSeconds(15));
          run.cluster().partition(List.of(alice), List.of(busy));
          for (int i = 0; i < 12; i++) {
            for (int j = 0; j < 10; j++) {
              run.cluster().get(busy, "key-" + i + "-" + j);
            }
            run.advance(Duration.ofSeconds(1));
          }
        });
  }

  @Test
  void aMeshAboveItsUpperDegree() {
    assertCaught(
        "mesh-degrees",
        run -> {
          Node greedy =
              run.cluster()
                  .startFaulty(
                      "greedy",
                      settings ->
                          settings.withGossip(
                              settings
                                  .gossip()
                                  .withRouter(
                                      settings.gossip().router().withDegrees(1, 1, 1, 1, 0))),
                      settings ->
                          settings.withGossip(
                              settings.gossip().withRouter(GossipsubSettings.DEFAULT)));
          run.cluster().subscribe(greedy, "lobby");
          for (int i = 0; i < 4; i++) {
            run.cluster().subscribe(start(run, "peer-" + i, greedy), "lobby");
          }
          run.advance(Duration.ofMinutes(1));
        });
  }

  @Test
  void aMeshThatDoesNotGraftWhomItKnows() {
    assertCaught(
        "mesh-degrees",
        run -> {
          Node shy =
              run.cluster()
                  .startFaulty(
                      "shy",
                      UnaryOperator.identity(),
                      settings ->
                          settings.withGossip(
                              settings
                                  .gossip()
                                  .withRouter(
                                      settings.gossip().router().withDegrees(1, 1, 1, 1, 0))));
          run.cluster().subscribe(shy, "lobby");
          for (int i = 0; i < 4; i++) {
            run.cluster().subscribe(start(run, "peer-" + i, shy), "lobby");
          }
          run.advance(Duration.ofMinutes(1));
        });
  }

  @Test
  void aCrashOfGossipExcusesWhatItLosesAndNothingElse() {
    // The memory of what was seen is lost: heard twice is no violation then, heard thrice is one.
    for (int copies = 2; copies <= 3; copies++) {
      int times = copies;
      Consumer<Run> what =
          run -> {
            Cluster cluster = run.cluster();
            Node alice = start(run, "alice");
            Node bob = start(run, "bob", alice);
            cluster.subscribe(alice, "lobby");
            cluster.subscribe(bob, "lobby");
            run.advance(Duration.ofSeconds(30));
            cluster.publishToAll(alice, "lobby", Duration.ofSeconds(8));
            String text = cluster.publications().get(0).text();
            run.advance(Duration.ofSeconds(2));
            cluster.crashActor(bob, "gossip");
            run.advance(Duration.ofSeconds(2));
            for (int i = 1; i < times; i++) {
              cluster.publish(alice, "lobby", text);
            }
            run.advance(Duration.ofMinutes(2));
          };
      if (times == 2) {
        assertEquals(List.of(), Run.of(new Faulty(what), PARAMETERS).violations());
      } else {
        assertCaught("delivered", what);
      }
    }
  }

  @Test
  void aListenerThatOutlivesItsPeer() {
    assertCaught(
        "nothing-lives-on",
        run -> {
          Node alice = start(run, "alice");
          run.advance(Duration.ofSeconds(1));
          run.cluster().stop(alice);
          run.advance(Duration.ofSeconds(5));
          PrivateKey other =
              PrivateKey.generate(alice.machine().crypto(), alice.machine().keyMaterial());
          Host host = alice.machine().createHost(other, HostSettings.DEFAULT);
          host.start(event -> {});
          host.listen(
              alice.machine().address(7),
              new Completion<>() {
                @Override
                public void succeeded(List<Multiaddr> value) {}

                @Override
                public void failed(HostFailure failure) {}
              });
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void aDefectThatThrows() {
    assertCaught(
        "engine",
        run -> {
          run.cluster().start("alice", UnaryOperator.identity());
          run.advance(Duration.ofSeconds(1));
          // A defect of ours ends a run as well, and names itself.
          run.cluster()
              .system()
              .execute(
                  () -> {
                    throw new IllegalStateException("by order of the test");
                  });
          run.advance(Duration.ofSeconds(1));
        });
  }
}
