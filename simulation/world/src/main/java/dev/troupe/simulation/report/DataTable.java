package dev.troupe.simulation.report;

import java.math.BigDecimal;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Rows of data, made as they are written.
 *
 * @param name of its file and of its place in the JSON
 * @param size how many rows
 * @param row texts, numbers and nulls, as many as columns
 */
record DataTable(
    String name, List<String> columns, int size, IntFunction<List<@Nullable Object>> row) {

  static <T> DataTable of(
      String name,
      List<String> columns,
      List<T> values,
      java.util.function.Function<T, List<@Nullable Object>> row) {
    return new DataTable(name, columns, values.size(), i -> row.apply(values.get(i)));
  }

  String file() {
    return name + ".csv";
  }

  /** Nanoseconds as milliseconds, exactly. */
  static BigDecimal millis(long nanos) {
    return plain(BigDecimal.valueOf(nanos, 6));
  }

  /** Nanoseconds as seconds, exactly. */
  static BigDecimal seconds(long nanos) {
    return plain(BigDecimal.valueOf(nanos, 9));
  }

  /** Without zeros at the end, and without an exponent. */
  private static BigDecimal plain(BigDecimal value) {
    BigDecimal stripped = value.stripTrailingZeros();
    return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
  }
}
