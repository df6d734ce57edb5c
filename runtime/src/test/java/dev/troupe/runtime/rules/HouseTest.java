package dev.troupe.runtime.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the project's directories hold. */
class HouseTest {

  private static final Path ROOT =
      Path.of(Objects.requireNonNull(System.getProperty("troupe.root"), "run by Maven"));

  private static final Set<String> MODULES = Set.of("protocol", "actors", "runtime", "simulation");

  private static final Set<String> DOCUMENTS =
      Set.of(
          "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "pom.xml");

  @Test
  void theTopHoldsFourModulesAndWhatTheToolsNeed() throws IOException {
    try (Stream<Path> top = Files.list(ROOT)) {
      Set<String> entries =
          top.map(entry -> entry.getFileName().toString())
              .filter(name -> !name.startsWith(".") && !name.equals("target"))
              .collect(Collectors.toCollection(TreeSet::new));
      Set<String> expected = new TreeSet<>(MODULES);
      expected.addAll(DOCUMENTS);
      assertEquals(expected, entries);
    }
  }

  @Test
  void everyPackageSaysWhatItIs() throws IOException {
    List<Path> packages;
    try (Stream<Path> files = Files.walk(ROOT)) {
      packages =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .filter(file -> ROOT.relativize(file).toString().contains("src/main/java"))
              .map(Path::getParent)
              .distinct()
              .toList();
    }
    assertFalse(packages.isEmpty());
    List<Path> silent = packages.stream().filter(path -> !isDescribed(path)).toList();
    assertEquals(List.of(), silent);
  }

  private static boolean isDescribed(Path directory) {
    Path file = directory.resolve("package-info.java");
    try {
      return Files.exists(file)
          && Files.readString(file).contains("/**")
          && Files.readString(file).contains("@NullMarked");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
