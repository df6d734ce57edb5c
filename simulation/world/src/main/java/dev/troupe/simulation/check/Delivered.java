package dev.troupe.simulation.check;

import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Publication;
import java.util.ArrayList;
import java.util.List;

/**
 * Every message whose delivery is owed reaches each of its receivers once, in time; those whose
 * peer was started, stopped or crashed since it was published are not counted.
 *
 * <p>A crash of the gossip actor loses what it had not yet sent or asked for, and the memory of
 * what it has seen. So a message is not owed by a publisher, or to a receiver, whose gossip was
 * crashed while it was due; and a receiver may hear it once more for each crash since it was
 * published.
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

  @Override
  public long owedUntil(Cluster cluster) {
    return cluster.publications().stream()
        .skip(checked)
        .mapToLong(Publication::dueAt)
        .max()
        .orElse(0);
  }

  private static void check(Publication owed, List<String> violations) {
    if (!wasThere(owed.publisher(), owed)) {
      return;
    }
    int lost = gossipCrashes(owed.publisher(), owed);
    for (Node receiver : owed.receivers()) {
      int times = receiver.heard().getOrDefault(owed.text(), 0);
      int crashes = gossipCrashes(receiver, owed);
      boolean tooFew = times == 0 && crashes == 0 && lost == 0;
      if ((tooFew || times > 1 + crashes) && wasThere(receiver, owed)) {
        violations.add(
            receiver.name() + " heard '" + owed.text() + "' " + times + " times, not once");
      }
    }
  }

  private static int gossipCrashes(Node node, Publication owed) {
    return node.crashesOf("gossip", owed.publishedAt(), owed.dueAt());
  }

  private static boolean wasThere(Node node, Publication owed) {
    return node.isUp() && node.changedAt() <= owed.publishedAt();
  }
}
