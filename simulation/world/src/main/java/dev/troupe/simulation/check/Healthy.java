package dev.troupe.simulation.check;

import dev.troupe.actors.dht.Dht;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.List;

/** After all faults have ended, every peer listens and its DHT is ready, with somebody to ask. */
public final class Healthy implements Checker {

  @Override
  public String name() {
    return "healthy";
  }

  @Override
  public List<String> after(Cluster cluster) {
    List<String> violations = new ArrayList<>();
    for (Node node : cluster.up()) {
      Dht.StateChanged dht = node.dht();
      if (node.listeningAt() < 0) {
        violations.add(node.name() + " does not listen");
      } else if (dht == null || dht.state() != Dht.State.READY || node.readyAt() < 0) {
        violations.add("the DHT of " + node.name() + " is " + dht);
      }
    }
    return violations;
  }
}
