package dev.troupe.runtime.foreign;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;

/**
 * What happens where a foreign peer cannot run: with {@code -Dtroupe.foreign=required} its tests
 * fail; with {@code auto}, the default, they are skipped, and {@link ForeignPeersSummary} names the
 * peer at the end of the run, so that nobody takes silence for a pass.
 */
public final class ForeignPeers {

  private static final String PROPERTY = "troupe.foreign";

  private ForeignPeers() {}

  /** A foreign peer cannot run here; the message says what is missing. */
  public static final class UnavailableException extends Exception {
    private static final long serialVersionUID = 1;

    /** Says what is missing. */
    public UnavailableException(String message) {
      super(message);
    }

    /** Says what is missing and what happened. */
    public UnavailableException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** True if the absence of a foreign peer is a failure. */
  public static boolean areRequired() {
    String value = System.getProperty(PROPERTY, "auto");
    return switch (value) {
      case "auto" -> false;
      case "required" -> true;
      default ->
          throw new IllegalStateException(PROPERTY + " is auto or required, not '" + value + "'");
    };
  }

  /**
   * Fails the test, or skips it and notes the peer for the summary.
   *
   * @param peer what could not be run, such as {@code js-libp2p}
   */
  public static void notRun(String peer, UnavailableException why) {
    String line = peer + ": " + why.getMessage();
    if (areRequired()) {
      throw new AssertionError("a foreign peer is required and cannot run: " + line, why);
    }
    try {
      Files.createDirectories(ModuleDirectory.target());
      Files.writeString(
          record(), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Assumptions.abort(line);
  }

  /** Forgets what an earlier run noted. */
  static void forget() throws IOException {
    Files.deleteIfExists(record());
  }

  /** What could not be run since {@link #forget}, each once. */
  static List<String> notRun() throws IOException {
    return Files.exists(record())
        ? List.copyOf(new TreeSet<>(Files.readAllLines(record())))
        : List.of();
  }

  private static Path record() {
    return ModuleDirectory.target().resolve("foreign-peers-not-run.txt");
  }
}
