package dev.troupe.runtime.cli;

import dev.troupe.actors.peer.PeerRole;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.embedding.Troupe;
import dev.troupe.runtime.supervision.RestartPolicy;
import dev.troupe.runtime.supervision.Supervisor;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code bootstrap}: a bootstrap node as a service. This process runs the node in a child process,
 * started again when it dies, or with {@code --unsupervised} the node itself.
 */
@Command(
    name = "bootstrap",
    mixinStandardHelpOptions = true,
    description =
        "Runs a bootstrap node as a service, restarted when it dies: at most "
            + RestartPolicy.MOST_RESTARTS
            + " times in 5 minutes.")
final class BootstrapCommand implements Callable<Integer> {

  /** Where a bootstrap node listens unless told otherwise: others must find it there again. */
  private static final String LISTEN = "/ip4/0.0.0.0/tcp/4001";

  /** Marks the child: its life ends with its standard input, and so with the process above it. */
  private static final String CHILD = "--supervised-child";

  @SuppressWarnings("NullAway.Init") // picocli sets it.
  @Spec
  private CommandSpec spec;

  @Mixin private PeerOptions options = new PeerOptions();

  @Option(
      names = "--listen",
      paramLabel = "MULTIADDR",
      description = "Where to accept connections (default " + LISTEN + "); may be repeated.")
  private List<String> listen = new ArrayList<>();

  @Option(
      names = "--unsupervised",
      description = "Run the node in this process, for use under another supervisor.")
  private boolean unsupervised;

  @Option(names = CHILD, hidden = true)
  private boolean child;

  @Override
  public Integer call() throws InterruptedException {
    if (!options.hasLastingIdentity()) {
      throw options.wrong(
          "--data or --key: a bootstrap node keeps its identity, or nobody would find it again");
    }
    LineWriter writer = options.writer();
    try {
      Output output = options.output(writer);
      return child || unsupervised ? serve(output) : supervise(output);
    } finally {
      writer.close();
    }
  }

  // The node

  private int serve(Output output) throws InterruptedException {
    try (Troupe troupe = options.start();
        Ending ending = new Ending()) {
      PeerSettings settings =
          options
              .settings(troupe, listen.isEmpty() ? List.of(LISTEN) : listen)
              .withRole(PeerRole.BOOTSTRAP);
      PeerManager.CreateReply reply =
          troupe.createPeer("bootstrap", settings).toCompletableFuture().join();
      if (reply instanceof PeerManager.CreateRefused refused) {
        System.err.println("troupe: " + refused.message());
        return 1;
      }
      EmbeddedPeer peer = troupe.embed((PeerManager.Created) reply);
      try (Closeable status = options.serveStatus(peer, output)) {
        new Session(peer, settings.identity(), output, options.walks(), ending::ask).announce();
        if (child) {
          endWithInput(ending);
        }
        ending.await();
      } catch (IOException e) {
        System.err.println("troupe: --http: " + e.getMessage());
        return 1;
      }
      peer.stop().toCompletableFuture().join();
      return 0;
    }
  }

  private static void endWithInput(Ending ending) {
    Thread reader =
        new Thread(
            () -> {
              try {
                System.in.transferTo(OutputStream.nullOutputStream());
              } catch (IOException e) {
                System.err.println("troupe: standard input: " + e.getMessage());
              }
              ending.ask();
            },
            "troupe-input");
    reader.setDaemon(true);
    reader.start();
  }

  // The process above it

  private int supervise(Output output) throws InterruptedException {
    Supervisor supervisor =
        new Supervisor(
            childCommand(), RestartPolicy.usual(), System::nanoTime, new Announcer(output));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(supervisor), "troupe-signal"));
    return switch (supervisor.run()) {
      case STOPPED -> 0;
      case MISUSED -> Supervisor.USAGE;
      case GAVE_UP -> {
        output.event(
            "alert",
            fields(
                "reason",
                "the bootstrap node ended "
                    + (RestartPolicy.MOST_RESTARTS + 1)
                    + " times within "
                    + RestartPolicy.WINDOW.toMinutes()
                    + " minutes and is not started again",
                "restarts",
                RestartPolicy.MOST_RESTARTS));
        yield 1;
      }
      case NOT_STARTED -> 1;
    };
  }

  private static void stop(Supervisor supervisor) {
    try {
      supervisor.stop();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** This process once more: the same Java, the same options, and the mark of a child. */
  private List<String> childCommand() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        // A debugger's port can be had once.
        .filter(argument -> !argument.startsWith("-agentlib:jdwp"))
        .forEach(command::add);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    List<String> arguments =
        new ArrayList<>(spec.root().commandLine().getParseResult().originalArgs());
    arguments.add(arguments.indexOf(spec.name()) + 1, CHILD);
    command.addAll(arguments);
    return command;
  }

  private record Announcer(Output output) implements Supervisor.Listener {

    @Override
    public void started(long pid, int restarts) {
      output.event("child-started", fields("pid", pid, "restarts", restarts));
    }

    @Override
    public void died(long pid, int exitCode) {
      output.event("child-died", fields("pid", pid, "exitCode", exitCode));
    }

    @Override
    public void notStarted(IOException failure) {
      output.event(
          "alert",
          fields("reason", "the bootstrap node cannot be started: " + failure.getMessage()));
    }
  }

  private static Map<String, Object> fields(Object... namesAndValues) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return fields;
  }
}
