package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class RoundTripTest {

  private static final long FLOOR = 1000;
  private static final long CEILING = 10_000;

  @Test
  void aTimeThatWasNotMeasuredIsTheCeiling() {
    assertEquals(CEILING, RoundTrip.UNKNOWN.timeout(FLOOR, CEILING));
    assertEquals(CEILING, RoundTrip.UNKNOWN.timedOut(1).timeout(FLOOR, CEILING));
  }

  @Test
  void timesAreSmoothedAsTcpDoesIt() {
    // RFC 6298, section 2: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR.
    RoundTrip first = RoundTrip.UNKNOWN.measured(800);
    assertEquals(new RoundTrip(800, 400, 0), first);
    assertEquals(2400, first.timeout(FLOOR, CEILING));
    // RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R'|, SRTT = 7/8 SRTT + 1/8 R'.
    assertEquals(new RoundTrip(900, 500, 0), first.measured(1600));
  }

  @Test
  void itIsNeverLessThanTheFloorNorMoreThanTheCeiling() {
    RoundTrip quick = RoundTrip.UNKNOWN.measured(10);
    assertEquals(FLOOR, quick.timeout(FLOOR, CEILING));
    assertEquals(500, quick.timeout(FLOOR, 500), "the ceiling is what was allowed");
    assertEquals(CEILING, RoundTrip.UNKNOWN.measured(9000).timeout(FLOOR, CEILING));
  }

  @Test
  void eachTimeoutDoublesItAndAMeasurementEndsThat() {
    RoundTrip quick = RoundTrip.UNKNOWN.measured(10);
    assertEquals(2 * FLOOR, quick.timedOut(1).timeout(FLOOR, CEILING));
    assertEquals(8 * FLOOR, quick.timedOut(3).timeout(FLOOR, CEILING));
    assertEquals(CEILING, quick.timedOut(4).timeout(FLOOR, CEILING));
    assertEquals(FLOOR, quick.timedOut(4).measured(10).timeout(FLOOR, CEILING));
  }

  @Property(tries = 500)
  void itStaysWithinItsBoundsWhateverIsMeasured(
      @ForAll @LongRange(min = 0, max = 1L << 50) long first,
      @ForAll @LongRange(min = 0, max = 1L << 50) long second,
      @ForAll @LongRange(min = 0, max = 100) long timeouts,
      @ForAll @LongRange(min = 1, max = Long.MAX_VALUE) long ceiling) {
    RoundTrip roundTrip = RoundTrip.UNKNOWN.measured(first).measured(second);
    for (int i = 0; i < timeouts; i++) {
      roundTrip = roundTrip.timedOut(1);
    }
    long timeout = roundTrip.timeout(FLOOR, ceiling);
    assertTrue(timeout >= Math.min(FLOOR, ceiling) && timeout <= ceiling, "" + timeout);
  }
}
