package dev.troupe.runtime.cli;

import java.io.PrintStream;
import java.util.Map;
import java.util.stream.Collectors;

/** For people. */
final class TextOutput implements Output {

  private final PrintStream out;

  TextOutput(PrintStream out) {
    this.out = out;
  }

  @Override
  public void event(String name, Map<String, Object> fields) {
    if (name.equals("message") && fields.containsKey("text")) {
      out.println(
          "[" + fields.get("topic") + "] " + fields.get("from") + ": " + fields.get("text"));
    } else {
      out.println("* " + name + " " + show(fields));
    }
  }

  @Override
  public void ok(String command, int line, Map<String, Object> fields) {
    out.println(command + ": ok" + (fields.isEmpty() ? "" : " " + show(fields)));
  }

  @Override
  public void failed(String command, int line, String code, String message) {
    out.println(command + ": " + code + ": " + message);
  }

  private static String show(Map<String, Object> fields) {
    return fields.entrySet().stream()
        .map(field -> field.getKey() + "=" + field.getValue())
        .collect(Collectors.joining(" "));
  }
}
