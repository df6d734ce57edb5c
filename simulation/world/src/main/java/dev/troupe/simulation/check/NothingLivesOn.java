package dev.troupe.simulation.check;

import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Of a peer that was stopped, nothing is left 10 s later: no actor, connection or listener. */
public final class NothingLivesOn implements Checker {

  private static final long GRACE_NANOS = 10_000_000_000L;

  private final Set<String> checked = new LinkedHashSet<>();

  @Override
  public String name() {
    return "nothing-lives-on";
  }

  @Override
  public List<String> during(Cluster cluster) {
    List<String> violations = new ArrayList<>();
    for (Node node : cluster.nodes()) {
      if (node.state() == Node.State.STOPPED
          && cluster.system().now() - node.changedAt() > GRACE_NANOS
          && checked.add(node.name() + "/" + node.incarnation())) {
        if (!cluster.system().hasStopped(node.peer())) {
          violations.add(
              "the actors of "
                  + node.name()
                  + " live on: "
                  + cluster.system().children(node.peer()).keySet());
        }
        long open = cluster.network().openOn(node.machine());
        if (open > 0) {
          violations.add(open + " connections or listeners of " + node.name() + " live on");
        }
      }
    }
    return violations;
  }

  @Override
  public long owedUntil(Cluster cluster) {
    return cluster.nodes().stream()
        .filter(node -> node.state() == Node.State.STOPPED)
        .mapToLong(node -> node.changedAt() + GRACE_NANOS)
        .max()
        .orElse(0);
  }
}
