package dev.troupe.runtime.foreign;

import dev.troupe.runtime.foreign.ForeignPeers.UnavailableException;
import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What makes a foreign peer from its sources: programs of this machine, which may not be there. */
final class Toolchain {

  private static final int LOG_LINES = 4;

  private Toolchain() {}

  /** Something that has to be done in one JVM at a time. */
  interface Making<T> {
    T make() throws IOException, UnavailableException;
  }

  /** Several test JVMs may come to make the same peer at once: one after the other. */
  static <T> T exclusively(String peer, Making<T> making) throws IOException, UnavailableException {
    Path target = Files.createDirectories(ModuleDirectory.target());
    try (FileChannel channel =
            FileChannel.open(
                target.resolve(peer + ".lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      return making.make();
    }
  }

  static @Nullable Path onPath(String program) {
    String path = System.getenv("PATH");
    return path == null
        ? null
        : Arrays.stream(path.split(File.pathSeparator))
            .map(directory -> Path.of(directory, program))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
  }

  static boolean isWindows() {
    return System.getProperty("os.name").startsWith("Windows");
  }

  /**
   * Runs a program to its end.
   *
   * @param what what messages call it
   * @throws UnavailableException if it fails, which the end of its log explains, or takes too long
   */
  static void run(
      String what,
      List<String> command,
      Map<String, String> environment,
      Path directory,
      Path log,
      long minutes)
      throws IOException, UnavailableException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      if (!process.waitFor(minutes, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new UnavailableException(what + " did not end in " + minutes + " minutes");
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted in " + what, e);
    }
    if (process.exitValue() != 0) {
      List<String> lines = Files.readAllLines(log);
      String end =
          String.join(" | ", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
      throw new UnavailableException(what + " failed, see " + log + ": " + end);
    }
  }
}
