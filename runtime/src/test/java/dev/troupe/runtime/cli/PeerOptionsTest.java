package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.runtime.embedding.Troupe;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class PeerOptionsTest {

  private final Troupe troupe = Troupe.start();

  @AfterEach
  void close() {
    troupe.close();
  }

  @Command(name = "test")
  private static final class Options {
    @Mixin private PeerOptions options;
  }

  private PeerSettings settings(String... arguments) {
    Options given = new Options();
    new CommandLine(given).parseArgs(arguments);
    return given.options.settings(troupe, List.of());
  }

  @Test
  void aBootstrapAddressNamesItsPeerOrStandsForThoseBehindIt() throws Exception {
    PeerSettings settings =
        settings("--bootstrap", "/dnsaddr/example.org", "--backup", "/dnsaddr/backup.example.org");
    assertEquals(List.of(Multiaddr.parse("/dnsaddr/example.org")), settings.dht().bootstrapPeers());
    assertEquals(
        List.of(Multiaddr.parse("/dnsaddr/backup.example.org")), settings.bootstrap().backups());
    ParameterException refused =
        assertThrows(
            ParameterException.class, () -> settings("--bootstrap", "/ip4/192.0.2.1/tcp/1"));
    assertTrue(refused.getMessage().contains("does not end in /p2p/ID"), refused::getMessage);
  }
}
