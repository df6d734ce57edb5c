package dev.troupe.runtime.cli;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** For people. What remotes wrote is shown without control characters: they steer terminals. */
final class TextOutput implements Output {

  private static final int REPLACEMENT = '\ufffd';

  private final LineWriter out;

  TextOutput(LineWriter out) {
    this.out = out;
  }

  @Override
  public void event(String name, Map<String, Object> fields) {
    List<String> report = TextReports.event(name, fields);
    if (report != null) {
      out.event(harmless(report));
    } else if (name.equals("message") && fields.containsKey("text")) {
      out.event(
          harmless(
              "[" + fields.get("topic") + "] " + fields.get("from") + ": " + fields.get("text")));
    } else {
      out.event(harmless("* " + name + " " + show(fields)));
    }
  }

  @Override
  public void ok(String command, int line, Map<String, Object> fields) {
    List<String> report = TextReports.reply(command, fields);
    if (report != null) {
      out.reply(harmless(report));
      return;
    }
    out.reply(harmless(command + ": ok" + (fields.isEmpty() ? "" : " " + show(fields))));
  }

  @Override
  public void failed(String command, int line, String code, String message) {
    out.reply(harmless(command + ": " + code + ": " + message));
  }

  /** The line that says how many events nobody was there to read. */
  static String dropped(long events) {
    return "* dropped events=" + events;
  }

  private static String harmless(List<String> lines) {
    return lines.stream().map(TextOutput::harmless).collect(Collectors.joining("\n"));
  }

  private static String harmless(String line) {
    StringBuilder shown = new StringBuilder(line.length());
    line.codePoints()
        .map(each -> isHarmless(each) ? each : REPLACEMENT)
        .forEach(shown::appendCodePoint);
    return shown.toString();
  }

  private static boolean isHarmless(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.SURROGATE ->
          false;
      default -> true;
    };
  }

  private static String show(Map<String, Object> fields) {
    return fields.entrySet().stream()
        .map(field -> field.getKey() + "=" + field.getValue())
        .collect(Collectors.joining(" "));
  }
}
