package dev.troupe.runtime.cli;

import dev.troupe.actors.bootstrap.BootstrapSettings;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.names.Resolution;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.actors.world.Measurements;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.embedding.Troupe;
import dev.troupe.runtime.http.HttpEndpoint;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What every command that runs a peer is told: who it is, whom it joins, and how it reports. */
final class PeerOptions {

  @SuppressWarnings("NullAway.Init") // picocli sets it.
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--bootstrap",
      paramLabel = "MULTIADDR",
      description =
          "Whom to join the DHT through, with /p2p/ID, or all behind a /dnsaddr; may be repeated.")
  private List<String> bootstrap = new ArrayList<>();

  @Option(
      names = "--backup",
      paramLabel = "MULTIADDR",
      description =
          "Whom to join through while no --bootstrap can be reached, the preferred first; may be repeated.")
  private List<String> backups = new ArrayList<>();

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

  private @Nullable InetSocketAddress http;
  private @Nullable StatusPages pages;
  private @Nullable RecentWalks walks;

  @Option(
      names = "--http",
      paramLabel = "[ADDRESS:]PORT",
      description =
          "Where to serve /health and /metrics over HTTP (default: nowhere); without an ADDRESS on"
              + " loopback only.")
  void setHttp(String text) {
    int colon = text.lastIndexOf(':');
    String host = text.substring(0, Math.max(colon, 0));
    String port = text.substring(colon + 1);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.contains(":")) {
      throw wrong("--http: " + text + ": an IPv6 address has brackets");
    }
    if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65535) {
      throw wrong("--http: " + text + " has no port");
    }
    try {
      InetAddress address =
          host.isEmpty() ? InetAddress.getLoopbackAddress() : InetAddress.getByName(host);
      http = new InetSocketAddress(address, Integer.parseInt(port));
      pages = new StatusPages();
    } catch (UnknownHostException e) {
      throw wrong("--http: " + text + ": there is no host " + host);
    }
  }

  @Option(
      names = "--json",
      description = "One JSON object a line on standard output, nothing else.")
  private boolean json;

  /** What starts peers: measured where that can be asked for. */
  Troupe start() {
    return Troupe.start(walks());
  }

  /** The last walks of the peers that {@link #start} started. */
  RecentWalks walks() {
    if (walks == null) {
      walks =
          new RecentWalks(
              pages == null ? Measurements.NONE : pages.measurements(), System::nanoTime);
    }
    return walks;
  }

  /**
   * Serves {@code /health} and {@code /metrics} of a peer, where that is wanted.
   *
   * @return closes the endpoint
   * @throws IOException if its address cannot be had
   */
  Closeable serveStatus(EmbeddedPeer peer, Output output) throws IOException {
    if (pages == null || http == null) {
      return () -> {};
    }
    HttpEndpoint endpoint = pages.open(http, peer);
    InetSocketAddress at = endpoint.address();
    output.event("http", Map.of("addr", at.getAddress().getHostAddress() + ":" + at.getPort()));
    return endpoint::close;
  }

  /** Writes the lines of {@link #output}; the caller's to close. */
  LineWriter writer() {
    return new LineWriter(System.out::println, json ? JsonOutput::dropped : TextOutput::dropped);
  }

  /** Where events and replies go. */
  Output output(LineWriter writer) {
    return json ? new JsonOutput(writer) : new TextOutput(writer);
  }

  boolean json() {
    return json;
  }

  /** Whether the peer has the same identity each time. */
  boolean hasLastingIdentity() {
    return key != null || data != null;
  }

  /**
   * The settings, but for what a command has options of its own for.
   *
   * @param listen where to accept connections, as --listen has it
   */
  PeerSettings settings(Troupe troupe, List<String> listen) {
    List<Multiaddr> addresses = parse("--listen", listen);
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
        .withBootstrap(BootstrapSettings.DEFAULT.withBackups(named("--backup", backups)))
        .withDht(defaults.withProtocol(protocol).withBootstrapPeers(boot).withNamespaces(known));
  }

  private List<Multiaddr> named(String option, List<String> texts) {
    List<Multiaddr> addresses = parse(option, texts);
    for (Multiaddr address : addresses) {
      if (address.peerId() == null && !Resolution.isNeeded(address)) {
        throw wrong(option + ": " + address + " does not end in /p2p/ID");
      }
    }
    return addresses;
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

  List<Multiaddr> parse(String option, List<String> texts) {
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

  ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
