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
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PrivateKey;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
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

  static Stream<String> keys() {
    return reference().getConfig("troupe.peer").entrySet().stream().map(Map.Entry::getKey).sorted();
  }

  /** Another value of the same kind that is in range. */
  private static ConfigValue other(String key, ConfigValue value) {
    Object was = value.unwrapped();
    if (key.equals("listen") || key.equals("dht.bootstrap-peers")) {
      return ConfigValueFactory.fromIterable(List.of("/ip4/127.0.0.1/tcp/4001"));
    } else if (key.equals("dht.namespaces")) {
      return ConfigValueFactory.fromIterable(List.of("house"));
    } else if (key.equals("dht.mode")) {
      return ConfigValueFactory.fromAnyRef("client");
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
        "dht.bootstrap-peers = [nonsense] | bootstrap-peers | nonsense",
        "dht.mode = sometimes | mode | sometimes",
        "dht.quorum = 0 | dht | quorum",
        "dht.quorum = -1 | quorum | -1",
        "dht.namespaces = [\"a/b\"] | namespaces | a/b",
        "dht.protocol = \"\" | protocol | ",
        "dht.timing.query = 10 parsecs | query | parsecs",
        "host.max-connections = many | max-connections | many",
        "host.max-connections = 5000000000 | max-connections | 5000000000",
        "connections.low-water = 900 | connections | highWater",
        "gossip.router.degree = 100 | router | degree",
        "gosip.queue-bytes = 1 | gosip | no such setting",
        "dht.timing.querry = 1s | querry | no such setting"
      })
  void whatIsWrongIsNamedWithItsPlace(String line, String key, String what) {
    Config config = ConfigFactory.parseString("troupe.peer." + line).withFallback(reference());
    ConfigException refused =
        assertThrows(ConfigException.class, () -> PeerConfig.read(config.resolve(), IDENTITY));
    assertTrue(refused.getMessage().contains(key), refused.getMessage());
    assertTrue(refused.getMessage().contains(what == null ? "" : what), refused.getMessage());
    assertTrue(refused.getMessage().contains("String: 1"), refused.getMessage());
  }

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
}
