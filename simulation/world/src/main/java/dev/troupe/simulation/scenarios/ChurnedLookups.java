package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.Dht;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Peers crash, stop and come back while others look for each other: who is up is found, nearly
 * always.
 */
public final class ChurnedLookups implements Scenario {

  /** Of the lookups of peers that were up from beginning to end, this part at least succeeds. */
  private static final double SUCCESS = 0.97;

  @Override
  public String name() {
    return "churned-lookups";
  }

  @Override
  public String description() {
    return "peers crash, stop and return while others look them up";
  }

  @Override
  public int peers() {
    return 60;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(5);
  }

  private record Lookup(Operation operation, Node sought) {}

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    List<Node> nodes = Start.network(run, "lobby");
    List<Lookup> lookups = new ArrayList<>();
    long end = cluster.system().now() + run.parameters().length().toNanos();
    while (cluster.system().now() < end) {
      Node victim = nodes.get(1 + cluster.chance().nextInt(nodes.size() - 1));
      boolean inOrder = cluster.chance().nextBoolean();
      if (victim.isUp()) {
        run.fault(() -> replace(run, victim, inOrder));
      }
      for (int i = 0; i < 3; i++) {
        Node sought = cluster.any();
        Node seeker = cluster.any();
        if (sought != seeker && sought.listeningAt() >= 0 && isSettled(cluster, sought)) {
          lookups.add(new Lookup(cluster.findPeer(seeker, sought.id()), sought));
        }
      }
      run.advance(Duration.ofSeconds(3));
    }
    run.advance(Cluster.BOUND);
    long counted = 0;
    long found = 0;
    for (Lookup lookup : lookups) {
      if (!lookup.operation().isMoot()
          && lookup.sought().isUp()
          && lookup.sought().changedAt() < lookup.operation().askedAt()
          && lookup.operation().node().changedAt() < lookup.operation().askedAt()) {
        counted++;
        found += lookup.operation().reply() instanceof Dht.PeerFound ? 1 : 0;
      }
    }
    run.expect(
        found >= SUCCESS * counted, found + " of " + counted + " lookups found a peer that is up");
    // Tables and meshes are given the time that their refresh needs.
    run.advance(Duration.ofMinutes(12));
    Start.everyoneSpeaks(run, "lobby", 5);
  }

  private static boolean isSettled(Cluster cluster, Node node) {
    return cluster.system().now() - node.startedAt() > Duration.ofSeconds(30).toNanos();
  }

  private static void replace(Run run, Node victim, boolean inOrder) {
    if (inOrder) {
      run.cluster().stop(victim);
    } else {
      run.cluster().crash(victim);
    }
    run.after(
        Duration.ofSeconds(20),
        () -> {
          run.cluster().restart(victim);
          run.cluster().subscribe(victim, "lobby");
        });
  }
}
