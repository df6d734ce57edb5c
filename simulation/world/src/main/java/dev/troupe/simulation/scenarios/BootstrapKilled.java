package dev.troupe.simulation.scenarios;

import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.peer.Peer;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The power of the only bootstrap peer fails, so that nobody is told: everybody notices in time,
 * goes on without it, and is connected to it again when it returns.
 */
public final class BootstrapKilled implements Scenario {

  /** Within which everybody notices. */
  static final Duration NOTICED = Duration.ofSeconds(30);

  @Override
  public String name() {
    return "bootstrap-killed";
  }

  @Override
  public String description() {
    return "the bootstrap peer's power fails while all are connected, and returns";
  }

  @Override
  public int peers() {
    return 20;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(3);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    List<Node> nodes = Start.network(run, "lobby");
    Node bootstrap = nodes.get(0);
    run.advance(Duration.ofMillis(cluster.chance().nextInt(30_000)));
    run.fault(() -> cluster.crash(bootstrap));
    if (bootstrap.isUp()) {
      return;
    }
    run.advance(NOTICED);
    expectAll(run, bootstrap, false, "within " + NOTICED);
    Start.everyoneSpeaks(run, "lobby", 5);
    run.advance(run.parameters().length());
    expectAll(run, bootstrap, false, "all the while");
    cluster.restart(bootstrap);
    cluster.subscribe(bootstrap, "lobby");
    run.advance(BootstrapFailover.RETURN);
    expectAll(run, bootstrap, true, "within " + BootstrapFailover.RETURN + " of its return");
    run.advance(Duration.ofMinutes(12));
    Start.everyoneSpeaks(run, "lobby", 5);
  }

  private static void expectAll(Run run, Node bootstrap, boolean reachable, String when) {
    Map<Node, HealthReport> reports = run.cluster().survey(Peer::getHealth);
    for (Node node : run.cluster().up()) {
      HealthReport report = reports.get(node);
      if (node == bootstrap) {
        continue;
      }
      HealthReport.State state =
          reachable ? HealthReport.State.HEALTHY : HealthReport.State.DEGRADED;
      run.expect(
          report != null
              && report.bootstraps().get(0).reachable() == reachable
              && report.state() == state,
          node.name() + " does not know " + when + " how its bootstrap peer is: " + report);
    }
  }
}
