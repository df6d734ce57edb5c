package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Result;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a worker says of one run, on one line.
 *
 * @param trace the digest, in hexadecimal; empty where the run could not be played
 * @param events turns, tasks and timers
 * @param violation the first, or empty
 */
record WorkerReply(String trace, long events, String violation) {

  private static final String SEPARATOR = "\t";

  static WorkerReply of(Result result) {
    String first =
        result.isClean()
            ? ""
            : result.violations().get(0).toString().replace('\n', ' ').replace('\t', ' ');
    return new WorkerReply(result.traceText(), result.events(), first);
  }

  private static final Pattern LINE = Pattern.compile("([0-9a-f]{16})\t([0-9]{1,18})\t(.*)");

  /** Reads what {@link #line} wrote; null where that cannot be. */
  static @Nullable WorkerReply parse(String line) {
    Matcher parts = LINE.matcher(line);
    return parts.matches()
        ? new WorkerReply(parts.group(1), Long.parseLong(parts.group(2)), parts.group(3))
        : null;
  }

  boolean isClean() {
    return violation.isEmpty();
  }

  String line() {
    return trace + SEPARATOR + events + SEPARATOR + violation;
  }
}
