package dev.troupe.runtime.embedding;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import dev.troupe.actors.addressbook.AddressBookSettings;
import dev.troupe.actors.bootstrap.BootstrapSettings;
import dev.troupe.actors.connections.ConnectionsSettings;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.gossip.GossipSettings;
import dev.troupe.actors.health.HealthSettings;
import dev.troupe.actors.peer.PeerRole;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.presence.PresenceSettings;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.actors.virtualconnections.VirtualConnectionSettings;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.ipns.IpnsNamespace;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.presence.PresenceNamespace;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Reads {@link PeerSettings} from {@code troupe.peer} of a configuration; {@code reference.conf}
 * documents every key, with its unit and default. Each settings record is a section, each of its
 * components a key of the same name with hyphens.
 *
 * <p>Nothing is ignored or rounded: an unknown key, a fraction where a count is meant, and a
 * duration or size too large to hold are refused.
 */
public final class PeerConfig {

  private static final String PATH = "troupe.peer";
  private static final String LISTEN = PATH + ".listen";

  /** What is given in bytes, and so may have a unit; all other whole numbers are counts. */
  private static final Set<String> SIZES =
      Set.of(
          "maxBytes",
          "maxReceiveWindow",
          "cachedBytes",
          "queueBytes",
          "inboundWindow",
          "maxMessage");

  /** The namespaces that every DHT has beside those that are built in. */
  private static final Set<String> ALWAYS_THERE =
      Set.of(IpnsNamespace.NAME, PresenceNamespace.NAME);

  private PeerConfig() {}

  /**
   * The settings of a peer.
   *
   * @param config such as {@code ConfigFactory.load()}
   * @throws ConfigException if a key is missing, of the wrong type, out of range or unknown; its
   *     message has the whole path of the key, where it was set, and what is wrong
   */
  public static PeerSettings read(Config config, PrivateKey identity) {
    refuseUnknown(
        config,
        PATH,
        Set.of(
            "role",
            "listen",
            "store",
            "host",
            "address-book",
            "connections",
            "dht",
            "bootstrap",
            "health",
            "gossip",
            "virtual-connections",
            "presence",
            "serve-perf"));
    return new PeerSettings(
            identity,
            addresses(config, LISTEN),
            section(config, PATH + ".store", StoreSettings.class),
            section(config, PATH + ".host", HostSettings.class),
            section(config, PATH + ".address-book", AddressBookSettings.class),
            section(config, PATH + ".connections", ConnectionsSettings.class),
            section(config, PATH + ".dht", DhtSettings.class),
            section(config, PATH + ".bootstrap", BootstrapSettings.class),
            section(config, PATH + ".health", HealthSettings.class),
            section(config, PATH + ".gossip", GossipSettings.class),
            section(config, PATH + ".virtual-connections", VirtualConnectionSettings.class),
            section(config, PATH + ".presence", PresenceSettings.class),
            config.getBoolean(PATH + ".serve-perf"))
        .withRole((PeerRole) constant(config, PATH + ".role", PeerRole.class));
  }

  private static <T extends Record> T section(Config config, String path, Class<T> type) {
    RecordComponent[] components = type.getRecordComponents();
    Set<String> known = new LinkedHashSet<>();
    for (RecordComponent component : components) {
      known.add(hyphenated(component.getName()));
    }
    refuseUnknown(config, path, known);
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      values[i] = value(config, keyOf(path, components[i]), components[i]);
    }
    try {
      return made(type, values);
    } catch (IllegalArgumentException wrong) {
      throw outOfRange(config, path, type, values, wrong);
    }
  }

  /**
   * Finds which key a record is refused for, as only the record knows its rules: with the keys put
   * back to their defaults one after the other, it is the one that makes the record valid.
   */
  private static ConfigException outOfRange(
      Config config,
      String path,
      Class<? extends Record> type,
      Object[] values,
      IllegalArgumentException first) {
    IllegalArgumentException wrong = first;
    for (int i = 0; i < values.length; i++) {
      RecordComponent component = type.getRecordComponents()[i];
      values[i] = defaultOf(type, component);
      try {
        made(type, values);
        return bad(config, keyOf(path, component), wrong);
      } catch (IllegalArgumentException another) {
        wrong = another;
      }
    }
    throw new IllegalStateException("the defaults of " + type + " are not valid", wrong);
  }

  private static <T extends Record> T made(Class<T> type, Object[] values) {
    try {
      Constructor<T> constructor =
          type.getDeclaredConstructor(
              Arrays.stream(type.getRecordComponents())
                  .map(RecordComponent::getType)
                  .toArray(Class<?>[]::new));
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException wrong) {
        throw wrong;
      }
      throw new IllegalStateException(type + " cannot be made", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " has no public constructor of its components", e);
    }
  }

  private static Object defaultOf(Class<? extends Record> type, RecordComponent component) {
    try {
      return component.getAccessor().invoke(type.getField("DEFAULT").get(null));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " has no public DEFAULT", e);
    }
  }

  private static Object value(Config config, String path, RecordComponent component) {
    Class<?> type = component.getType();
    if (type == Duration.class) {
      return duration(config, path);
    } else if (type == int.class || type == long.class) {
      long number = SIZES.contains(component.getName()) ? size(config, path) : whole(config, path);
      if (type == long.class) {
        return number;
      } else if (number != (int) number) {
        throw bad(config, path, number + " does not fit into 32 bits");
      }
      return (int) number;
    } else if (type == double.class) {
      return config.getDouble(path);
    } else if (type == boolean.class) {
      return config.getBoolean(path);
    } else if (type == String.class) {
      return config.getString(path);
    } else if (type == ProtocolId.class) {
      return checked(config, path, () -> new ProtocolId(config.getString(path)));
    } else if (type == List.class) {
      return addresses(config, path);
    } else if (type == Namespaces.class) {
      return checked(config, path, () -> namespaces(config.getStringList(path)));
    } else if (type.isEnum()) {
      return constant(config, path, type);
    }
    return section(config, path, type.asSubclass(Record.class));
  }

  private static Duration duration(Config config, String path) {
    Duration duration = config.getDuration(path);
    // What HOCON makes of anything longer.
    if (duration.equals(Duration.ofNanos(Long.MAX_VALUE))) {
      throw bad(config, path, "longer than 292 years");
    }
    return duration;
  }

  /** A number, of which {@code getInt} would drop the fraction. */
  private static long whole(Config config, String path) {
    Number number = config.getNumber(path);
    if (number instanceof Double || number instanceof Float) {
      throw bad(config, path, number + " is not a whole number, or too large");
    }
    return number.longValue();
  }

  private static long size(Config config, String path) {
    if (config.getValue(path).valueType() == ConfigValueType.NUMBER) {
      return whole(config, path);
    }
    return checked(config, path, () -> config.getMemorySize(path).toBytes());
  }

  private static List<Multiaddr> addresses(Config config, String path) {
    List<String> texts = config.getStringList(path);
    List<Multiaddr> addresses = new ArrayList<>();
    for (String text : texts) {
      try {
        addresses.add(Multiaddr.parse(text));
      } catch (MalformedException e) {
        ConfigValue element = config.getList(path).get(addresses.size());
        throw bad(element.origin(), path, String.valueOf(e.getMessage()), e);
      }
    }
    return addresses;
  }

  private static Namespaces namespaces(List<String> open) {
    Namespaces namespaces = Namespaces.BUILT_IN;
    for (String name : open) {
      if (namespaces.has(name) || ALWAYS_THERE.contains(name)) {
        throw new IllegalArgumentException("there is a namespace \"" + name + "\" already");
      }
      namespaces = namespaces.with(name, Namespace.open());
    }
    return namespaces;
  }

  private static Object constant(Config config, String path, Class<?> type) {
    String text = config.getString(path);
    for (Object each : type.getEnumConstants()) {
      if (((Enum<?>) each).name().toLowerCase(Locale.ROOT).equals(text)) {
        return each;
      }
    }
    throw bad(
        config,
        path,
        "one of "
            + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT)
            + ", not '"
            + text
            + "'");
  }

  private interface Reading<T> {
    T read();
  }

  private static <T> T checked(Config config, String path, Reading<T> reading) {
    try {
      return reading.read();
    } catch (IllegalArgumentException e) {
      throw bad(config, path, e);
    }
  }

  private static void refuseUnknown(Config config, String path, Set<String> known) {
    for (Map.Entry<String, ConfigValue> entry : config.getObject(path).entrySet()) {
      String key = entry.getKey();
      if (!known.contains(key)) {
        throw new ConfigException.BadPath(
            entry.getValue().origin(),
            path + "." + ConfigUtil.joinPath(key),
            "there is no such setting");
      }
    }
  }

  private static ConfigException bad(Config config, String path, IllegalArgumentException cause) {
    return bad(config.getValue(path).origin(), path, String.valueOf(cause.getMessage()), cause);
  }

  private static ConfigException bad(Config config, String path, String message) {
    return new ConfigException.BadValue(config.getValue(path).origin(), path, message);
  }

  private static ConfigException bad(
      ConfigOrigin origin, String path, String message, Exception cause) {
    return new ConfigException.BadValue(origin, path, message, cause);
  }

  private static String keyOf(String path, RecordComponent component) {
    return path + "." + hyphenated(component.getName());
  }

  /** {@code maxIHaveLength} is {@code max-i-have-length}. */
  private static String hyphenated(String name) {
    StringBuilder text = new StringBuilder();
    for (char each : name.toCharArray()) {
      if (Character.isUpperCase(each)) {
        text.append('-').append(Character.toLowerCase(each));
      } else {
        text.append(each);
      }
    }
    return text.toString();
  }
}
