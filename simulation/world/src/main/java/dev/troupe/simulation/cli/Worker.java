package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Plays runs in a JVM of its own, on its main thread: the thread of a run is part of what decides
 * it, so that a replay finds the same. The JVM goes on from one run to the next; where it ends, or
 * says what is no reply, that run was violated, and the next one has a new JVM.
 */
final class Worker implements Player {

  /** What is violated where the JVM of a run ends: no checker, and not the engine. */
  private static final String NAME = "worker: ";

  private record Jvm(Process process, Writer input, BufferedReader output) {

    static Jvm start() throws IOException {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Main.class.getName(),
                  "worker")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      return new Jvm(
          process,
          new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8),
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)));
    }
  }

  private @Nullable Jvm jvm;

  @Override
  public WorkerReply play(Parameters parameters) {
    try {
      Jvm running = jvm == null ? Jvm.start() : jvm;
      jvm = running;
      running.input().write(parameters.token() + "\n");
      running.input().flush();
      String line = running.output().readLine();
      WorkerReply reply = line == null ? null : WorkerReply.parse(line);
      return reply != null
          ? reply
          : lost(line == null ? "the JVM of the run ended" : "the JVM of the run said: " + line);
    } catch (IOException e) {
      return lost("there is no JVM for the run: " + e.getMessage());
    }
  }

  private WorkerReply lost(String why) {
    close();
    return new WorkerReply("", 0, NAME + why.replaceAll("\\s", " "));
  }

  @Override
  public void close() {
    if (jvm != null) {
      jvm.process().destroy();
      jvm = null;
    }
  }
}
