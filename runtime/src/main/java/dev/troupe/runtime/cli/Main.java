package dev.troupe.runtime.cli;

import dev.troupe.runtime.demo.Demo;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The entry of {@code troupe.jar}. Exit codes: 0 when all went well, 1 when it did not, 2 for a
 * command line that cannot be understood.
 */
@Command(
    name = "troupe",
    mixinStandardHelpOptions = true,
    version = "troupe 0.1.0",
    description = "libp2p peers as troupes of actors.",
    subcommands = {
      Main.DemoCommand.class,
      PeerCommand.class,
      BootstrapCommand.class,
      CommandLine.HelpCommand.class
    })
public final class Main {

  private Main() {}

  /** Runs the command line and exits. */
  public static void main(String[] args) {
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    System.setOut(out);
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Command(
      name = "demo",
      mixinStandardHelpOptions = true,
      description = "Five peers on this machine bootstrap, find each other by topic, and talk.")
  static final class DemoCommand implements Callable<Integer> {
    @Override
    public Integer call() {
      return Demo.run(System.out) ? 0 : 1;
    }
  }
}
