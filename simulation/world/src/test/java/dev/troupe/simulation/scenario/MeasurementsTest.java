package dev.troupe.simulation.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.IntSummaryStatistics;
import java.util.List;
import org.junit.jupiter.api.Test;

class MeasurementsTest {

  @Test
  void beyondTheCapDeliveriesAreCountedOnly() {
    Measurements measurements = new Measurements(100);
    for (int i = 0; i < 130; i++) {
      measurements.delivered(i, 3L * i);
    }
    assertEquals(130, measurements.deliveries());
    assertEquals(100, measurements.kept());
    assertEquals(99, measurements.publishedAt(99));
    assertEquals(198, measurements.latency(99));
  }

  @Test
  void aStartThatNeverBecameReadySaysSo() {
    Measurements measurements = new Measurements();
    measurements.started("a", 1, 10).ready(25);
    measurements.started("a", 2, 40);
    assertEquals(
        List.of(15L, -1L), measurements.starts().stream().map(each -> each.toReady()).toList());
  }

  @Test
  void aLookAtNoMeshIsNone() {
    Measurements measurements = new Measurements();
    measurements.meshes(5, new IntSummaryStatistics());
    assertEquals(List.of(), measurements.meshLooks());
  }
}
