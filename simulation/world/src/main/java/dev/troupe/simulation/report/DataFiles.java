package dev.troupe.simulation.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the data: each table as CSV (RFC 4180, UTF-8, one line of names first), all as JSON. */
final class DataFiles {

  private DataFiles() {}

  static void writeCsv(Path file, DataTable table) throws IOException {
    try (Writer out = Files.newBufferedWriter(file)) {
      out.write(line(table.columns()));
      for (int i = 0; i < table.size(); i++) {
        out.write(line(table.row().apply(i)));
      }
    }
  }

  private static String line(List<? extends @Nullable Object> values) {
    StringBuilder line = new StringBuilder();
    for (Object value : values) {
      line.append(line.isEmpty() ? "" : ",").append(field(value));
    }
    return line.append("\r\n").toString();
  }

  private static String field(@Nullable Object value) {
    String text =
        value == null
            ? ""
            : value instanceof BigDecimal number ? number.toPlainString() : value.toString();
    boolean quoted =
        text.indexOf(',') >= 0
            || text.indexOf('"') >= 0
            || text.indexOf('\n') >= 0
            || text.indexOf('\r') >= 0;
    return quoted ? '"' + text.replace("\"", "\"\"") + '"' : text;
  }

  static void writeJson(Path file, Findings findings) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      writeFacts(json, "parameters", findings.parameters());
      json.writeStringField("replay", findings.replay());
      writeFacts(json, "result", findings.totals());
      json.writeArrayFieldStart("violations");
      for (String violation : findings.violations()) {
        json.writeString(violation);
      }
      json.writeEndArray();
      for (DataTable table : findings.tables()) {
        writeRows(json, table);
      }
      json.writeEndObject();
    }
  }

  private static void writeFacts(JsonGenerator json, String name, Map<String, Object> facts)
      throws IOException {
    json.writeObjectFieldStart(name);
    for (Map.Entry<String, Object> fact : facts.entrySet()) {
      json.writeFieldName(fact.getKey());
      write(json, fact.getValue());
    }
    json.writeEndObject();
  }

  private static void writeRows(JsonGenerator json, DataTable table) throws IOException {
    json.writeArrayFieldStart(table.name());
    for (int i = 0; i < table.size(); i++) {
      List<@Nullable Object> row = table.row().apply(i);
      json.writeStartObject();
      for (int column = 0; column < row.size(); column++) {
        json.writeFieldName(table.columns().get(column));
        write(json, row.get(column));
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void write(JsonGenerator json, @Nullable Object value) throws IOException {
    if (value == null) {
      json.writeNull();
    } else if (value instanceof BigDecimal number) {
      json.writeNumber(number);
    } else if (value instanceof Number number) {
      json.writeNumber(number.longValue());
    } else {
      json.writeString(value.toString());
    }
  }
}
