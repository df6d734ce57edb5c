package dev.troupe.runtime.embedding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PrivateKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PeerConfigTest {

  private static final PrivateKey IDENTITY =
      PrivateKey.fromSeed(new PortableCrypto(), new byte[32]);

  private static Config reference() {
    return ConfigFactory.load();
  }

  @Test
  void theDocumentedDefaultsAreTheDefaults() {
    assertEquals(PeerSettings.of(IDENTITY, List.of()), PeerConfig.read(reference(), IDENTITY));
  }

  /** For those whose range has no 77. */
  private static final Map<String, String> IN_RANGE =
      Map.of(
          "bootstrap.dial-timeout",
          "30s",
          "bootstrap.pause",
          "7s",
          "dht.records.provider-republish",
          "20h",
          "dht.records.value-republish",
          "20h",
          "health.ping-timeout",
          "7s",
          "health.warn-latency",
          "770ms");

  static Stream<String> keys() {
    return reference().getConfig("troupe.peer").entrySet().stream().map(Map.Entry::getKey).sorted();
  }

  /** Another value of the same kind that is in range. */
  private static ConfigValue other(String key, ConfigValue value) {
    Object was = value.unwrapped();
    if (List.of("listen", "dht.bootstrap-peers", "bootstrap.backups").contains(key)) {
      return ConfigValueFactory.fromIterable(List.of("/ip4/127.0.0.1/tcp/4001"));
    } else if (key.equals("dht.namespaces")) {
      return ConfigValueFactory.fromIterable(List.of("house"));
    } else if (key.equals("dht.mode")) {
      return ConfigValueFactory.fromAnyRef("client");
    } else if (key.equals("role")) {
      return ConfigValueFactory.fromAnyRef("agent");
    } else if (IN_RANGE.containsKey(key)) {
      return ConfigValueFactory.fromAnyRef(IN_RANGE.get(key));
    } else if (was instanceof Boolean flag) {
      return ConfigValueFactory.fromAnyRef(!flag);
    } else if (key.equals("gossip.router.gossip-factor")) {
      return ConfigValueFactory.fromAnyRef(0.5);
    } else if (key.equals("gossip.router.degree-out") || key.equals("gossip.router.degree")) {
      return ConfigValueFactory.fromAnyRef(key.endsWith("out") ? 1 : 7);
    } else if (was instanceof Number number) {
      return ConfigValueFactory.fromAnyRef(number.longValue() + 1);
    }
    String text = String.valueOf(was);
    if (text.matches("[0-9]+(ms|s|m|h)")) {
      return ConfigValueFactory.fromAnyRef(text.replaceFirst("[0-9]+", "77"));
    } else if (text.matches("[0-9]+[KM]iB")) {
      return ConfigValueFactory.fromAnyRef(text.replaceFirst("[0-9]+", "99"));
    }
    return ConfigValueFactory.fromAnyRef(text + "x");
  }

  @ParameterizedTest
  @MethodSource("keys")
  void everyKeyIsRead(String key) {
    String path = "troupe.peer." + key;
    Config changed = reference().withValue(path, other(key, reference().getValue(path)));
    assertNotEquals(PeerSettings.of(IDENTITY, List.of()), PeerConfig.read(changed, IDENTITY), key);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "listen = [\"/ip4/300.1.1.1/tcp/0\"] | listen | 300.1.1.1",
        "listen = \"/ip4/1.2.3.4/tcp/1\" | listen | LIST",
        "dht = 5 | dht | OBJECT",
        "dht.mode = null | dht.mode | null",
        "dht.bootstrap-peers = [nonsense] | dht.bootstrap-peers | nonsense",
        "dht.mode = sometimes | dht.mode | sometimes",
        "role = king | role | king",
        "bootstrap.dial-timeout = 31s | bootstrap.dial-timeout | 5 to 30 s",
        "bootstrap.max-pause = 1s | bootstrap.max-pause | pause",
        "health.ping-timeout = 16s | health.ping-timeout | half",
        "health.warn-latency = 1ms | health.warn-latency | slowLatency",
        "dht.quorum = 0 | dht.quorum | positive",
        "dht.quorum = -1 | dht.quorum | -1",
        "dht.quorum = 2.5 | dht.quorum | 2.5",
        "dht.timing.floor = 0s | dht.timing.floor | positive",
        "dht.lookup.disjoint-paths = 0 | dht.lookup.disjoint-paths | positive",
        "dht.lookup.optimistic-provide = 7 | dht.lookup.optimistic-provide | BOOLEAN",
        "dht.quorum = 2k | dht.quorum | STRING rather than NUMBER",
        "dht.namespaces = [\"a/b\"] | dht.namespaces | a/b",
        "dht.namespaces = [pk] | dht.namespaces | already",
        "dht.namespaces = [ipns] | dht.namespaces | already",
        "dht.namespaces = [presence] | dht.namespaces | already",
        "presence.lifetime = 60s | presence.lifetime | longer than refresh",
        "presence.lifetime = 25h | presence.lifetime | at most",
        "presence.searches = 0 | presence.searches | positive",
        "dht.protocol = \"\" | dht.protocol | ",
        "dht.records.provider-republish = 48h | dht.records.provider-republish | shorter",
        "dht.records.value-expiration = 22h | dht.records.value-expiration | shorter",
        "dht.table.checks = 0 | dht.table.checks | positive",
        "dht.table.per-group = 0 | dht.table.per-group | positive",
        "dht.timing.query = 10 parsecs | dht.timing.query | parsecs",
        "host.dial-timeout = -1s | host.dial-timeout | positive",
        "host.dial-timeout = 1000000d | host.dial-timeout | 292 years",
        "host.max-connections = many | host.max-connections | STRING rather than NUMBER",
        "host.max-connections = 5000000000 | host.max-connections | 5000000000",
        "host.max-receive-window = 4GiB | host.max-receive-window | 4294967296",
        "host.max-receive-window = -1KiB | host.max-receive-window | -1",
        "connections.low-water = 900 | connections.low-water | highWater (800)",
        "gossip.router.degree = 100 | gossip.router.degree | 100",
        "gossip.router.gossip-factor = NaN | gossip.router.gossip-factor | NaN",
        "gossip.router.limits.cached-bytes = 1e30 | gossip.router.limits.cached-bytes | large",
        "gossip.topic.advertise-ttl = 0s | gossip.topic.advertise-ttl | at least 2",
        "gosip.queue-bytes = 1 | gosip | no such setting",
        "\"dht.mode\" = auto | \"dht.mode\" | no such setting",
        "dht.timing.querry = 1s | dht.timing.querry | no such setting"
      })
  void whatIsWrongIsNamedWithItsPlace(String line, String key, String what) {
    Config config = ConfigFactory.parseString("troupe.peer." + line).withFallback(reference());
    ConfigException refused =
        assertThrows(ConfigException.class, () -> PeerConfig.read(config.resolve(), IDENTITY));
    String message = refused.getMessage();
    assertTrue(message.startsWith("String: 1: "), message);
    assertTrue(message.contains("troupe.peer." + key), message);
    assertTrue(message.contains(what == null ? "" : what), message);
  }

  @Test
  void theLineOfTheWrongKeyIsNamedAmongOthers(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("application.conf");
    Files.writeString(
        file,
        """
        troupe.peer {
          connections {
            high-water = 1000
            low-water = 900
            max-dials = 7
            surplus-check = 0s
          }
        }
        """);
    Config config = ConfigFactory.parseFile(file.toFile()).withFallback(reference());
    ConfigException refused =
        assertThrows(ConfigException.class, () -> PeerConfig.read(config, IDENTITY));
    assertEquals(
        file
            + ": 6: Invalid value at 'troupe.peer.connections.surplus-check':"
            + " surplusCheck must be positive, not 0",
        refused.getMessage());
  }

  @Test
  void theLineOfTheWrongAddressIsNamed() {
    Config config =
        ConfigFactory.parseString(
                """
                troupe.peer.listen = [
                  "/ip4/127.0.0.1/tcp/4001"
                  "/ip4/127.0.0.1/tcp"
                ]
                """)
            .withFallback(reference());
    ConfigException refused =
        assertThrows(ConfigException.class, () -> PeerConfig.read(config, IDENTITY));
    assertTrue(
        refused.getMessage().startsWith("String: 3: Invalid value at 'troupe.peer.listen': "),
        refused.getMessage());
  }

  /** The example of the README. */
  @Test
  void aServiceSetsWhatItNeeds() {
    Config config =
        ConfigFactory.parseString(
                """
                troupe.peer {
                  listen = ["/ip4/0.0.0.0/tcp/4001"]
                  dht { mode = server, timing.readiness = 10s }
                }
                """)
            .withFallback(reference());
    PeerSettings settings = PeerConfig.read(config, IDENTITY);
    assertEquals(DhtMode.SERVER, settings.dht().mode());
    assertEquals(Duration.ofSeconds(10), settings.dht().timing().readiness());
    assertEquals("/ip4/0.0.0.0/tcp/4001", settings.listen().get(0).toString());
  }

  @Test
  void aRoleDecidesWhatIsLeftAtItsDefault() {
    PeerSettings bootstrap = role("bootstrap", "");
    assertEquals(DhtMode.SERVER, bootstrap.dht().mode());
    assertEquals(200, bootstrap.dht().bucketCapacity());
    assertEquals(20, bootstrap.dht().table().perGroupInBucket());
    assertEquals(30, bootstrap.dht().table().perGroup());
    assertEquals(1000, bootstrap.connections().highWater());
    assertEquals(2000, bootstrap.host().maxConnections());
    assertEquals(64, bootstrap.bootstrap().connections());
    PeerSettings agent = role("agent", "");
    assertEquals(DhtMode.CLIENT, agent.dht().mode());
    assertEquals(20, agent.dht().bucketCapacity());
    assertEquals(DhtSettings.Table.DEFAULT, agent.dht().table());
    assertEquals(50, agent.connections().highWater());
    PeerSettings changed =
        role(
            "bootstrap",
            "dht.mode = client, connections.high-water = 700, dht.bucket-capacity = 7");
    assertEquals(DhtMode.CLIENT, changed.dht().mode());
    assertEquals(7, changed.dht().bucketCapacity());
    assertEquals(DhtSettings.Table.DEFAULT, changed.dht().table());
    assertEquals(5, role("bootstrap", "dht.table.per-group = 5").dht().table().perGroup());
    assertEquals(700, changed.connections().highWater());
    assertEquals(1000, changed.host().maxConnections());
  }

  private static PeerSettings role(String role, String more) {
    Config settings =
        ConfigFactory.parseString("troupe.peer { role = " + role + ", " + more + " }");
    return PeerConfig.read(settings.withFallback(reference()), IDENTITY);
  }
}
