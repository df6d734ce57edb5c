package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A JVM that plays runs, one after the other, on its main thread: the thread of a run is part of
 * what decides it, so that a replay in a JVM of its own finds the same.
 */
final class Worker implements AutoCloseable {

  private final Process process;
  private final Writer input;
  private final BufferedReader output;

  Worker() {
    try {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Main.class.getName(),
                  "worker")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start a JVM for the runs", e);
    }
    input = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
    output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Plays one run and waits for its end. */
  WorkerReply play(Parameters parameters) {
    try {
      input.write(parameters.token() + "\n");
      input.flush();
      String line = output.readLine();
      if (line == null) {
        return new WorkerReply("", 0, "engine: the JVM of the run ended, exit code " + exitCode());
      }
      return WorkerReply.parse(line);
    } catch (IOException e) {
      return new WorkerReply("", 0, "engine: the JVM of the run is gone: " + e.getMessage());
    }
  }

  private String exitCode() {
    return process.isAlive() ? "none yet" : Integer.toString(process.exitValue());
  }

  @Override
  public void close() {
    process.destroy();
  }
}
