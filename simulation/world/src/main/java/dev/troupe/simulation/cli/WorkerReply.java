package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Result;

/**
 * What a worker says of one run, on one line.
 *
 * @param trace the digest, in hexadecimal
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

  static WorkerReply parse(String line) {
    String[] parts = line.split(SEPARATOR, -1);
    if (parts.length != 3) {
      throw new IllegalStateException("a worker said: " + line);
    }
    return new WorkerReply(parts[0], Long.parseLong(parts[1]), parts[2]);
  }

  boolean isClean() {
    return violation.isEmpty();
  }

  String line() {
    return trace + SEPARATOR + events + SEPARATOR + violation;
  }
}
