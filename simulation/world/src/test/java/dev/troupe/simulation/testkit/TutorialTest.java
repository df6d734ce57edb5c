package dev.troupe.simulation.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The code of the tutorial is the code that is compiled and run. */
class TutorialTest {

  private static final Path SIMULATION =
      Path.of(Objects.requireNonNull(System.getProperty("troupe.root"), "run by Maven"))
          .resolve("simulation");

  /** A source without its package and its imports. */
  private static String code(String name) throws IOException {
    String source =
        Files.readString(SIMULATION.resolve("world/src/test/java/example/museum/" + name));
    Matcher imports = Pattern.compile("(?s).*\nimport [^\n]*\n").matcher(source);
    assertTrue(imports.lookingAt());
    return source.substring(imports.end()).strip();
  }

  private static List<String> blocks() throws IOException {
    String page = Files.readString(SIMULATION.resolve("docs/tutorial.md"));
    return Pattern.compile("(?s)```java\n(.*?)\n```")
        .matcher(page)
        .results()
        .map(match -> match.group(1).strip())
        .toList();
  }

  @Test
  void theCodeOfThePageIsTheSources() throws IOException {
    assertEquals(List.of(code("Door.java"), code("DoorTest.java")), blocks());
  }

  @Test
  void itSleepsNowhereAndNamesNoPort() throws IOException {
    for (String block : blocks()) {
      assertFalse(Stream.of("sleep", "Thread", "/tcp/", "4001").anyMatch(block::contains));
    }
  }
}
