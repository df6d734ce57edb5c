package dev.troupe.actors.peer;

import dev.troupe.actors.addressbook.AddressBookSettings;
import dev.troupe.actors.bootstrap.BootstrapSettings;
import dev.troupe.actors.connections.ConnectionsSettings;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.gossip.GossipSettings;
import dev.troupe.actors.health.HealthSettings;
import dev.troupe.actors.presence.PresenceSettings;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.actors.virtualconnections.VirtualConnectionSettings;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.List;

/**
 * What a {@link Peer} is to be like.
 *
 * @param identity its key: whoever has it is this peer
 * @param listen where to accept connections, without {@code /p2p}; may be empty
 * @param store what outlives it, and where (default nothing)
 * @param servePerf whether anyone may measure a stream to it, and so have it send at will (default
 *     no); measuring streams to others needs no leave
 */
public record PeerSettings(
    PrivateKey identity,
    List<Multiaddr> listen,
    StoreSettings store,
    HostSettings host,
    AddressBookSettings addressBook,
    ConnectionsSettings connections,
    DhtSettings dht,
    BootstrapSettings bootstrap,
    HealthSettings health,
    GossipSettings gossip,
    VirtualConnectionSettings virtualConnections,
    PresenceSettings presence,
    boolean servePerf) {

  /** Copies the list. */
  public PeerSettings {
    listen = List.copyOf(listen);
  }

  /** The defaults of every component. */
  public static PeerSettings of(PrivateKey identity, List<Multiaddr> listen) {
    return new PeerSettings(
        identity,
        listen,
        StoreSettings.DEFAULT,
        HostSettings.DEFAULT,
        AddressBookSettings.DEFAULT,
        ConnectionsSettings.DEFAULT,
        DhtSettings.DEFAULT,
        BootstrapSettings.DEFAULT,
        HealthSettings.DEFAULT,
        GossipSettings.DEFAULT,
        VirtualConnectionSettings.DEFAULT,
        PresenceSettings.DEFAULT,
        false);
  }

  /** The same with another DHT. */
  public PeerSettings withDht(DhtSettings other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        host,
        addressBook,
        connections,
        other,
        bootstrap,
        health,
        gossip,
        virtualConnections,
        presence,
        servePerf);
  }

  /** The same with other gossip. */
  public PeerSettings withGossip(GossipSettings other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        host,
        addressBook,
        connections,
        dht,
        bootstrap,
        health,
        other,
        virtualConnections,
        presence,
        servePerf);
  }

  /** The same with another place for what is to outlive it. */
  public PeerSettings withStore(StoreSettings other) {
    return new PeerSettings(
        identity,
        listen,
        other,
        host,
        addressBook,
        connections,
        dht,
        bootstrap,
        health,
        gossip,
        virtualConnections,
        presence,
        servePerf);
  }

  /** The same with other limits of the host. */
  public PeerSettings withHost(HostSettings other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        other,
        addressBook,
        connections,
        dht,
        bootstrap,
        health,
        gossip,
        virtualConnections,
        presence,
        servePerf);
  }

  /** The same with other rules of dialling and trimming. */
  public PeerSettings withConnections(ConnectionsSettings other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        host,
        addressBook,
        other,
        dht,
        bootstrap,
        health,
        gossip,
        virtualConnections,
        presence,
        servePerf);
  }

  /** The same with other rules of bootstrapping. */
  public PeerSettings withBootstrap(BootstrapSettings other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        host,
        addressBook,
        connections,
        dht,
        other,
        health,
        gossip,
        virtualConnections,
        presence,
        servePerf);
  }

  /** The same with another watch over its health. */
  public PeerSettings withHealth(HealthSettings other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        host,
        addressBook,
        connections,
        dht,
        bootstrap,
        other,
        gossip,
        virtualConnections,
        presence,
        servePerf);
  }

  /** The same with another presence. */
  public PeerSettings withPresence(PresenceSettings other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        host,
        addressBook,
        connections,
        dht,
        bootstrap,
        health,
        gossip,
        virtualConnections,
        other,
        servePerf);
  }

  /** The same with other virtual connections. */
  public PeerSettings withVirtualConnections(VirtualConnectionSettings other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        host,
        addressBook,
        connections,
        dht,
        bootstrap,
        health,
        gossip,
        other,
        presence,
        servePerf);
  }

  /** The same, serving perf or not. */
  public PeerSettings withServePerf(boolean other) {
    return new PeerSettings(
        identity,
        listen,
        store,
        host,
        addressBook,
        connections,
        dht,
        bootstrap,
        health,
        gossip,
        virtualConnections,
        presence,
        other);
  }

  /** The same in a role, which decides what is left at its default. */
  public PeerSettings withRole(PeerRole role) {
    return role.apply(this);
  }
}
