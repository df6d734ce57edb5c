package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.health.BootstrapHealth;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The primary bootstrap peer is silent from the start and the backup is there: everybody is ready
 * in time. Then the primary returns, and everybody is connected to it.
 */
public final class BootstrapFailover implements Scenario {

  /** Within which a peer is ready though its primary bootstrap peer is down. */
  static final Duration READY = Duration.ofSeconds(20);

  /** Within which a bootstrap peer that has returned is connected: the longest pause, and a bit. */
  static final Duration RETURN = Duration.ofSeconds(90);

  @Override
  public String name() {
    return "bootstrap-failover";
  }

  @Override
  public String description() {
    return "the primary bootstrap peer is down, a backup stands in, the primary returns";
  }

  @Override
  public int peers() {
    return 20;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(2);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    Node primary = cluster.start("primary", UnaryOperator.identity());
    Node backup = cluster.start("backup", UnaryOperator.identity());
    run.advance(Duration.ofSeconds(1));
    run.fault(() -> cluster.crash(primary));
    UnaryOperator<PeerSettings> knowing =
        settings ->
            Start.knowing(List.of(primary))
                .apply(settings)
                .withBootstrap(settings.bootstrap().withBackups(List.of(backup.address())));
    for (int i = 2; i < run.parameters().peers(); i++) {
      cluster.start("peer-" + i, knowing);
      run.advance(Duration.ofMillis(cluster.chance().nextInt(1000)));
    }
    run.advance(READY);
    for (Node node : cluster.up()) {
      Dht.StateChanged dht = node.dht();
      boolean ready = node.readyAt() >= 0 && node.readyAt() - node.startedAt() < READY.toNanos();
      run.expect(
          ready || node == primary || node == backup,
          node.name() + " was not ready within " + READY + ": " + dht);
    }
    run.advance(run.parameters().length());
    if (primary.state() == Node.State.CRASHED) {
      cluster.restart(primary);
    }
    run.advance(RETURN);
    for (Map.Entry<Node, HealthReport> each : cluster.survey(Peer::getHealth).entrySet()) {
      for (BootstrapHealth health : each.getValue().bootstraps()) {
        run.expect(
            health.reachable() || health.bootstrap().backup(),
            each.getKey().name() + " is not connected to the primary that returned: " + health);
      }
    }
    // Whoever was at the primary alone finds the others when buckets are looked after.
    run.advance(Duration.ofMinutes(11));
  }
}
