package dev.troupe.simulation.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.Bytes;
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

  private static void assertCaught(String checker, Consumer<Run> what) {
    Parameters parameters =
        new Parameters(
            "faulty",
            2,
            1,
            Duration.ofMinutes(1),
            Fidelity.HOST,
            Order.FIFO,
            Parameters.ALL_FAULTS);
    Result result = Run.of(new Faulty(what), parameters);
    assertFalse(result.isClean());
    assertEquals(
        List.of(checker), result.violations().stream().map(v -> v.checker()).distinct().toList());
    assertEquals(result, Run.of(new Faulty(what), parameters));
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
    WithinCaps checker = new WithinCaps();
    assertCaught(
        "engine",
        run -> {
          run.cluster().start("alice", UnaryOperator.identity());
          run.advance(Duration.ofSeconds(1));
          assertEquals(List.of(), checker.during(run.cluster()));
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
