package dev.troupe.simulation.check;

import dev.troupe.simulation.scenario.Cluster;
import java.util.List;

/** Watches one thing that must hold. Kept for one run. */
public interface Checker {

  /** Its name, for messages. */
  String name();

  /** Looks while the run goes on, once a virtual second; answers what is violated. */
  default List<String> during(Cluster cluster) {
    return List.of();
  }

  /** Looks after all faults have ended and the network has had time to settle. */
  default List<String> after(Cluster cluster) {
    return during(cluster);
  }

  /**
   * Until when the run must go on for this to be seen, once its scenario is over, in virtual
   * nanoseconds; what is past already is no reason.
   */
  default long owedUntil(Cluster cluster) {
    return 0;
  }
}
