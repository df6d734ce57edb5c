package dev.troupe.runtime.embedding;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.troupe.actors.addressbook.AddressBookSettings;
import dev.troupe.actors.connections.ConnectionsSettings;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.gossip.GossipSettings;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.virtualconnections.VirtualConnectionSettings;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Reads {@link PeerSettings} from {@code troupe.peer} of a configuration; {@code reference.conf}
 * documents every key, with its unit and default. Each settings record is a section, each of its
 * components a key of the same name with hyphens.
 */
public final class PeerConfig {

  private static final String PATH = "troupe.peer";
  private static final String LISTEN = "listen";

  private PeerConfig() {}

  /**
   * The settings of a peer.
   *
   * @param config such as {@code ConfigFactory.load()}
   * @throws ConfigException if a key is missing, of the wrong type, out of range or unknown; its
   *     message names the key, where it was set, and what is wrong
   */
  public static PeerSettings read(Config config, PrivateKey identity) {
    Config peer = config.getConfig(PATH);
    refuseUnknown(
        peer,
        Set.of(
            LISTEN, "host", "address-book", "connections", "dht", "gossip", "virtual-connections"));
    return new PeerSettings(
        identity,
        addresses(peer, LISTEN),
        section(peer, "host", HostSettings.class),
        section(peer, "address-book", AddressBookSettings.class),
        section(peer, "connections", ConnectionsSettings.class),
        section(peer, "dht", DhtSettings.class),
        section(peer, "gossip", GossipSettings.class),
        section(peer, "virtual-connections", VirtualConnectionSettings.class));
  }

  private static <T extends Record> T section(Config config, String key, Class<T> type) {
    Config section = config.getConfig(key);
    RecordComponent[] components = type.getRecordComponents();
    Set<String> known = new LinkedHashSet<>();
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String name = hyphenated(components[i].getName());
      known.add(name);
      values[i] = value(section, name, components[i].getType());
    }
    refuseUnknown(section, known);
    try {
      Constructor<T> constructor =
          type.getDeclaredConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException wrong) {
        throw new ConfigException.BadValue(
            section.origin(), key, String.valueOf(wrong.getMessage()), wrong);
      }
      throw new IllegalStateException(type + " cannot be made", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " has no public constructor of its components", e);
    }
  }

  private static Object value(Config section, String key, Class<?> type) {
    if (type == Duration.class) {
      return section.getDuration(key);
    } else if (type == int.class) {
      long size = section.getMemorySize(key).toBytes();
      if (size > Integer.MAX_VALUE) {
        throw bad(section, key, size + " is more than " + Integer.MAX_VALUE);
      }
      return (int) size;
    } else if (type == long.class) {
      return section.getMemorySize(key).toBytes();
    } else if (type == double.class) {
      return section.getDouble(key);
    } else if (type == boolean.class) {
      return section.getBoolean(key);
    } else if (type == String.class) {
      return section.getString(key);
    } else if (type == ProtocolId.class) {
      return checked(section, key, () -> new ProtocolId(section.getString(key)));
    } else if (type == List.class) {
      return addresses(section, key);
    } else if (type == Namespaces.class) {
      return checked(section, key, () -> namespaces(section.getStringList(key)));
    } else if (type.isEnum()) {
      return constant(section, key, type);
    }
    return section(section, key, type.asSubclass(Record.class));
  }

  private static List<Multiaddr> addresses(Config section, String key) {
    List<Multiaddr> addresses = new ArrayList<>();
    for (String text : section.getStringList(key)) {
      try {
        addresses.add(Multiaddr.parse(text));
      } catch (MalformedException e) {
        throw bad(section, key, String.valueOf(e.getMessage()));
      }
    }
    return addresses;
  }

  private static Namespaces namespaces(List<String> open) {
    Namespaces namespaces = Namespaces.BUILT_IN;
    for (String name : open) {
      namespaces = namespaces.with(name, Namespace.open());
    }
    return namespaces;
  }

  private static Object constant(Config section, String key, Class<?> type) {
    String text = section.getString(key);
    for (Object each : type.getEnumConstants()) {
      if (((Enum<?>) each).name().toLowerCase(Locale.ROOT).equals(text)) {
        return each;
      }
    }
    throw bad(
        section,
        key,
        "one of "
            + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT)
            + ", not '"
            + text
            + "'");
  }

  private interface Reading<T> {
    T read();
  }

  private static <T> T checked(Config section, String key, Reading<T> reading) {
    try {
      return reading.read();
    } catch (IllegalArgumentException e) {
      throw bad(section, key, String.valueOf(e.getMessage()));
    }
  }

  private static void refuseUnknown(Config section, Set<String> known) {
    for (String key : section.root().keySet()) {
      if (!known.contains(key)) {
        throw new ConfigException.BadPath(
            section.root().get(key).origin(), key, "there is no such setting");
      }
    }
  }

  private static ConfigException bad(Config section, String key, String message) {
    return new ConfigException.BadValue(section.getValue(key).origin(), key, message);
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
