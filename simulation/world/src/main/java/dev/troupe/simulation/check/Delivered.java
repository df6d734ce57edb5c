package dev.troupe.simulation.check;

import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Publication;
import java.util.ArrayList;
import java.util.List;

/**
 * Every message whose delivery is owed reaches each of its receivers once, in time; those whose
 * peer was started, stopped or crashed since it was published are not counted.
 */
public final class Delivered implements Checker {

  private int checked;

  @Override
  public String name() {
    return "delivered";
  }

  @Override
  public List<String> during(Cluster cluster) {
    List<String> violations = new ArrayList<>();
    List<Publication> all = cluster.publications();
    while (checked < all.size() && all.get(checked).dueAt() < cluster.system().now()) {
      check(all.get(checked++), violations);
    }
    return violations;
  }

  private static void check(Publication owed, List<String> violations) {
    if (!wasThere(owed.publisher(), owed)) {
      return;
    }
    for (Node receiver : owed.receivers()) {
      int times = receiver.heard().getOrDefault(owed.text(), 0);
      if (times != 1 && wasThere(receiver, owed)) {
        violations.add(
            receiver.name() + " heard '" + owed.text() + "' " + times + " times, not once");
      }
    }
  }

  private static boolean wasThere(Node node, Publication owed) {
    return node.isUp() && node.changedAt() <= owed.publishedAt();
  }
}
