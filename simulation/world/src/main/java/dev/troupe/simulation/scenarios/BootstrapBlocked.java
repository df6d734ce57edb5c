package dev.troupe.simulation.scenarios;

import dev.troupe.actors.health.Health;
import dev.troupe.actors.peer.Peer;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Nothing that is sent to the bootstrap peer arrives: everybody says so in time, and offers what
 * can be done. When it is reachable again, all find one another.
 */
public final class BootstrapBlocked implements Scenario {

  /** Within which a peer says that it cannot reach its bootstrap peer. */
  static final Duration SAID = Duration.ofSeconds(10);

  @Override
  public String name() {
    return "bootstrap-blocked";
  }

  @Override
  public String description() {
    return "the bootstrap peer's port is blocked: everybody says so and offers what can be done";
  }

  @Override
  public int peers() {
    return 10;
  }

  @Override
  public Duration length() {
    return Duration.ofSeconds(30);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    Node bootstrap = Start.bootstrap(cluster);
    run.advance(Duration.ofSeconds(1));
    Map<Node, Health.BootstrapFailed> said = new LinkedHashMap<>();
    List<Node> blocked = new ArrayList<>();
    for (int i = 1; i < run.parameters().peers(); i++) {
      Node node = cluster.start("peer-" + i, Start.knowing(List.of(bootstrap)));
      run.fault(
          () -> {
            cluster.partition(List.of(node), List.of(bootstrap));
            blocked.add(node);
          });
      ActorRef<Health.Event> hears =
          cluster
              .system()
              .spawn(
                  Behaviors.receiveMessage(
                      event -> {
                        if (event instanceof Health.BootstrapFailed failed) {
                          said.putIfAbsent(node, failed);
                        }
                        return Behaviors.same();
                      }),
                  "health-of-" + node.name());
      node.peer().tell(Peer.subscribeHealth(hears));
    }
    run.advance(SAID.plusMillis(1));
    for (Node node : blocked) {
      Health.BootstrapFailed failed = said.get(node);
      run.expect(
          failed != null
              && failed.offers().contains(Health.Offer.RETRY)
              && failed.offers().contains(Health.Offer.USE_BACKUP),
          node.name() + " did not say within " + SAID + " what is wrong and what helps: " + failed);
    }
    run.advance(run.parameters().length());
    cluster.repair();
    run.advance(Duration.ofMinutes(13));
  }
}
