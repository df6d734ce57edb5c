package dev.troupe.simulation.report;

import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Run;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The report of one run. Its directory is made and tried before the run; at the end of the run the
 * peers are surveyed; and then it is written.
 */
public final class RunReport {

  /** The page. */
  public static final String PAGE = "index.html";

  /** All data in one. */
  public static final String DATA = "data.json";

  private final Path directory;
  private @Nullable Run run;
  private Survey survey = Survey.NOTHING;

  private RunReport(Path directory) {
    this.directory = directory;
  }

  /**
   * A report in a directory, which is made if it does not exist. One that is not empty is taken
   * only if it holds an earlier report, whose files are replaced.
   *
   * @throws IllegalArgumentException saying why nothing can be written there
   */
  public static RunReport in(Path directory) {
    try {
      Files.createDirectories(directory);
    } catch (FileAlreadyExistsException e) {
      throw new IllegalArgumentException(
          "the report needs a directory, and " + directory + " leads through a file", e);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "the report directory " + directory + " cannot be made: " + e, e);
    }
    try {
      if (!isFree(directory)) {
        throw new IllegalArgumentException(
            "the report directory "
                + directory
                + " is not empty and holds no earlier report ("
                + PAGE
                + " and "
                + DATA
                + ")");
      }
      Files.delete(Files.createTempFile(directory, "report", ".tmp"));
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "the report directory " + directory + " cannot be written: " + e, e);
    }
    return new RunReport(directory);
  }

  private static boolean isFree(Path directory) throws IOException {
    if (Files.isRegularFile(directory.resolve(PAGE))
        && Files.isRegularFile(directory.resolve(DATA))) {
      return true;
    }
    try (Stream<Path> inside = Files.list(directory)) {
      return inside.findAny().isEmpty();
    }
  }

  /** Asks the peers what only they know; the epilogue of a {@link Run}. */
  public void survey(Run over) {
    run = over;
    survey = Survey.of(over.cluster());
  }

  /**
   * Writes all files, the page last.
   *
   * @param wallNanos how long the run took on the wall
   * @return the page
   * @throws IllegalStateException if there has been no survey
   */
  public Path write(Result result, long wallNanos) throws IOException {
    if (run == null) {
      throw new IllegalStateException("the run has not been surveyed");
    }
    Findings findings = Findings.of(run, result, survey, wallNanos);
    List<DataTable> tables = findings.tables();
    for (DataTable table : tables) {
      DataFiles.writeCsv(directory.resolve(table.file()), table);
    }
    DataFiles.writeJson(directory.resolve(DATA), findings);
    Path page = directory.resolve(PAGE);
    Files.writeString(page, Page.of(findings));
    return page;
  }
}
