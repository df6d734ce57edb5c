package dev.troupe.runtime.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What is too much for one line of text: reports of health and verifications, as several. */
final class TextReports {

  private TextReports() {}

  /** The lines of a reply that has some of its own; null for all others. */
  static @Nullable List<String> reply(String command, Map<String, Object> fields) {
    return switch (command) {
      case "health" -> health(command + ": ", fields);
      case "verify" -> verification(command + ": ", fields);
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
