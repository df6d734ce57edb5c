package dev.troupe.simulation.cli;

import dev.troupe.simulation.report.RunReport;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code run} and {@code replay} share. */
final class Reporting {

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = {
        "Writes a page with plots, and the data as CSV and JSON, into a directory",
        "(made if need be; not one that holds other things)."
      })
  private @Nullable Path directory;

  /**
   * Makes and tries the directory; null where no report is wanted.
   *
   * @throws IllegalArgumentException saying why nothing can be written there
   */
  @Nullable RunReport prepare() {
    return directory == null ? null : RunReport.in(directory);
  }
}
