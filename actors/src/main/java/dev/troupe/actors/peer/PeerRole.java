package dev.troupe.actors.peer;

import dev.troupe.actors.bootstrap.BootstrapSettings;
import dev.troupe.actors.connections.ConnectionsSettings;
import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.world.HostSettings;

/**
 * What a peer is in its network, as a name for settings that go together. A role decides the
 * settings that are left at their defaults; one that has been changed stands.
 */
public enum PeerRole {

  /** One among many: all defaults. */
  PEER,

  /**
   * Others join through it. It serves the DHT with a bucket capacity of 200, of which one IP group
   * may have the same share as elsewhere, has room for 1000 connections, and dials all the other
   * bootstrap peers that it is told of, rather than three: each three times, 5 s apart, and then
   * less and less often.
   */
  BOOTSTRAP,

  /** It asks and does not serve: a client of the DHT with room for 50 connections. */
  AGENT;

  /** How many other bootstrap peers a bootstrap peer is connected to at most. */
  static final int FELLOWS = 64;

  /** Trimmed down to this share once the room is used up. */
  private static final double LOW_SHARE = 0.8;

  PeerSettings apply(PeerSettings settings) {
    return switch (this) {
      case PEER -> settings;
      case BOOTSTRAP -> apply(settings, DhtMode.SERVER, 200, 1000, FELLOWS);
      case AGENT ->
          apply(
              settings,
              DhtMode.CLIENT,
              DhtSettings.DEFAULT.bucketCapacity(),
              50,
              BootstrapSettings.DEFAULT.connections());
    };
  }

  private static PeerSettings apply(
      PeerSettings settings, DhtMode mode, int capacity, int room, int fellows) {
    PeerSettings changed = settings;
    if (settings.dht().mode() == DhtSettings.DEFAULT.mode()) {
      changed = changed.withDht(changed.dht().withMode(mode));
    }
    if (settings.dht().bucketCapacity() == DhtSettings.DEFAULT.bucketCapacity()) {
      changed = changed.withDht(changed.dht().withBucketCapacity(capacity));
      changed = changed.withDht(changed.dht().withTable(sized(settings.dht().table(), capacity)));
    }
    ConnectionsSettings connections = settings.connections();
    if (connections.highWater() == ConnectionsSettings.DEFAULT.highWater()
        && connections.lowWater() == ConnectionsSettings.DEFAULT.lowWater()) {
      changed = changed.withConnections(connections.withWaterMarks(room, (int) (room * LOW_SHARE)));
      // The young are let in beyond the mark, so that newcomers can ask a full peer something.
      if (settings.host().maxConnections() == HostSettings.DEFAULT.maxConnections()) {
        changed = changed.withHost(settings.host().withMaxConnections(2 * room));
      }
    }
    if (settings.bootstrap().connections() == BootstrapSettings.DEFAULT.connections()) {
      changed = changed.withBootstrap(settings.bootstrap().withConnections(fellows));
    }
    return changed;
  }

  /** Where buckets are larger, an IP group has the same share of them. */
  private static DhtSettings.Table sized(DhtSettings.Table table, int capacity) {
    DhtSettings.Table usual = DhtSettings.Table.DEFAULT;
    int times = capacity / DhtSettings.DEFAULT.bucketCapacity();
    boolean isUsual = table.withGroups(usual.perGroupInBucket(), usual.perGroup()).equals(table);
    return isUsual
        ? table.withGroups(times * usual.perGroupInBucket(), times * usual.perGroup())
        : table;
  }
}
