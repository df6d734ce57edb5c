package dev.troupe.actors.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LedgerTest {

  @Test
  void whatWaitsIsStartedInTheOrderItWasAsked() {
    Ledger ledger = new Ledger(10);
    Dht.Operation first = operation(Readiness.UNTIL_GATE_OPENS);
    Dht.Operation second = operation(Readiness.UNTIL_GATE_OPENS);
    ledger.accept(first, 0);
    ledger.accept(second, 0);
    assertEquals(first, ledger.startNext().orElseThrow().operation());
    assertEquals(second, ledger.startNext().orElseThrow().operation());
    assertEquals(Optional.empty(), ledger.startNext());
    assertEquals(2, ledger.running());
  }

  @Test
  void itIsFullWhenSoManyWaitWhateverRuns() {
    Ledger ledger = new Ledger(1);
    ledger.accept(operation(Readiness.UNTIL_GATE_OPENS), 0);
    assertTrue(ledger.accept(operation(Readiness.UNTIL_GATE_OPENS), 0).isEmpty());
    ledger.startNext();
    assertTrue(ledger.accept(operation(Readiness.UNTIL_GATE_OPENS), 0).isPresent());
  }

  @Test
  void patienceEndsInTheMiddleOfTheQueue() {
    Ledger ledger = new Ledger(10);
    ledger.accept(operation(Readiness.UNTIL_GATE_OPENS), 0);
    Dht.Operation hasty = operation(Readiness.within(Duration.ofNanos(10)));
    ledger.accept(hasty, 5);
    ledger.accept(operation(Readiness.within(Duration.ofNanos(100))), 5);
    assertEquals(Optional.of(Duration.ofNanos(10)), ledger.nextExpiry(5));
    assertEquals(List.of(), ledger.expire(14));
    assertEquals(List.of(hasty), ledger.expire(15));
    assertEquals(List.of(), ledger.expire(15));
    assertEquals(2, ledger.waiting());
    assertEquals(Optional.of(Duration.ofNanos(90)), ledger.nextExpiry(15));
  }

  @Test
  void whatRunsDoesNotExpire() {
    Ledger ledger = new Ledger(10);
    ledger.accept(operation(Readiness.within(Duration.ofNanos(10))), 0);
    ledger.startNext();
    assertEquals(List.of(), ledger.expire(1000));
    assertEquals(Optional.empty(), ledger.nextExpiry(1000));
  }

  /** Whatever is done to it, in whatever order: what was accepted is taken out once. */
  @Test
  void everyOperationLeavesItExactlyOnce() {
    for (long seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      Ledger ledger = new Ledger(8);
      List<Dht.Operation> accepted = new ArrayList<>();
      List<Dht.Operation> taken = new ArrayList<>();
      Set<Long> ids = new LinkedHashSet<>();
      for (int now = 0; now < 300; now++) {
        long someId =
            ids.isEmpty()
                ? 99
                : ids.stream().skip(random.nextInt(ids.size())).findFirst().orElseThrow();
        switch (random.nextInt(7)) {
          case 0 -> ledger.startNext();
          case 1 -> ledger.settle(someId).ifPresent(taken::add);
          case 2 -> ledger.withdraw(someId).ifPresent(taken::add);
          case 3 -> taken.addAll(ledger.expire(now));
          case 4 -> {
            if (random.nextInt(20) == 0) {
              taken.addAll(ledger.abandonRunning());
            }
          }
          default -> {
            Dht.Operation operation =
                operation(Readiness.within(Duration.ofNanos(random.nextInt(50))));
            ledger
                .accept(operation, now)
                .ifPresent(
                    entry -> {
                      accepted.add(operation);
                      assertTrue(ids.add(entry.id()));
                    });
          }
        }
        assertTrue(ledger.waiting() <= 8);
        assertEquals(accepted.size(), taken.size() + ledger.waiting() + ledger.running());
      }
      taken.addAll(ledger.drain());
      assertEquals(accepted.size(), taken.size());
      assertEquals(Set.copyOf(accepted), Set.copyOf(taken));
      assertEquals(0, ledger.waiting() + ledger.running());
    }
  }

  private static int number;

  private static Dht.Operation operation(Readiness readiness) {
    return new Dht.FindPeer(Script.peer(++number), readiness, null);
  }
}
