package dev.troupe.runtime.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;

/** One JSON object a line. */
final class JsonOutput implements Output {

  private final ObjectMapper mapper = new ObjectMapper();
  private final PrintStream out;

  JsonOutput(PrintStream out) {
    this.out = out;
  }

  @Override
  public void event(String name, Map<String, Object> fields) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("event", name);
    all.putAll(fields);
    write(all);
  }

  @Override
  public void ok(String command, int line, Map<String, Object> fields) {
    Map<String, Object> all = reply(command, line, true);
    all.putAll(fields);
    write(all);
  }

  @Override
  public void failed(String command, int line, String code, String message) {
    Map<String, Object> all = reply(command, line, false);
    all.put("error", code);
    all.put("message", message);
    write(all);
  }

  private static Map<String, Object> reply(String command, int line, boolean ok) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("reply", command);
    all.put("line", line);
    all.put("ok", ok);
    return all;
  }

  private void write(Map<String, Object> fields) {
    try {
      out.println(mapper.writeValueAsString(fields));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("texts, numbers and lists are JSON", e);
    }
  }
}
