package dev.troupe.runtime.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;

/** One JSON object a line. */
final class JsonOutput implements Output {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private final LineWriter out;

  JsonOutput(LineWriter out) {
    this.out = out;
  }

  @Override
  public void event(String name, Map<String, Object> fields) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("event", name);
    all.putAll(fields);
    out.event(line(all));
  }

  @Override
  public void ok(String command, int line, Map<String, Object> fields) {
    Map<String, Object> all = reply(command, line, true);
    all.putAll(fields);
    out.reply(line(all));
  }

  @Override
  public void failed(String command, int line, String code, String message) {
    Map<String, Object> all = reply(command, line, false);
    all.put("error", code);
    all.put("message", message);
    out.reply(line(all));
  }

  private static Map<String, Object> reply(String command, int line, boolean ok) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("reply", command);
    all.put("line", line);
    all.put("ok", ok);
    return all;
  }

  /** The line that says how many events nobody was there to read. */
  static String dropped(long events) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("event", "dropped");
    all.put("events", events);
    return line(all);
  }

  private static String line(Map<String, Object> fields) {
    try {
      return MAPPER.writeValueAsString(fields);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("texts, numbers and lists are JSON", e);
    }
  }
}
