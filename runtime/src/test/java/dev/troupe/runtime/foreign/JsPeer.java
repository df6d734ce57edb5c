package dev.troupe.runtime.foreign;

import dev.troupe.runtime.foreign.ForeignPeers.UnavailableException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * js-libp2p, installed from the npm registry as {@code src/test/js/package-lock.json} pins it,
 * together with the Node.js it needs. Installed once, below {@code target/js}, and again when the
 * lock file changes.
 */
public final class JsPeer {

  private static final int LEAST_NODE = 22;
  private static final long INSTALL_MINUTES = 5;

  private static @Nullable JsPeer installed;

  private final Path node;
  private final Path script;

  private JsPeer(Path node, Path script) {
    this.node = node;
    this.script = script;
  }

  /**
   * Installs it where that has not been done.
   *
   * @throws UnavailableException if there is no npm, no registry, or no Node.js that is new enough
   */
  public static synchronized JsPeer install() throws UnavailableException {
    if (installed == null) {
      try {
        installed =
            Toolchain.exclusively(
                "js",
                () ->
                    install(
                        ModuleDirectory.path().resolve("src/test/js"),
                        ModuleDirectory.target().resolve("js")));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return installed;
  }

  /** The command that runs a peer with these arguments. */
  public List<String> command(List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(node.toString(), script.toString(), "--json"));
    command.addAll(arguments);
    return command;
  }

  private static JsPeer install(Path sources, Path directory)
      throws IOException, UnavailableException {
    Files.createDirectories(directory);
    Path stamp = directory.resolve("node_modules/.installed-from.json");
    Path pinned = sources.resolve("package-lock.json");
    if (!Files.exists(stamp) || Files.mismatch(stamp, pinned) >= 0) {
      for (String file : List.of("package.json", "package-lock.json")) {
        Files.copy(
            sources.resolve(file), directory.resolve(file), StandardCopyOption.REPLACE_EXISTING);
      }
      npmInstall(directory);
      Files.copy(pinned, stamp, StandardCopyOption.REPLACE_EXISTING);
    }
    // Beside node_modules, so that Node.js finds the libraries from them.
    try (DirectoryStream<Path> scripts = Files.newDirectoryStream(sources, "*.mjs")) {
      for (Path file : scripts) {
        Path copy = directory.resolve(file.getFileName());
        if (!Files.exists(copy) || Files.mismatch(copy, file) >= 0) {
          Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
    return new JsPeer(node(directory), directory.resolve("peer.mjs"));
  }

  private static void npmInstall(Path directory) throws IOException, UnavailableException {
    Path npm = Toolchain.onPath(Toolchain.isWindows() ? "npm.cmd" : "npm");
    if (npm == null) {
      throw new UnavailableException("npm is not on the PATH");
    }
    // No scripts: what is installed is what the lock file has the hashes of.
    Toolchain.run(
        "npm ci",
        List.of(npm.toString(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        Map.of(),
        directory,
        directory.resolve("npm.log"),
        INSTALL_MINUTES);
  }

  /** The Node.js that npm installed, or one on the path where npm has none for this platform. */
  private static Path node(Path directory) throws IOException, UnavailableException {
    Path own = directory.resolve("node_modules/.bin/node");
    if (Files.exists(own)) {
      return own;
    }
    Path other = Toolchain.onPath(Toolchain.isWindows() ? "node.exe" : "node");
    if (other == null) {
      throw new UnavailableException("there is no Node.js");
    }
    Process process =
        new ProcessBuilder(other.toString(), "-p", "process.versions.node.split('.')[0]").start();
    String major = new String(process.getInputStream().readAllBytes()).strip();
    if (!major.matches("[0-9]{1,4}") || Integer.parseInt(major) < LEAST_NODE) {
      throw new UnavailableException(
          "js-libp2p needs Node.js " + LEAST_NODE + ", and " + other + " is " + major);
    }
    return other;
  }
}
