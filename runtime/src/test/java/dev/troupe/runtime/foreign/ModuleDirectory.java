package dev.troupe.runtime.foreign;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where this module lies, whether Maven started us in it or somebody at the root. */
final class ModuleDirectory {

  private ModuleDirectory() {}

  static Path path() {
    Path here = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    for (Path candidate : new Path[] {here, here.resolve("runtime")}) {
      if (Files.isDirectory(candidate.resolve("src/test/js"))) {
        return candidate;
      }
    }
    throw new IllegalStateException("neither the runtime module nor its parent: " + here);
  }

  static Path target() {
    return path().resolve("target");
  }
}
