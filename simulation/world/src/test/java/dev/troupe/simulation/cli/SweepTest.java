package dev.troupe.simulation.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Sweeps and repetitions with runs that are made up. */
class SweepTest {

  private static final Parameters MODEL =
      Parameters.parse("bootstrap-storm/40/1/60s/host/random/all");
  private static final WorkerReply CLEAN = new WorkerReply("00000000000000aa", 10, "");
  private static final WorkerReply LOST =
      new WorkerReply("", 0, "worker: the JVM of the run ended");

  private record Made(Function<Parameters, WorkerReply> runs) implements Player {
    @Override
    public WorkerReply play(Parameters parameters) {
      return runs.apply(parameters);
    }

    @Override
    public void close() {}
  }

  private static Sweep sweep(Function<Parameters, WorkerReply> runs) {
    return new Sweep(() -> new Made(runs), 2);
  }

  @Test
  void eachSeedIsPlayedOnce() throws InterruptedException {
    Set<Long> seeds = new ConcurrentSkipListSet<>();
    AtomicInteger runs = new AtomicInteger();
    Sweep.Outcome outcome =
        sweep(
                run -> {
                  seeds.add(run.seed());
                  runs.incrementAndGet();
                  return CLEAN;
                })
            .play(MODEL, 3, 52);
    assertNull(outcome.failed());
    assertEquals(500, outcome.events());
    assertEquals(50, seeds.size());
    assertEquals(50, runs.get());
  }

  @Test
  void aSeedThatFailsEndsTheSweep() throws InterruptedException {
    AtomicInteger runs = new AtomicInteger();
    Sweep.Failed failed =
        sweep(
                run -> {
                  runs.incrementAndGet();
                  return run.seed() == 7 ? violated("healthy: no") : CLEAN;
                })
            .play(MODEL, 1, 1_000_000)
            .failed();
    assertEquals(7, failed == null ? -1 : failed.parameters().seed());
    assertTrue(runs.get() < 1_000_000);
  }

  @Test
  void whatCannotBePlayedIsNeverClean() throws InterruptedException {
    Sweep.Outcome lost = sweep(run -> run.seed() == 7 ? LOST : CLEAN).play(MODEL, 1, 9);
    assertEquals(LOST, lost.failed() == null ? CLEAN : lost.failed().reply());
    assertThrows(
        IllegalStateException.class,
        () ->
            sweep(
                    run -> {
                      throw new IllegalArgumentException("no such run");
                    })
                .play(MODEL, 1, 9));
    assertThrows(
        IllegalStateException.class,
        () ->
            new Sweep(
                    () -> {
                      throw new IllegalArgumentException("no more threads");
                    },
                    2)
                .play(MODEL, 1, 9));
  }

  @Test
  void whatFailsIsMadeSmallerAsLongAsTheSameCheckerFails() {
    Sweep sweep =
        sweep(
            run -> {
              if (run.peers() < 11) {
                return LOST;
              }
              return run.faults() < 3 ? violated("delivered: not") : violated("healthy: no");
            });
    Sweep.Failed small = sweep.shrink(new Sweep.Failed(MODEL, violated("healthy: no")));
    assertEquals(11, small.parameters().peers());
    assertEquals(3, small.parameters().faults());
    assertEquals("healthy: no", small.reply().violation());
  }

  @Test
  void whatDoesNotFailWithLessIsLeftAsItIs() {
    Sweep.Failed failed = new Sweep.Failed(MODEL, violated("healthy: no"));
    assertSame(failed, sweep(run -> CLEAN).shrink(failed));
  }

  @Test
  void theLineThatIsPrintedIsOneThatReplayTakes() {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    Parameters small = Parameters.parse("bootstrap-storm/3/7/1s/host/fifo/0");
    SweepCommand.print(
        new PrintStream(printed, true, StandardCharsets.UTF_8),
        "seed 7",
        new Sweep.Failed(small, violated("healthy: no")));
    List<String> lines =
        printed.toString(StandardCharsets.UTF_8).lines().filter(l -> l.startsWith("rep")).toList();
    assertEquals(List.of("replay " + small.token()), lines);
    assertNotEquals(2, Main.execute(lines.get(0).split(" ")));
  }

  @Test
  void repliesSurviveTheirLine() {
    WorkerReply reply = violated("healthy: no, it is not");
    assertEquals(reply, WorkerReply.parse(reply.line()));
    assertEquals(CLEAN, WorkerReply.parse(CLEAN.line()));
    for (String line : List.of("", "#", "# A fatal error has been detected", "a\tb\tc")) {
      assertNull(WorkerReply.parse(line), line);
    }
  }

  private static WorkerReply violated(String what) {
    return new WorkerReply("00000000000000bb", 10, what);
  }

  // --- repetitions

  private static int repeat(Function<Parameters, WorkerReply> runs, ByteArrayOutputStream out)
      throws InterruptedException {
    return RepeatCommand.compare(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        List.of(MODEL),
        3,
        5,
        () -> new Made(runs),
        2);
  }

  private static WorkerReply bySeed(Parameters run) {
    return new WorkerReply(String.format("%016x", run.seed()), 10, "");
  }

  @Test
  void oneSeedGivesOneTraceAndOthersGiveOthers() throws InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertEquals(0, repeat(SweepTest::bySeed, out));
    assertTrue(
        out.toString(StandardCharsets.UTF_8)
            .contains(
                "3 of 3 runs gave trace 0000000000000001; 5 other seeds gave 5 other traces"));
    AtomicInteger runs = new AtomicInteger();
    assertEquals(
        1,
        repeat(
            run -> new WorkerReply(String.format("%016x", runs.incrementAndGet()), 10, ""), out));
    assertEquals(1, repeat(run -> CLEAN, out));
  }

  @Test
  void eachJvmPlaysEveryWayAndNoTwoBeginAlike() throws InterruptedException {
    Parameters other = MODEL.withWay(Fidelity.WIRE, Order.FIFO);
    List<List<Parameters>> jvms = new CopyOnWriteArrayList<>();
    Supplier<Player> players =
        () -> {
          List<Parameters> runs = new CopyOnWriteArrayList<>();
          jvms.add(runs);
          return new Made(
              run -> {
                runs.add(run);
                return new WorkerReply(
                    String.format("%08x%08x", run.fidelity().ordinal(), run.seed()), 10, "");
              });
        };
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
    assertEquals(0, RepeatCommand.compare(print, List.of(MODEL, other), 2, 3, players, 1));
    assertEquals(
        List.of(
            List.of(MODEL, other),
            List.of(other, MODEL),
            List.of(
                MODEL.withSeed(2),
                other.withSeed(2),
                MODEL.withSeed(3),
                other.withSeed(3),
                MODEL.withSeed(4),
                other.withSeed(4))),
        jvms);
    String said = out.toString(StandardCharsets.UTF_8);
    assertTrue(said.contains("trace 0000000100000003 " + other.withSeed(3).token()), said);
    for (Parameters each : List.of(MODEL, other)) {
      assertTrue(
          said.contains(
              String.format(
                  "%s: 2 of 2 runs gave trace %08x%08x; 3 other seeds gave 3 other traces",
                  each.token(), each.fidelity().ordinal(), 1)),
          said);
    }
    // One way that varies is enough to fail.
    AtomicInteger runs = new AtomicInteger();
    Supplier<Player> varying =
        () ->
            new Made(
                run ->
                    run.fidelity() == Fidelity.HOST
                        ? bySeed(run)
                        : new WorkerReply(
                            String.format("%016x", 100 + runs.incrementAndGet()), 10, ""));
    assertEquals(1, RepeatCommand.compare(print, List.of(MODEL, other), 2, 3, varying, 1));
  }

  @Test
  void aRunThatIsLostOrViolatedIsNoOtherTrace() throws InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertEquals(1, repeat(run -> run.seed() == 4 ? LOST : bySeed(run), out));
    String said = out.toString(StandardCharsets.UTF_8);
    assertTrue(said.contains("VIOLATED worker: the JVM of the run ended"), said);
    assertTrue(said.contains("replay " + MODEL.withSeed(4).token()), said);
    assertTrue(said.contains("5 other seeds gave 4 other traces"), said);
    assertFalse(said.contains("gave 5 other"), said);
    assertEquals(1, repeat(run -> new WorkerReply(bySeed(run).trace(), 10, "healthy: no"), out));
  }
}
