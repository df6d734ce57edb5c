package dev.troupe.runtime.foreign;

import dev.troupe.runtime.foreign.ForeignPeers.UnavailableException;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The kinds of peer a test brings together. */
public enum PeerKind {
  /** Ours, from the command line. */
  TROUPE {
    @Override
    List<String> command(List<String> arguments) throws UnavailableException {
      if (Boolean.getBoolean(STAND_IN)) {
        return JS.command(arguments);
      }
      List<String> command = ours("peer", "--json");
      command.addAll(arguments);
      return command;
    }
  },

  /** js-libp2p. */
  JS {
    @Override
    List<String> command(List<String> arguments) throws UnavailableException {
      return JsPeer.install().command(arguments);
    }
  },

  /** go-libp2p. */
  GO {
    @Override
    List<String> command(List<String> arguments) throws UnavailableException {
      return GoPeer.build().command(arguments);
    }
  };

  /** With this property js-libp2p plays both parts, which shows that the tests themselves hold. */
  private static final String STAND_IN = "troupe.interop.js-only";

  /** The command that runs such a peer. */
  abstract List<String> command(List<String> arguments) throws UnavailableException;

  /** Starts one with these arguments; skips or fails the test where that kind cannot run. */
  public JsonPeerProcess start(String name, String... arguments) {
    try {
      return JsonPeerProcess.start(name, command(List.of(arguments)));
    } catch (UnavailableException e) {
      ForeignPeers.notRun(this == GO ? "go-libp2p" : "js-libp2p", e);
      throw new IllegalStateException("the test went on without " + name, e);
    }
  }

  /** The command that runs our command line. */
  public static List<String> ours(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Several start at once on few cores, and live for seconds: the first compiler will do.
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"));
    String leakDetection = System.getProperty("io.netty.leakDetection.level");
    if (leakDetection != null) {
      command.add("-Dio.netty.leakDetection.level=" + leakDetection);
    }
    command.addAll(List.of("-cp", mainClassPath(), "dev.troupe.runtime.cli.Main"));
    command.addAll(List.of(arguments));
    return command;
  }

  /** What the tests run with, less the tests' own: a user has neither them nor their logging. */
  private static String mainClassPath() {
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return Arrays.stream(path.split(File.pathSeparator))
        .filter(entry -> !entry.endsWith("test-classes") && !entry.endsWith("-tests.jar"))
        .collect(Collectors.joining(File.pathSeparator));
  }
}
