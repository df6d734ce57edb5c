package dev.troupe.runtime.foreign;

import com.fasterxml.jackson.databind.JsonNode;
import dev.troupe.runtime.foreign.ForeignPeers.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How fast one stream is, Troupe to Troupe beside js-libp2p to js-libp2p: 512 MiB from one process
 * to another over loopback TCP, Noise and Yamux, asked for through {@code /perf/1.0.0}. The two
 * kinds take turns, so that what else the machine does falls on both. Measures and prints; asserts
 * nothing. {@code runtime/docs/benchmarks.md} says how to run it and what came out.
 */
public final class StreamBenchmark {

  private static final long BYTES = 512L * 1024 * 1024;
  private static final int WARM_UPS = 3;
  private static final int ROUNDS = 5;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private StreamBenchmark() {}

  /**
   * Runs it.
   *
   * @param args options for the JVMs of our own peers, such as those of a profiler
   */
  public static void main(String[] args) throws IOException {
    Map<String, Pair> pairs = new LinkedHashMap<>();
    try {
      pairs.put("troupe", Pair.start("troupe", troupe(List.of(args))));
      try {
        pairs.put("js", Pair.start("js", JsPeer.install().command(List.of("--dht", "off"))));
      } catch (UnavailableException e) {
        System.out.println("js-libp2p is NOT measured: " + e.getMessage());
      }
      measure(pairs);
    } finally {
      pairs.values().forEach(Pair::close);
    }
  }

  /** The jar as a user runs it. */
  private static List<String> troupe(List<String> options) {
    Path jar = ModuleDirectory.target().resolve("troupe.jar");
    if (!Files.exists(jar)) {
      throw new IllegalStateException("there is no " + jar + ": package it first");
    }
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    List<String> command = new ArrayList<>(List.of(java));
    command.addAll(options);
    command.addAll(List.of("-jar", jar.toString(), "peer", "--json", "--dht", "off", "--perf"));
    return command;
  }

  private static void measure(Map<String, Pair> pairs) throws IOException {
    System.out.println("one stream of 512 MiB over loopback TCP, Noise and Yamux, MB/s (10^6)");
    System.out.println(
        processor()
            + ", "
            + Runtime.getRuntime().availableProcessors()
            + " processors; Java "
            + System.getProperty("java.version"));
    Map<String, List<Double>> rates = new LinkedHashMap<>();
    pairs.keySet().forEach(kind -> rates.put(kind, new ArrayList<>()));
    print("", pairs.keySet().stream());
    // The first streams find their code uncompiled: shown, not counted.
    for (int i = 0; i < WARM_UPS; i++) {
      print("warm-up", pairs.values().stream().map(pair -> text(pair.megabytesPerSecond())));
    }
    for (int round = 1; round <= ROUNDS; round++) {
      pairs.forEach((kind, pair) -> rates.get(kind).add(pair.megabytesPerSecond()));
      int latest = round - 1;
      print("" + round, rates.values().stream().map(all -> text(all.get(latest))));
    }
    print("median", rates.values().stream().map(all -> text(median(all))));
    if (rates.containsKey("js")) {
      System.out.printf(
          "troupe / js: %.2f%n", median(rates.get("troupe")) / median(rates.get("js")));
    }
  }

  private static void print(String name, Stream<String> cells) {
    System.out.printf(
        "%-8s%s%n",
        name, cells.map(cell -> String.format("%10s", cell)).collect(Collectors.joining()));
  }

  private static String text(double rate) {
    return String.format("%.0f", rate);
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  private static String processor() throws IOException {
    Path information = Path.of("/proc/cpuinfo");
    if (!Files.exists(information)) {
      return System.getProperty("os.arch");
    }
    try (Stream<String> lines = Files.lines(information)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    }
  }

  /** Two processes of one kind, connected. */
  private record Pair(JsonPeerProcess sender, JsonPeerProcess receiver) {

    static Pair start(String kind, List<String> command) {
      JsonPeerProcess sender = JsonPeerProcess.start(kind + "-sender", command);
      JsonPeerProcess receiver;
      try {
        receiver = JsonPeerProcess.start(kind + "-receiver", command);
      } catch (AssertionError e) {
        sender.close();
        throw e;
      }
      Pair pair = new Pair(sender, receiver);
      try {
        sender.ask("connect " + receiver.address());
      } catch (AssertionError e) {
        pair.close();
        throw e;
      }
      return pair;
    }

    /** The rate of one upload, until the receiver says that it has everything. */
    double megabytesPerSecond() {
      JsonNode reply = sender.ask("perf " + receiver.peerId() + " " + BYTES + " 0", PATIENCE);
      return BYTES / 1e6 / reply.path("uploadSeconds").asDouble();
    }

    void close() {
      sender.close();
      receiver.close();
    }
  }
}
