package dev.troupe.simulation.check;

import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Operation;
import java.util.ArrayList;
import java.util.List;

/**
 * Every operation is answered exactly once, within its bound of virtual time, unless the machine
 * that asked has crashed.
 */
public final class AnsweredOnce implements Checker {

  /** Operations before this one have been answered, or are moot. */
  private int settled;

  @Override
  public String name() {
    return "answered-once";
  }

  @Override
  public List<String> during(Cluster cluster) {
    List<String> violations = new ArrayList<>();
    List<Operation> all = cluster.operations();
    long now = cluster.system().now();
    for (int i = settled; i < all.size(); i++) {
      Operation operation = all.get(i);
      if (operation.answers() == 0 && !operation.isMoot() && now > operation.dueAt()) {
        violations.add(
            operation
                + " has not been answered "
                + (now - operation.askedAt()) / 1_000_000
                + " ms after it was asked");
      }
    }
    while (settled < all.size() && (all.get(settled).answers() > 0 || all.get(settled).isMoot())) {
      settled++;
    }
    return violations;
  }

  @Override
  public List<String> after(Cluster cluster) {
    List<String> violations = new ArrayList<>(during(cluster));
    for (Operation operation : cluster.operations()) {
      if (operation.answers() > 1) {
        violations.add(operation + " was answered " + operation.answers() + " times");
      }
    }
    return violations;
  }

  @Override
  public long owedUntil(Cluster cluster) {
    return cluster.operations().stream()
        .skip(settled)
        .filter(operation -> operation.answers() == 0 && !operation.isMoot())
        .mapToLong(Operation::dueAt)
        .max()
        .orElse(0);
  }
}
