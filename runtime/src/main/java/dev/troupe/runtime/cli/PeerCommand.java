package dev.troupe.runtime.cli;

import dev.troupe.actors.bootstrap.BootstrapSettings;
import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.health.HealthSettings;
import dev.troupe.actors.peer.PeerRole;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.embedding.Troupe;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code peer}: one peer, driven from a terminal or by a script on standard input. */
@Command(
    name = "peer",
    mixinStandardHelpOptions = true,
    description = "Runs one peer; type 'help' at its prompt.")
final class PeerCommand implements Callable<Integer> {

  @SuppressWarnings("NullAway.Init") // picocli sets it.
  @Spec
  private CommandSpec spec;

  @Option(
      names = "--listen",
      paramLabel = "MULTIADDR",
      description = "Where to accept connections (default /ip4/127.0.0.1/tcp/0); may be repeated.")
  private List<String> listen = new ArrayList<>();

  @Option(
      names = "--bootstrap",
      paramLabel = "MULTIADDR",
      description = "Whom to join the DHT through, with /p2p/ID; may be repeated.")
  private List<String> bootstrap = new ArrayList<>();

  @Option(
      names = "--backup",
      paramLabel = "MULTIADDR",
      description =
          "Whom to join through while no --bootstrap can be reached, the preferred first; may be repeated.")
  private List<String> backups = new ArrayList<>();

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
      names = "--key",
      paramLabel = "FILE",
      description =
          "The file of the private key, made on first use (default: DIR/key with --data, otherwise"
              + " a new key).")
  private @Nullable Path key;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Where to keep what outlives the peer: values, providers, addresses, the routing table"
              + " (default: nowhere).")
  private @Nullable Path data;

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
      names = "--dht-protocol",
      paramLabel = "ID",
      defaultValue = "/ipfs/kad/1.0.0",
      description = "What the DHT speaks (default ${DEFAULT-VALUE}).")
  private String dhtProtocol = "/ipfs/kad/1.0.0";

  @Option(
      names = "--namespace",
      paramLabel = "NAME",
      description = "A namespace of values that takes anything; may be repeated.")
  private List<String> namespaces = new ArrayList<>();

  @Option(
      names = "--perf",
      description = "Let others measure streams to this peer, and so have it send at will.")
  private boolean perf;

  @Option(
      names = "--json",
      description = "One JSON object a line on standard output, nothing else.")
  private boolean json;

  @Override
  public Integer call() {
    try (Troupe troupe = Troupe.start()) {
      PeerSettings settings = settings(troupe);
      PeerManager.CreateReply reply =
          troupe.createPeer("peer", settings).toCompletableFuture().join();
      if (reply instanceof PeerManager.CreateRefused refused) {
        System.err.println("troupe: " + refused.message());
        return 1;
      }
      return serve(troupe, troupe.embed((PeerManager.Created) reply));
    }
  }

  private PeerSettings settings(Troupe troupe) {
    List<Multiaddr> addresses =
        parse("--listen", listen.isEmpty() ? List.of("/ip4/127.0.0.1/tcp/0") : listen);
    List<Multiaddr> boot = named("--bootstrap", bootstrap);
    DhtSettings defaults = DhtSettings.DEFAULT;
    Namespaces known = defaults.namespaces();
    ProtocolId protocol;
    try {
      for (String name : namespaces) {
        known = known.with(name, Namespace.open());
      }
      protocol = ProtocolId.of(dhtProtocol);
    } catch (IllegalArgumentException e) {
      throw wrong("--namespace or --dht-protocol: " + e.getMessage());
    }
    StoreSettings store = StoreSettings.DEFAULT;
    if (data != null) {
      store = store.withDirectory(data.toAbsolutePath().toString());
    }
    return PeerSettings.of(identity(troupe), addresses)
        .withStore(store)
        .withServePerf(perf)
        .withBootstrap(BootstrapSettings.DEFAULT.withBackups(named("--backup", backups)))
        .withHealth(HealthSettings.DEFAULT.withVerifyOnConnect(verify))
        .withDht(
            defaults
                .withMode(mode())
                .withProtocol(protocol)
                .withBootstrapPeers(boot)
                .withNamespaces(known))
        .withRole(role());
  }

  private List<Multiaddr> named(String option, List<String> texts) {
    List<Multiaddr> addresses = parse(option, texts);
    for (Multiaddr address : addresses) {
      if (address.peerId() == null) {
        throw wrong(option + ": " + address + " does not end in /p2p/ID");
      }
    }
    return addresses;
  }

  private PeerRole role() {
    for (PeerRole each : PeerRole.values()) {
      if (each.name().toLowerCase(Locale.ROOT).equals(role)) {
        return each;
      }
    }
    throw wrong("--role: peer, bootstrap or agent, not '" + role + "'");
  }

  private PrivateKey identity(Troupe troupe) {
    Path file = key;
    try {
      if (file == null && data != null) {
        file = Files.createDirectories(data).resolve("key");
      }
      if (file == null) {
        return troupe.newIdentity();
      }
      return KeyFile.loadOrCreate(file, troupe.crypto(), troupe::newIdentity);
    } catch (MalformedException e) {
      throw wrong(keyOption() + ": " + e.getMessage());
    } catch (IOException e) {
      throw wrong(
          keyOption()
              + ": cannot use "
              + (file == null ? data : "the key file " + file)
              + ": "
              + e);
    }
  }

  /** Where the user said which key file it is. */
  private String keyOption() {
    return key == null ? "--data" : "--key";
  }

  private DhtMode mode() {
    for (DhtMode mode : DhtMode.values()) {
      if (mode.name().toLowerCase(Locale.ROOT).equals(dht)) {
        return mode;
      }
    }
    throw wrong("--dht: client, server, auto or off, not '" + dht + "'");
  }

  private List<Multiaddr> parse(String option, List<String> texts) {
    List<Multiaddr> all = new ArrayList<>();
    for (String text : texts) {
      try {
        all.add(Multiaddr.parse(text));
      } catch (MalformedException e) {
        throw wrong(option + ": " + e.getMessage());
      }
    }
    return all;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private int serve(Troupe troupe, EmbeddedPeer peer) {
    LineWriter writer =
        new LineWriter(System.out::println, json ? JsonOutput::dropped : TextOutput::dropped);
    Output output = json ? new JsonOutput(writer) : new TextOutput(writer);
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    Session session = new Session(peer, output, stop::countDown);
    Thread hook =
        new Thread(
            () -> {
              stop.countDown();
              try {
                stopped.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "troupe-signal");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      session.start(topics);
      Thread reader = new Thread(() -> read(session, writer, stop), "troupe-input");
      reader.setDaemon(true);
      reader.start();
      stop.await();
      peer.stop().toCompletableFuture().join();
      writer.close();
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    } finally {
      stopped.countDown();
    }
  }

  private void read(Session session, LineWriter writer, CountDownLatch stop) {
    boolean stays = !topics.isEmpty() || !listen.isEmpty();
    try {
      if (!json && System.console() != null) {
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
      stop.countDown();
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
