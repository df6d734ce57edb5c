package dev.troupe.simulation.report;

import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Measurements;
import dev.troupe.simulation.scenario.Operation;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Violation;
import dev.troupe.simulation.world.Traffic;
import dev.troupe.simulation.world.Walks;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * All that a report says.
 *
 * @param operations what was asked and what was answered; without a figure
 * @param meshLooks the meshes over time; in the figure of their degrees
 * @param eachLookup of what was there; summed up in their figure
 */
record Findings(
    Map<String, Object> parameters,
    String replay,
    Map<String, Object> totals,
    List<String> violations,
    List<Figure> figures,
    DataTable operations,
    DataTable meshLooks,
    DataTable eachLookup) {

  static Findings of(Run run, Result result, Survey survey, long wallNanos) {
    Cluster cluster = run.cluster();
    Measurements measurements = cluster.measurements();
    return new Findings(
        parameters(result.parameters()),
        "replay " + result.parameters().token(),
        totals(run, result, wallNanos),
        result.violations().stream().map(Violation::toString).toList(),
        List.of(
            deliveryLatency(measurements),
            timeToReady(measurements),
            tableFill(survey),
            meshDegree(survey, measurements),
            lookupHops(cluster.network().walks().byHops()),
            liveLookups(measurements.liveLookups()),
            traffic(cluster.network().traffic().shares())),
        operations(cluster.operations()),
        meshLooks(measurements),
        eachLookup(measurements.liveLookups()));
  }

  /** All tables, each a file. */
  List<DataTable> tables() {
    List<DataTable> tables = new ArrayList<>();
    figures.forEach(figure -> tables.add(figure.table()));
    tables.add(meshLooks);
    tables.add(eachLookup);
    tables.add(operations);
    return tables;
  }

  private static Map<String, Object> parameters(Parameters parameters) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("scenario", parameters.scenario());
    facts.put("peers", parameters.peers());
    facts.put("seed", parameters.seed());
    facts.put("length_s", DataTable.seconds(parameters.length().toNanos()));
    facts.put("fidelity", parameters.fidelity().name().toLowerCase(Locale.ROOT));
    facts.put("order", parameters.order().name().toLowerCase(Locale.ROOT));
    facts.put(
        "faults",
        parameters.faults() == Parameters.ALL_FAULTS
            ? "all"
            : Integer.toString(parameters.faults()));
    return facts;
  }

  private static Map<String, Object> totals(Run run, Result result, long wallNanos) {
    Cluster cluster = run.cluster();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("trace", result.traceText());
    facts.put("violations", result.violations().size());
    facts.put("virtual_s", DataTable.seconds(result.virtualNanos()));
    facts.put("wall_s", rounded(wallNanos / 1e9));
    facts.put("times_real_time", rounded((double) result.virtualNanos() / Math.max(1, wallNanos)));
    facts.put("events", result.events());
    facts.put("peers_ever", result.peers());
    facts.put("peers_up_at_the_end", cluster.up().size());
    facts.put("starts", cluster.measurements().starts().size());
    facts.put("faults", run.faults());
    facts.put("operations", cluster.operations().size());
    facts.put("publications", cluster.publications().size());
    facts.put("deliveries", cluster.measurements().deliveries());
    facts.put(
        "walks",
        cluster.network().walks().byHops().stream().mapToLong(Walks.OfLength::walks).sum());
    facts.put(
        "bytes",
        cluster.network().traffic().shares().stream().mapToLong(Traffic.Share::bytes).sum());
    return facts;
  }

  static BigDecimal rounded(double value) {
    return BigDecimal.valueOf(value).setScale(3, RoundingMode.HALF_UP);
  }

  // The seven figures

  private static Figure deliveryLatency(Measurements measured) {
    long[] nanos = new long[measured.kept()];
    Arrays.setAll(nanos, measured::latency);
    long more = measured.deliveries() - measured.kept();
    return new Figure(
        "Delivery latency",
        "From publishing a message to each subscriber's first hearing of it, in virtual time; of the"
            + " messages that the scenario publishes to all."
            + (more > 0 ? " Only the first are kept; " + more + " more are not shown." : ""),
        new Figure.Times("within ms", nanos),
        new DataTable(
            "delivery-latency",
            List.of("published_s", "latency_ms"),
            measured.kept(),
            i ->
                List.of(
                    DataTable.seconds(measured.publishedAt(i)),
                    DataTable.millis(measured.latency(i)))));
  }

  private static Figure timeToReady(Measurements measured) {
    List<Measurements.Start> starts = List.copyOf(measured.starts());
    long[] nanos =
        starts.stream().mapToLong(Measurements.Start::toReady).filter(each -> each >= 0).toArray();
    long never = starts.size() - nanos.length;
    return new Figure(
        "Time to ready",
        "From each start of a peer to its DHT being ready with somebody in the routing table, in"
            + " virtual time."
            + (never > 0 ? " Starts that never became ready: " + never + "." : ""),
        new Figure.Times("within ms", nanos),
        DataTable.of(
            "time-to-ready",
            List.of("node", "start", "started_s", "ready_ms"),
            starts,
            start ->
                Arrays.asList(
                    start.node(),
                    start.incarnation(),
                    DataTable.seconds(start.startedAt()),
                    start.toReady() < 0 ? null : DataTable.millis(start.toReady()))));
  }

  private static Figure tableFill(Survey survey) {
    NavigableMap<Integer, Long> counts = new TreeMap<>();
    survey.tables().forEach(each -> counts.merge(each.peers(), 1L, Long::sum));
    return new Figure(
        "Routing-table fill",
        "How many peers are in each routing table at the end of the run. " + survey.failure(),
        new Figure.Counts("peers in the table", "tables", counts),
        DataTable.of(
            "table-fill",
            List.of("node", "peers"),
            survey.tables(),
            each -> List.of(each.node(), each.peers())));
  }

  private static Figure meshDegree(Survey survey, Measurements measured) {
    NavigableMap<Integer, Long> counts = new TreeMap<>();
    survey.meshes().forEach(each -> counts.merge(each.degree(), 1L, Long::sum));
    return new Figure(
        "Mesh degree",
        "How many peers are in each mesh at the end of the run, and, over time, the smallest, mean"
            + " and largest degree whenever the checker looked. "
            + survey.failure(),
        new Figure.Degrees(
            new Figure.Counts("peers in the mesh", "meshes", counts),
            List.copyOf(measured.meshLooks())),
        DataTable.of(
            "mesh-degree",
            List.of("topic", "node", "mesh", "peers"),
            survey.meshes(),
            each -> List.of(each.topic(), each.node(), each.degree(), each.peers())));
  }

  private static Figure lookupHops(List<Walks.OfLength> walks) {
    NavigableMap<Integer, Long> counts = new TreeMap<>();
    walks.forEach(each -> counts.put(each.hops(), each.walks()));
    return new Figure(
        "Lookup hops",
        "How far each walk of a DHT led, those of the DHT's own accord (joining, refreshing)"
            + " included. A peer from the own table is 1 hop away, whom it is the first to name 2, and so on."
            + " Of a walk that ended with what it wanted, the last answer counts; of any other, the"
            + " farthest of the nearest peers that answered; 0 where nobody did.",
        new Figure.Counts("hops", "walks", counts),
        DataTable.of(
            "lookup-hops",
            List.of("hops", "walks", "peers_asked"),
            walks,
            each -> List.of(each.hops(), each.walks(), each.asked())));
  }

  private static Figure liveLookups(List<Measurements.LiveLookup> all) {
    NavigableMap<Integer, Long> hops = new TreeMap<>();
    all.stream()
        .filter(each -> each.hops() > 0)
        .forEach(each -> hops.merge(each.hops(), 1L, Long::sum));
    NavigableMap<String, List<Measurements.LiveLookup>> kinds = new TreeMap<>();
    all.forEach(each -> kinds.computeIfAbsent(each.kind(), unused -> new ArrayList<>()).add(each));
    List<Map.Entry<String, List<Measurements.LiveLookup>>> rows = new ArrayList<>(kinds.entrySet());
    if (!all.isEmpty()) {
      rows.add(Map.entry("all", all));
    }
    return new Figure(
        "Lookups of what was there",
        "Of the lookups whose answer the scenario knows to have been there: how many found it, how"
            + " many hops they took, where anybody had to be asked, and how long, from the question to"
            + " the answer, waiting for the DHT to be ready included.",
        new Figure.Lookups(
            new Figure.Counts("hops", "lookups", hops),
            new Figure.Times(
                "within ms", all.stream().mapToLong(Measurements.LiveLookup::took).toArray())),
        DataTable.of(
            "live-lookups",
            List.of(
                "lookup",
                "asked",
                "found",
                "found_percent",
                "hops_median",
                "hops_p95",
                "median_ms",
                "p95_ms"),
            rows,
            row -> {
              List<Measurements.LiveLookup> of = row.getValue();
              long found = of.stream().filter(Measurements.LiveLookup::found).count();
              long[] far =
                  of.stream()
                      .mapToLong(Measurements.LiveLookup::hops)
                      .filter(each -> each > 0)
                      .sorted()
                      .toArray();
              long[] took = of.stream().mapToLong(Measurements.LiveLookup::took).sorted().toArray();
              return Arrays.asList(
                  row.getKey(),
                  of.size(),
                  found,
                  rounded(100.0 * found / of.size()),
                  far.length == 0 ? null : Summary.quantile(far, 0.5),
                  far.length == 0 ? null : Summary.quantile(far, 0.95),
                  DataTable.millis(Summary.quantile(took, 0.5)),
                  DataTable.millis(Summary.quantile(took, 0.95)));
            }));
  }

  private static DataTable eachLookup(List<Measurements.LiveLookup> all) {
    return DataTable.of(
        "live-lookups-each",
        List.of("asked_s", "lookup", "found", "hops", "took_ms"),
        List.copyOf(all),
        each ->
            Arrays.asList(
                DataTable.seconds(each.askedAt()),
                each.kind(),
                each.found() ? 1 : 0,
                each.hops() < 0 ? null : each.hops(),
                DataTable.millis(each.took())));
  }

  private static Figure traffic(List<Traffic.Share> all) {
    List<Traffic.Share> shares = all.stream().filter(each -> each.parcels() > 0).toList();
    Map<String, Long> bytes = new LinkedHashMap<>();
    shares.forEach(each -> bytes.put(each.protocol(), each.bytes()));
    return new Figure(
        "Traffic by protocol",
        "Bytes sent during the whole run. At host fidelity they are the payload of streams: what"
            + " multistream, Noise, Yamux and identify would add is not there. At wire fidelity all"
            + " bytes of the links are counted, but they are encrypted: one sum for all protocols.",
        new Figure.Shares("bytes", bytes),
        DataTable.of(
            "traffic",
            List.of("protocol", "parcels", "bytes"),
            shares,
            each -> List.of(each.protocol(), each.parcels(), each.bytes())));
  }

  // Three tables more

  private static DataTable meshLooks(Measurements measured) {
    return DataTable.of(
        "mesh-degree-over-time",
        List.of("at_s", "meshes", "min", "mean", "max"),
        List.copyOf(measured.meshLooks()),
        each ->
            List.of(
                DataTable.seconds(each.at()),
                each.meshes(),
                each.min(),
                rounded(each.mean()),
                each.max()));
  }

  private record Answers(String operation, String reply) implements Comparable<Answers> {
    static Answers of(Operation asked) {
      Object reply = asked.reply();
      return new Answers(
          asked.what().split(" ", 2)[0],
          reply != null
              ? reply.getClass().getSimpleName()
              : asked.isMoot() ? "none, the machine crashed" : "none");
    }

    @Override
    public int compareTo(Answers other) {
      int first = operation.compareTo(other.operation);
      return first != 0 ? first : reply.compareTo(other.reply);
    }
  }

  private static DataTable operations(List<Operation> all) {
    NavigableMap<Answers, List<Long>> latencies = new TreeMap<>();
    for (Operation each : all) {
      latencies.computeIfAbsent(Answers.of(each), unused -> new ArrayList<>()).add(each.latency());
    }
    return DataTable.of(
        "operations",
        List.of("operation", "reply", "count", "median_ms", "max_ms"),
        List.copyOf(latencies.entrySet()),
        entry -> {
          long[] sorted = entry.getValue().stream().mapToLong(Long::longValue).sorted().toArray();
          boolean answered = sorted[0] >= 0;
          return Arrays.asList(
              entry.getKey().operation(),
              entry.getKey().reply(),
              sorted.length,
              answered ? DataTable.millis(Summary.quantile(sorted, 0.5)) : null,
              answered ? DataTable.millis(sorted[sorted.length - 1]) : null);
        });
  }
}
