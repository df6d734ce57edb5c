package example.guarded;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.core.status.InfoStatus;
import dev.troupe.actors.peer.Peer;
import dev.troupe.simulation.testkit.Machine;
import dev.troupe.simulation.testkit.Service;
import dev.troupe.simulation.testkit.Simulated;
import dev.troupe.simulation.testkit.Simulation;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Keeps the rules. */
@Simulated(seeds = "1..2,7")
public class Honest {

  /** Having it is not calling it. */
  private static final LongSupplier REAL_CLOCK = System::nanoTime;

  private static int runs;

  private final List<String> before = new ArrayList<>();

  @BeforeEach
  void prepare(Simulation sim) {
    before.add("prepared at " + sim.now().toMillis());
  }

  @AfterEach
  void check(Simulation sim) {
    assertTrue(!sim.now().isNegative() && !before.isEmpty());
  }

  @Test
  void staticsStartAfreshInEachRun() {
    assertEquals(1, ++runs);
    assertNotSame(ClassLoader.getSystemClassLoader(), Honest.class.getClassLoader());
    assertEquals(List.of("prepared at 0"), before);
    assertEquals(Honest.class.getClassLoader(), Thread.currentThread().getContextClassLoader());
  }

  @Test
  void whatIsSeededOrGivenATimeIsFine(Simulation sim) {
    assertEquals(new Random(7).nextInt(), new Random(7).nextInt());
    Clock fixed = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
    assertEquals(Instant.EPOCH, Instant.now(fixed));
    List<Integer> list = new ArrayList<>(List.of(1, 2, 3));
    Collections.shuffle(list, new Random(1));
    assertEquals(
        "done",
        CompletableFuture.completedFuture("do")
            .thenApplyAsync(text -> text + "ne", Runnable::run)
            .getNow(""));
    assertTrue(REAL_CLOCK != null);
    InetSocketAddress unresolved = InetSocketAddress.createUnresolved("b.example.org", 80);
    assertEquals("b.example.org", unresolved.getHostString());
    assertEquals(80, new InetSocketAddress(InetAddress.getLoopbackAddress(), 80).getPort());
    assertTrue(sim.machine("here").world().clock().instant().isAfter(Instant.EPOCH));
  }

  @Test
  void aLibraryThatIsNotGuardedIsLeftAlone() {
    assertEquals("fine", new InfoStatus("fine", null).getMessage());
  }

  @Simulated(seed = 9)
  void aMethodFollowsItsOwnAnnotation(Simulation sim) {
    assertEquals(9, sim.system().seed());
  }

  /** Inner classes are in the same world. */
  @Nested
  class Inner {
    @Test
    void peersMeet(Simulation sim) {
      assertEquals(List.of("prepared at 0"), before);
      Machine hub = sim.machine("hub");
      hub.startPeer();
      Service<Peer.Command> peer = sim.machine("peer").startPeer(hub);
      sim.awaitDhtReady(peer.ref());
      System.out.println("TRACE " + sim.system().seed() + " " + sim.traceHash());
    }
  }
}
