package dev.troupe.simulation.report;

import dev.troupe.simulation.scenario.Measurements;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;

/**
 * One thing that the page shows.
 *
 * @param about what it says and what it does not
 * @param table where the numbers are
 */
record Figure(String title, String about, Content content, DataTable table) {

  /** What is drawn. */
  sealed interface Content {
    /** Whether there is nothing to draw. */
    boolean isEmpty();
  }

  /** Spans of time in nanoseconds, in any order: their cumulative distribution. */
  record Times(String axis, long[] nanos) implements Content {
    @Override
    public boolean isEmpty() {
      return nanos.length == 0;
    }
  }

  /** How often each number occurs. */
  record Counts(String axis, String unit, NavigableMap<Integer, Long> counts) implements Content {
    @Override
    public boolean isEmpty() {
      return counts.isEmpty();
    }
  }

  /** How far lookups led, and how long they took. */
  record Lookups(Counts hops, Times took) implements Content {
    @Override
    public boolean isEmpty() {
      return took.isEmpty();
    }
  }

  /** Degrees of meshes at the end and over time. */
  record Degrees(Counts atTheEnd, List<Measurements.MeshLook> looks) implements Content {
    @Override
    public boolean isEmpty() {
      return atTheEnd.isEmpty() && looks.isEmpty();
    }
  }

  /** A sum for each name. */
  record Shares(String unit, Map<String, Long> sums) implements Content {
    @Override
    public boolean isEmpty() {
      return sums.isEmpty();
    }
  }
}
