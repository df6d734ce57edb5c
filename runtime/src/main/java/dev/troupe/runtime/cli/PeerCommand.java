package dev.troupe.runtime.cli;

import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.health.HealthSettings;
import dev.troupe.actors.peer.PeerRole;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.embedding.Troupe;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peer}: one peer, driven from a terminal or by a script on standard input. */
@Command(
    name = "peer",
    mixinStandardHelpOptions = true,
    description = "Runs one peer; type 'help' at its prompt.")
final class PeerCommand implements Callable<Integer> {

  @Mixin private PeerOptions options = new PeerOptions();

  @Option(
      names = "--listen",
      paramLabel = "MULTIADDR",
      description = "Where to accept connections (default /ip4/127.0.0.1/tcp/0); may be repeated.")
  private List<String> listen = new ArrayList<>();

  @Option(
      names = "--role",
      paramLabel = "ROLE",
      defaultValue = "peer",
      description =
          "peer, bootstrap (a server with room for 1000) or agent (a client with room for 50); default peer.")
  private String role = "peer";

  @Option(
      names = "--verify",
      description = "Once connected, verify that the network can be used, and report it.")
  private boolean verify;

  @Option(
      names = "--topic",
      paramLabel = "NAME",
      description = "A topic to subscribe to at once; may be repeated.")
  private List<String> topics = new ArrayList<>();

  @Option(
      names = "--dht",
      paramLabel = "MODE",
      defaultValue = "auto",
      description = "client, server, auto or off (default auto).")
  private String dht = "auto";

  @Option(
      names = "--perf",
      description = "Let others measure streams to this peer, and so have it send at will.")
  private boolean perf;

  @Override
  public Integer call() {
    try (Troupe troupe = options.start()) {
      PeerSettings settings = settings(troupe);
      PeerManager.CreateReply reply =
          troupe.createPeer("peer", settings).toCompletableFuture().join();
      if (reply instanceof PeerManager.CreateRefused refused) {
        System.err.println("troupe: " + refused.message());
        return 1;
      }
      return serve(troupe, troupe.embed((PeerManager.Created) reply), settings.identity());
    }
  }

  private PeerSettings settings(Troupe troupe) {
    PeerRole chosen = role();
    DhtMode mode = mode();
    PeerSettings settings =
        options.settings(troupe, listen.isEmpty() ? List.of("/ip4/127.0.0.1/tcp/0") : listen);
    return settings
        .withServePerf(perf)
        .withHealth(HealthSettings.DEFAULT.withVerifyOnConnect(verify))
        .withDht(settings.dht().withMode(mode))
        .withRole(chosen);
  }

  private PeerRole role() {
    for (PeerRole each : PeerRole.values()) {
      if (each.name().toLowerCase(Locale.ROOT).equals(role)) {
        return each;
      }
    }
    throw options.wrong("--role: peer, bootstrap or agent, not '" + role + "'");
  }

  private DhtMode mode() {
    for (DhtMode mode : DhtMode.values()) {
      if (mode.name().toLowerCase(Locale.ROOT).equals(dht)) {
        return mode;
      }
    }
    throw options.wrong("--dht: client, server, auto or off, not '" + dht + "'");
  }

  private int serve(Troupe troupe, EmbeddedPeer peer, PrivateKey identity) {
    LineWriter writer = options.writer();
    try (Ending ending = new Ending()) {
      Output output = options.output(writer);
      try (Closeable status = options.serveStatus(peer, output)) {
        Session session = new Session(peer, identity, output, options.walks(), ending::ask);
        session.start(topics);
        Thread reader = new Thread(() -> read(session, writer, ending), "troupe-input");
        reader.setDaemon(true);
        reader.start();
        ending.await();
      } catch (IOException e) {
        System.err.println("troupe: --http: " + e.getMessage());
        return 1;
      }
      peer.stop().toCompletableFuture().join();
      writer.close();
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    }
  }

  private void read(Session session, LineWriter writer, Ending ending) {
    boolean stays = !topics.isEmpty() || !listen.isEmpty();
    try {
      if (!options.json() && System.console() != null) {
        prompt(session, writer);
        stays = false;
      } else {
        BoundedLines in =
            new BoundedLines(
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
                BoundedLines.MAX_LINE);
        int number = 0;
        for (BoundedLines.Line line = in.next(); line != null; line = in.next()) {
          writer.awaitRoom();
          if (line.cut()) {
            session.refuseLong(++number, line.text(), BoundedLines.MAX_LINE);
          } else {
            session.run(++number, line.text());
          }
        }
      }
    } catch (IOException e) {
      System.err.println("troupe: standard input: " + e.getMessage());
    }
    session.awaitReplies();
    if (!stays) {
      ending.ask();
    }
  }

  private static void prompt(Session session, LineWriter writer) throws IOException {
    try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
      LineReader lines =
          LineReaderBuilder.builder()
              .terminal(terminal)
              // What is typed is what is sent.
              .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
              .build();
      // Above the line that is being typed, not into it.
      writer.redirect(lines::printAbove);
      try {
        int number = 0;
        while (!session.isOver()) {
          writer.awaitRoom();
          session.run(++number, lines.readLine("troupe> "));
        }
      } catch (EndOfFileException | UserInterruptException e) {
        session.awaitReplies();
      } finally {
        writer.redirect(System.out::println);
      }
    }
  }
}
