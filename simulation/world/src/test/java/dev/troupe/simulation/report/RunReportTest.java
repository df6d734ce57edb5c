package dev.troupe.simulation.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import dev.troupe.simulation.scenarios.Scenarios;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RunReportTest {

  private static final int PEERS = 6;

  /** All but the bootstrap peer. */
  private static final int SUBSCRIBERS = PEERS - 1;

  private static final List<String> TITLES =
      List.of(
          "Delivery latency",
          "Time to ready",
          "Routing-table fill",
          "Mesh degree",
          "Lookup hops",
          "Traffic by protocol");

  @TempDir Path directory;

  private static Parameters parameters(String scenario, Fidelity fidelity) {
    return new Parameters(
        scenario, PEERS, 3, Duration.ofSeconds(5), fidelity, Order.RANDOM, Parameters.ALL_FAULTS);
  }

  private Result report(Scenario scenario, Parameters parameters) throws IOException {
    RunReport report = RunReport.in(directory);
    Result result = Run.of(scenario, parameters, Run.allCheckers(), run -> {}, report::survey);
    assertEquals(directory.resolve("index.html"), report.write(result, 1_500_000_000L));
    return result;
  }

  /** The rows of a table without the names of its columns; each as long as those. */
  private List<String[]> rows(String name, int columns) throws IOException {
    List<String> lines = Files.readAllLines(directory.resolve(name + ".csv"));
    lines.forEach(line -> assertEquals(columns, line.split(",", -1).length, line));
    return lines.stream().skip(1).map(line -> line.split(",", -1)).toList();
  }

  @ParameterizedTest
  @EnumSource(Fidelity.class)
  void aReportHoldsPlotsAndDataAndLeavesTheTraceAsItIs(Fidelity fidelity) throws IOException {
    Scenario scenario = Scenarios.named("bootstrap-storm");
    Parameters parameters = parameters(scenario.name(), fidelity);
    Result result = report(scenario, parameters);
    assertEquals(List.of(), result.violations());
    assertEquals(Run.of(scenario, parameters), result);

    List<String[]> deliveries = rows("delivery-latency", 2);
    assertFalse(deliveries.isEmpty());
    List<String[]> ready = rows("time-to-ready", 4);
    assertEquals(PEERS, ready.size());
    ready.forEach(row -> assertFalse(row[3].isEmpty(), Arrays.toString(row)));
    List<String[]> tables = rows("table-fill", 2);
    assertEquals(PEERS, tables.size());
    tables.forEach(row -> assertEquals(PEERS - 1, Integer.parseInt(row[1]), row[0]));
    List<String[]> meshes = rows("mesh-degree", 4);
    assertEquals(SUBSCRIBERS, meshes.size());
    meshes.forEach(row -> assertEquals("lobby", row[0]));
    assertFalse(rows("mesh-degree-over-time", 5).isEmpty());
    List<String[]> hops = rows("lookup-hops", 3);
    assertTrue(hops.stream().anyMatch(row -> row[0].equals("1") && Long.parseLong(row[2]) > 0));
    List<String> protocols = rows("traffic", 3).stream().map(row -> row[0]).toList();
    if (fidelity == Fidelity.HOST) {
      assertTrue(protocols.contains("/ipfs/kad/1.0.0"), protocols::toString);
      assertTrue(protocols.contains("/meshsub/1.1.0"), protocols::toString);
    } else {
      assertEquals(List.of("links (encrypted)"), protocols);
    }

    JsonNode json = new ObjectMapper().readTree(directory.resolve("data.json").toFile());
    assertEquals("replay " + parameters.token(), json.get("replay").textValue());
    assertEquals(result.traceText(), json.at("/result/trace").textValue());
    assertEquals(3, json.at("/parameters/seed").intValue());
    assertEquals(0, json.get("violations").size());
    assertEquals(deliveries.size(), json.get("delivery-latency").size());
    assertEquals(
        deliveries.get(0)[1],
        json.at("/delivery-latency/0/latency_ms").decimalValue().toPlainString());
    assertEquals(json.at("/result/publications").intValue() * (SUBSCRIBERS - 1), deliveries.size());
    assertEquals(PEERS, json.get("time-to-ready").size());
    assertEquals(PEERS, json.get("table-fill").size());
    assertEquals(SUBSCRIBERS, json.get("mesh-degree").size());
    assertEquals(hops.size(), json.get("lookup-hops").size());
    assertEquals(protocols.size(), json.get("traffic").size());
    assertFalse(json.get("operations").isEmpty());

    String page = Files.readString(directory.resolve("index.html"));
    TITLES.forEach(title -> assertTrue(page.contains("<img alt=\"" + title + "\""), title));
    assertTrue(page.contains(result.traceText()));
    assertTrue(page.contains("replay " + parameters.token()));
    List<String> images =
        Pattern.compile("data:image/png;base64,([^\"]+)\"")
            .matcher(page)
            .results()
            .map((MatchResult found) -> found.group(1))
            .toList();
    assertEquals(TITLES.size() + 1, images.size(), "one of each, and the meshes over time");
    for (String image : images) {
      BufferedImage drawn =
          ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(image)));
      assertNotNull(drawn);
      assertTrue(drawn.getWidth() > 300);
    }
    assertFalse(Pattern.compile("(src|href)=.[a-z]+://").matcher(page).find());
  }

  @Test
  void lookupsOfWhatWasThereAreCountedWithTheirHopsAndTimes() throws IOException {
    Scenario scenario = Scenarios.named("half-replaced");
    Parameters parameters =
        parameters(scenario.name(), Fidelity.HOST).withLength(Duration.ofMinutes(1));
    Result result = report(scenario, parameters);
    assertEquals(List.of(), result.violations());

    List<String[]> each = rows("live-lookups-each", 5);
    assertFalse(each.isEmpty());
    each.forEach(row -> assertEquals("1", row[2], Arrays.toString(row)));
    List<String[]> kinds = rows("live-lookups", 8);
    assertEquals(
        List.of("find", "get", "providers", "all"), kinds.stream().map(row -> row[0]).toList());
    String[] all = kinds.get(3);
    assertEquals(Integer.toString(each.size()), all[1]);
    assertEquals("100.000", all[3]);
    assertEquals("1", all[4], "everybody is in everybody's table");
    assertEquals("1", all[5]);
    assertTrue(Double.parseDouble(all[6]) <= Double.parseDouble(all[7]), Arrays.toString(all));
    JsonNode json = new ObjectMapper().readTree(directory.resolve("data.json").toFile());
    assertEquals(all[6], json.at("/live-lookups/3/median_ms").decimalValue().toPlainString());
    assertEquals(each.size(), json.get("live-lookups-each").size());
    String page = Files.readString(directory.resolve("index.html"));
    assertTrue(page.contains("<img alt=\"Lookups of what was there\""));
    assertTrue(page.contains("<td>" + all[3] + "</td>"), page);
  }

  private record Breaking(String name, Runnable inside) implements Scenario {
    @Override
    public String description() {
      return "";
    }

    @Override
    public int peers() {
      return 2;
    }

    @Override
    public Duration length() {
      return Duration.ofSeconds(1);
    }

    @Override
    public void play(Run run) {
      run.cluster().system().execute(inside);
      run.advance(Duration.ofSeconds(1));
    }
  }

  @Test
  void aRunWhoseEngineFailedIsReportedAndWhatItSaysIsEscaped() throws IOException {
    Scenario failing =
        new Breaking(
            "failing",
            () -> {
              throw new IllegalStateException("<script>'&\"");
            });
    Result result = report(failing, parameters(failing.name(), Fidelity.HOST));
    assertEquals("engine", result.violations().get(0).checker());
    String page = Files.readString(directory.resolve("index.html"));
    assertTrue(page.contains("&lt;script&gt;&#39;&amp;&quot;"), page);
    assertFalse(page.contains("<script>"));
    assertTrue(page.contains("There was nothing of the kind in this run."));
    JsonNode json = new ObjectMapper().readTree(directory.resolve("data.json").toFile());
    assertEquals(result.violations().get(0).toString(), json.at("/violations/0").textValue());
    assertEquals(0, rows("delivery-latency", 2).size());
  }

  @Test
  void anEarlierReportIsReplacedAndNothingElseIs() throws IOException {
    Files.writeString(directory.resolve("index.html"), "mine");
    assertThrows(IllegalArgumentException.class, () -> RunReport.in(directory));
    Files.writeString(directory.resolve("data.json"), "{}");
    RunReport.in(directory);
    assertEquals("mine", Files.readString(directory.resolve("index.html")));
    Scenario idle = new Breaking("idle", () -> {});
    report(idle, parameters(idle.name(), Fidelity.HOST));
    assertTrue(Files.readString(directory.resolve("index.html")).contains("<title>Troupe: idle"));
  }

  @Test
  void aTextWithCommasIsOneFieldOfCsv() throws IOException {
    Path file = directory.resolve("x.csv");
    DataFiles.writeCsv(
        file,
        DataTable.of(
            "x", List.of("a", "b"), List.of("1,\"2\""), text -> Arrays.asList(text, null)));
    assertEquals("a,b\r\n\"1,\"\"2\"\"\",\r\n", Files.readString(file));
  }

  @Test
  void manyValuesAreDrawnInFewBars() throws IOException {
    java.util.TreeMap<Integer, Long> counts = new java.util.TreeMap<>();
    for (int i = 3; i < 1000; i += 7) {
      counts.put(i, (long) i);
    }
    assertEquals(1, Plots.draw(new Figure.Counts("x", "y", counts)).size());
    assertEquals(List.of(), Plots.draw(new Figure.Times("x", new long[0])));
    assertEquals(1, Plots.draw(new Figure.Times("x", new long[] {0})).size());
  }
}
