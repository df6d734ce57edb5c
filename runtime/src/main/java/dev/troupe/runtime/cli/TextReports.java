package dev.troupe.runtime.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is too much for one line of text, as several. */
final class TextReports {

  private TextReports() {}

  /** The lines of a reply that has some of its own; null for all others. */
  static @Nullable List<String> reply(String command, Map<String, Object> fields) {
    return switch (command) {
      case "health" -> health(command + ": ", fields);
      case "verify" -> verification(command + ": ", fields);
      case "network" -> network(command + ": ", fields);
      case "dht" -> dht(command + ": ", fields);
      case "find-presence" -> presence(command + ": ", fields);
      default -> null;
    };
  }

  /** The same of an event. */
  static @Nullable List<String> event(String name, Map<String, Object> fields) {
    return switch (name) {
      case "health" -> health("* health: ", fields).subList(0, 1);
      case "verified" -> verification("* ", fields);
      case "bootstrap-failed" ->
          List.of(
              "* the bootstrap peer at "
                  + fields.get("addr")
                  + " cannot be reached: "
                  + fields.get("reason")
                  + "; what you can do: "
                  + list(fields.get("offers")).stream()
                      .map(String::valueOf)
                      .collect(Collectors.joining(", ")));
      default -> null;
    };
  }

  private static List<String> health(String start, Map<String, Object> fields) {
    List<String> lines = new ArrayList<>();
    List<?> warnings = list(fields.get("warnings"));
    lines.add(
        start
            + fields.get("state")
            + (Boolean.TRUE.equals(fields.get("noOtherPeersYet")) ? ", no other peers yet" : "")
            + warnings.stream().map(each -> "; " + each).collect(Collectors.joining()));
    lines.add(
        "  DHT "
            + fields.get("dht")
            + ", "
            + fields.get("tableSize")
            + " in the routing table, "
            + fields.get("connected")
            + " connected");
    for (Object each : list(fields.get("bootstraps"))) {
      Map<?, ?> bootstrap = (Map<?, ?>) each;
      Object reason = bootstrap.get("reason");
      lines.add(
          mark(bootstrap.get("reachable"))
              + bootstrap.get("addr")
              + (Boolean.TRUE.equals(bootstrap.get("backup")) ? " (backup)" : "")
              + ", "
              + bootstrap.get("status")
              + known(", ", bootstrap.get("latencyMillis"), " ms")
              + known(", names ", bootstrap.get("peers"), " peers")
              + known(", ", reason, ""));
    }
    return lines;
  }

  private static List<String> network(String start, Map<String, Object> fields) {
    List<String> lines = new ArrayList<>();
    lines.add(start + fields.get("peer"));
    list(fields.get("addrs")).forEach(each -> lines.add("  listens at " + each));
    if (fields.get("dht") instanceof Map<?, ?> dht) {
      lines.add("  DHT " + state(dht));
    }
    List<?> connected = list(fields.get("connected"));
    lines.add("  " + connected.size() + " connected");
    for (Object each : connected) {
      Map<?, ?> remote = (Map<?, ?>) each;
      lines.add(
          "  " + remote.get("direction") + " " + remote.get("peer") + " at " + remote.get("addr"));
    }
    return lines;
  }

  private static List<String> dht(String start, Map<String, Object> fields) {
    List<String> lines = new ArrayList<>();
    lines.add(start + state(fields));
    for (Object each : list(fields.get("buckets"))) {
      Map<?, ?> bucket = (Map<?, ?>) each;
      lines.add(
          "  bucket "
              + bucket.get("bucket")
              + ": "
              + bucket.get("peers")
              + (bucket.get("waiting") instanceof Integer waiting && waiting > 0
                  ? ", " + waiting + " waiting"
                  : ""));
    }
    if (fields.get("refused") instanceof Long refused && refused > 0) {
      lines.add("  refused " + refused + " times: there were enough of the same IP group");
    }
    list(fields.get("table")).forEach(each -> lines.add("  " + each));
    for (Object each : list(fields.get("lookups"))) {
      Map<?, ?> lookup = (Map<?, ?>) each;
      lines.add(
          "  lookup "
              + lookup.get("agoSeconds")
              + " s ago: "
              + lookup.get("millis")
              + " ms, "
              + lookup.get("asked")
              + " asked, "
              + lookup.get("hops")
              + " hops");
    }
    return lines;
  }

  private static List<String> presence(String start, Map<String, Object> fields) {
    List<String> lines = new ArrayList<>();
    List<?> present = list(fields.get("present"));
    lines.add(start + fields.get("identity") + ", " + present.size() + " present");
    for (Object each : present) {
      Map<?, ?> peer = (Map<?, ?>) each;
      lines.add(
          "  [ok] "
              + peer.get("peer")
              + (String.valueOf(peer.get("name")).isEmpty() ? "" : ", " + peer.get("name"))
              + ", until "
              + peer.get("until"));
      list(peer.get("addrs")).forEach(address -> lines.add("       at " + address));
    }
    for (Object each : list(fields.get("refused"))) {
      Map<?, ?> claim = (Map<?, ?>) each;
      lines.add("  [--] " + claim.get("peer") + " only claims it: " + claim.get("message"));
    }
    return lines;
  }

  private static String state(Map<?, ?> dht) {
    return dht.get("state")
        + ", "
        + dht.get("peers")
        + " in the routing table, "
        + dht.get("stashed")
        + " operations wait";
  }

  private static List<String> verification(String start, Map<String, Object> fields) {
    List<String> lines = new ArrayList<>();
    lines.add(start + fields.get("verdict") + known(" with ", fields.get("partner"), ""));
    for (Object each : list(fields.get("steps"))) {
      Map<?, ?> step = (Map<?, ?>) each;
      lines.add(
          mark(step.get("ok"))
              + step.get("name")
              + ", "
              + step.get("millis")
              + " ms: "
              + step.get("detail"));
    }
    return lines;
  }

  private static String mark(@Nullable Object ok) {
    return Boolean.TRUE.equals(ok) ? "  [ok] " : "  [--] ";
  }

  private static String known(String before, @Nullable Object value, String after) {
    return value == null ? "" : before + value + after;
  }

  private static List<?> list(@Nullable Object value) {
    return value instanceof List<?> list ? list : List.of();
  }
}
