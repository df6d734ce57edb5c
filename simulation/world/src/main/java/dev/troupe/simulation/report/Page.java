package dev.troupe.simulation.report;

import java.io.IOException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The page: one file that needs no other, no network and no script. */
final class Page {

  /** Beyond this many violations the rest is counted only; the JSON has them all. */
  private static final int MAX_VIOLATIONS = 100;

  private static final String HEAD =
      """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width">
      <style>
      body { font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
      table { border-collapse: collapse; margin: .5em 0 1em; }
      th, td { text-align: left; padding: .15em 1em .15em 0; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums; }
      th { font-weight: normal; color: #666; }
      code { background: #f2f2f2; padding: .1em .3em; overflow-wrap: anywhere; }
      img { max-width: 100%; }
      .bad { color: #a11; }
      </style>
      """;

  private final StringBuilder out = new StringBuilder(HEAD);

  private Page() {}

  static String of(Findings findings) throws IOException {
    Page page = new Page();
    page.write(findings);
    return page.out.toString();
  }

  private void write(Findings findings) throws IOException {
    String name = String.valueOf(findings.parameters().get("scenario"));
    element("title", "Troupe: " + name);
    out.append("</head>\n<body>\n");
    element("h1", name);
    out.append("<p>Played again by <code>").append(escape(findings.replay()));
    out.append("</code>; all data: ").append(link(RunReport.DATA)).append("</p>\n");
    violations(findings.violations());
    element("h2", "Parameters");
    facts(findings.parameters());
    element("h2", "Totals");
    facts(findings.totals());
    for (Figure figure : findings.figures()) {
      figure(figure);
      if (figure.content() instanceof Figure.Degrees) {
        out.append("<p>Over time: ").append(link(findings.meshLooks().file())).append("</p>\n");
      } else if (figure.content() instanceof Figure.Lookups) {
        out.append("<p>Each: ").append(link(findings.eachLookup().file())).append("</p>\n");
      }
    }
    element("h2", "Operations");
    rows(findings.operations());
    out.append("<p>Data: ").append(link(findings.operations().file())).append("</p>\n");
    out.append("</body>\n</html>\n");
  }

  private void violations(List<String> violations) {
    if (violations.isEmpty()) {
      element("p", "Nothing was violated.");
      return;
    }
    out.append("<h2 class=\"bad\">Violations</h2>\n<ul class=\"bad\">\n");
    violations.stream().limit(MAX_VIOLATIONS).forEach(each -> element("li", each));
    if (violations.size() > MAX_VIOLATIONS) {
      element("li", "and " + (violations.size() - MAX_VIOLATIONS) + " more");
    }
    out.append("</ul>\n");
  }

  private void figure(Figure figure) throws IOException {
    element("h2", figure.title());
    element("p", figure.about().strip());
    List<byte[]> images = Plots.draw(figure.content());
    if (images.isEmpty()) {
      element("p", "There was nothing of the kind in this run.");
    }
    for (byte[] image : images) {
      out.append("<p><img alt=\"")
          .append(escape(figure.title()))
          .append("\" src=\"data:image/png;base64,")
          .append(Base64.getEncoder().encodeToString(image))
          .append("\"></p>\n");
    }
    if (figure.content() instanceof Figure.Times times && times.nanos().length > 0) {
      summary(times.nanos());
    } else if (figure.content() instanceof Figure.Shares
        || (figure.content() instanceof Figure.Lookups && !figure.content().isEmpty())) {
      rows(figure.table());
    }
    out.append("<p>Data: ").append(link(figure.table().file())).append("</p>\n");
  }

  private void summary(long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    Summary summary = Summary.of(sorted);
    rows(
        new DataTable(
            "",
            List.of("count", "min_ms", "median_ms", "p90_ms", "p99_ms", "max_ms"),
            1,
            i ->
                List.of(
                    summary.count(),
                    DataTable.millis(summary.min()),
                    DataTable.millis(summary.median()),
                    DataTable.millis(summary.p90()),
                    DataTable.millis(summary.p99()),
                    DataTable.millis(summary.max()))));
  }

  private void facts(Map<String, Object> facts) {
    out.append("<table>\n");
    facts.forEach(
        (name, value) ->
            out.append("<tr><th>")
                .append(escape(name))
                .append("</th><td>")
                .append(escape(text(value)))
                .append("</td></tr>\n"));
    out.append("</table>\n");
  }

  private void rows(DataTable table) {
    out.append("<table>\n<tr>");
    table.columns().forEach(column -> element("th", column));
    out.append("</tr>\n");
    for (int i = 0; i < table.size(); i++) {
      out.append("<tr>");
      table.row().apply(i).forEach(value -> element("td", text(value)));
      out.append("</tr>\n");
    }
    out.append("</table>\n");
  }

  private void element(String name, String text) {
    out.append('<').append(name).append('>').append(escape(text));
    out.append("</").append(name).append(">\n");
  }

  private static String link(String file) {
    return "<a href=\"" + escape(file) + "\">" + escape(file) + "</a>";
  }

  private static String text(@Nullable Object value) {
    return value == null
        ? ""
        : value instanceof BigDecimal number ? number.toPlainString() : value.toString();
  }

  /** Text as HTML shows it, also inside of quotes. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
