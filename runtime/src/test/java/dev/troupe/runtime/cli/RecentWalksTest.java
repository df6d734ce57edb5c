package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.troupe.actors.world.Measurements;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecentWalksTest {

  @Test
  void theLastOnesAreRememberedAndAllArePassedOn() {
    List<Integer> passedOn = new ArrayList<>();
    Measurements next =
        new Measurements() {
          @Override
          public void onWalked(int asked, int hops, Duration took) {
            passedOn.add(asked);
          }
        };
    long[] now = new long[1];
    RecentWalks walks = new RecentWalks(next, () -> now[0]);
    for (int i = 0; i < RecentWalks.MAX + 2; i++) {
      now[0] = i;
      walks.onWalked(i, 1, Duration.ofMillis(5));
    }
    List<RecentWalks.Walk> latest = walks.latest();
    assertEquals(RecentWalks.MAX, latest.size());
    assertEquals(
        new RecentWalks.Walk(RecentWalks.MAX, 1, Duration.ofMillis(5), Duration.ofNanos(1)),
        latest.get(1));
    assertEquals(RecentWalks.MAX + 2, passedOn.size());
  }
}
