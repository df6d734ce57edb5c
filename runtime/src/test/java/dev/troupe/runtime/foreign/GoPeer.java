package dev.troupe.runtime.foreign;

import dev.troupe.runtime.foreign.ForeignPeers.UnavailableException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * go-libp2p, built by the Go of this machine from {@code src/test/go}, with the modules that its
 * {@code go.mod} and {@code go.sum} pin. Built once a test JVM, into {@code target/go}; Go's own
 * cache makes that a matter of a second where nothing has changed.
 */
public final class GoPeer {

  /** The first build compiles all of go-libp2p. */
  private static final long BUILD_MINUTES = 10;

  /**
   * The Go that is here, or none: it is not to load another one. No C compiler is needed, and what
   * is built is what the lock file has the hashes of.
   */
  private static final Map<String, String> ENVIRONMENT =
      Map.of("GOTOOLCHAIN", "local", "GOWORK", "off", "CGO_ENABLED", "0");

  private static @Nullable GoPeer built;

  private final Path program;

  private GoPeer(Path program) {
    this.program = program;
  }

  /**
   * Builds it where that has not been done.
   *
   * @throws UnavailableException if there is no Go, none that is new enough, or no module proxy
   */
  public static synchronized GoPeer build() throws UnavailableException {
    if (built == null) {
      try {
        built = Toolchain.exclusively("go", GoPeer::buildAlone);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return built;
  }

  /** The command that runs a peer with these arguments. */
  public List<String> command(List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(program.toString(), "--json"));
    command.addAll(arguments);
    return command;
  }

  private static GoPeer buildAlone() throws IOException, UnavailableException {
    Path go = Toolchain.onPath(Toolchain.isWindows() ? "go.exe" : "go");
    if (go == null) {
      throw new UnavailableException("go is not on the PATH");
    }
    Path directory = Files.createDirectories(ModuleDirectory.target().resolve("go"));
    Path program = directory.resolve(Toolchain.isWindows() ? "peer.exe" : "peer");
    Toolchain.run(
        "go build",
        List.of(
            go.toString(),
            "build",
            "-mod=readonly",
            "-buildvcs=false",
            "-trimpath",
            "-ldflags=-s -w",
            "-o",
            program.toString(),
            "."),
        ENVIRONMENT,
        ModuleDirectory.path().resolve("src/test/go"),
        directory.resolve("build.log"),
        BUILD_MINUTES);
    return new GoPeer(program);
  }
}
