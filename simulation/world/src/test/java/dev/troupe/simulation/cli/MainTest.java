package dev.troupe.simulation.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Violation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

  private record Outcome(int code, String out, String err) {}

  private static Outcome execute(String... arguments) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    ByteArrayOutputStream complained = new ByteArrayOutputStream();
    System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
    try {
      int code = Main.execute(arguments);
      return new Outcome(
          code, said.toString(StandardCharsets.UTF_8), complained.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "run nonsense",
        "run bootstrap-storm --peers 0",
        "run bootstrap-storm --peers -3",
        "run bootstrap-storm --peers many",
        "run bootstrap-storm --for soon",
        "run bootstrap-storm --for 0s",
        "run bootstrap-storm --fidelity high",
        "run bootstrap-storm --order none",
        "run bootstrap-storm --seed x",
        "sweep bootstrap-storm",
        "sweep bootstrap-storm --seeds 9..3",
        "sweep nonsense --seeds 1..3",
        "repeat bootstrap-storm --times 0",
        "repeat bootstrap-storm --others -1",
        "repeat nonsense",
        "bench --peers 1",
        "bench --connections 3",
        "bench --every 0s",
        "bench --for never",
        "bench --refresh 0s",
        "bench --fidelity high",
        "replay nonsense",
        "replay nonsense/3/1/1s/host/fifo/all",
        "replay bootstrap-storm/3/1/1s/host/fifo/some",
        "nonsense"
      })
  void whatCannotBeUnderstoodIsRefusedBeforeAnythingRuns(String line) {
    Outcome outcome = execute(line.split(" "));
    assertEquals(2, outcome.code(), outcome::err);
    assertTrue(outcome.err().length() > 20, outcome::err);
    assertEquals("", outcome.out());
  }

  @Test
  void aRunEndsWithOneLineThatIsTheSameEachTimeButForTheWallClock() {
    String[] line = "run bootstrap-storm --peers 5 --seed 3 --for 5s --order random".split(" ");
    Outcome first = execute(line);
    assertEquals(0, first.code(), first::out);
    String expected = "trace [0-9a-f]{16} peers 5 virtual [0-9.]+ wall [0-9.]+ events [0-9]+\\n";
    assertTrue(first.out().matches(expected), first::out);
    Outcome again = execute("replay", "bootstrap-storm/5/3/5s/host/random/all");
    assertEquals(
        first.out().replaceAll("wall [0-9.]+", ""), again.out().replaceAll("wall [0-9.]+", ""));
  }

  private static final String SMALL = "run bootstrap-storm --peers 4 --seed 3 --for 5s --report ";

  private static Outcome small(Path report) {
    List<String> line = new ArrayList<>(List.of(SMALL.strip().split(" ")));
    line.add(report.toString());
    return execute(line.toArray(String[]::new));
  }

  @Test
  void aReportThatCannotBeWrittenIsRefusedBeforeAnythingRuns(@TempDir Path here)
      throws IOException {
    Path file = Files.writeString(here.resolve("file"), "in the way");
    Path full = Files.createDirectory(here.resolve("full"));
    Files.writeString(full.resolve("letter"), "of somebody");
    List<Path> bad = new ArrayList<>(List.of(file, file.resolve("below"), full));
    Path closed = Files.createDirectory(here.resolve("closed"));
    if (closed.toFile().setWritable(false) && !Files.isWritable(closed)) {
      bad.add(closed); // Whoever may write everywhere cannot try this.
    }
    for (Path directory : bad) {
      Outcome outcome = small(directory);
      assertEquals(2, outcome.code(), directory + ": " + outcome.err());
      assertTrue(outcome.err().contains("the report"), outcome::err);
      assertTrue(outcome.err().contains(directory.toString()), outcome::err);
      assertEquals("", outcome.out());
    }
    assertEquals("in the way", Files.readString(file));
    try (Stream<Path> inside = Files.list(full)) {
      assertEquals(List.of(full.resolve("letter")), inside.toList());
    }
  }

  @Test
  void aReportIsWrittenWhereItIsAskedForTwiceIfNeedBe(@TempDir Path here) {
    Path directory = here.resolve("not").resolve("yet");
    Outcome plain = execute(SMALL.replace(" --report ", "").split(" "));
    Outcome first = small(directory);
    assertEquals(0, first.code(), first::err);
    assertTrue(Files.exists(directory.resolve("index.html")));
    assertEquals("report: " + directory.resolve("index.html") + "\n", first.err());
    assertEquals(
        plain.out().replaceAll("wall [0-9.]+", ""), first.out().replaceAll("wall [0-9.]+", ""));
    Outcome again =
        execute("replay", "bootstrap-storm/4/3/5s/host/fifo/all", "--report", directory.toString());
    assertEquals(0, again.code(), again::err);
  }

  @Test
  void aFailurePrintsTheLineThatReplaysIt() {
    Parameters parameters =
        new Parameters(
            "churned-lookups", 7, -5, Duration.ofMillis(1500), Fidelity.WIRE, Order.RANDOM, 3);
    assertEquals(parameters, Parameters.parse(parameters.token()));
    Result result =
        new Result(parameters, 255, 7, 2_000_000_000L, 9, List.of(new Violation("x", 0, "y")));
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int code = Report.print(new PrintStream(said, true, StandardCharsets.UTF_8), result, 1);
    assertEquals(1, code);
    List<String> lines = said.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals("VIOLATED x at 0.000 s: y", lines.get(0));
    assertEquals("replay churned-lookups/7/-5/1500ms/wire/random/3", lines.get(1));
    assertTrue(lines.get(2).startsWith("trace 00000000000000ff peers 7 "), lines.get(2));
  }

  @Test
  void aBenchRefusesPausesThatAreNone() {
    for (String pause : List.of("--every", "--join")) {
      Outcome outcome = execute("bench", "--peers", "12", pause, "0s");
      assertEquals(2, outcome.code());
      assertTrue(outcome.err().contains("must be more than 0"), outcome::err);
    }
  }

  @Test
  void aBenchSaysWhatEachStageCost() {
    Outcome outcome = execute("bench", "--peers", "12", "--for", "30s", "--every", "5s");
    assertEquals(0, outcome.code(), outcome::out);
    assertTrue(
        outcome
            .out()
            .matches(
                "(?s)forming  peers 12 .*heap .* bytes a peer.*steady   peers 12 virtual 30.000 .*"
                    + "trace [0-9a-f]{16} peers 12 .*"),
        outcome::out);
  }

  @Test
  void repeatingComparesTheTracesOfRunsInTheirOwnJvms() {
    Outcome outcome =
        execute(
            "repeat bootstrap-storm --peers 4 --for 3s --seed 5 --times 2 --others 1 --every-way"
                .split(" "));
    assertEquals(0, outcome.code(), outcome::out);
    String end = "%s: 2 of 2 runs gave trace [0-9a-f]{16}; 1 other seeds gave 1 other traces\\n";
    assertTrue(
        outcome
            .out()
            .matches(
                "(trace [0-9a-f]{16} bootstrap-storm/\\S+\\n){12}"
                    + end.formatted("bootstrap-storm/4/5/3s/host/fifo/all")
                    + end.formatted("bootstrap-storm/4/5/3s/host/random/all")
                    + end.formatted("bootstrap-storm/4/5/3s/wire/fifo/all")
                    + end.formatted("bootstrap-storm/4/5/3s/wire/random/all")),
        outcome::out);
  }
}
