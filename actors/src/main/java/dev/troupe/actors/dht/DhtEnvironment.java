package dev.troupe.actors.dht;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.ipns.IpnsNamespace;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.presence.PresenceNamespace;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What the actors of this package have around them.
 *
 * @param settings their namespaces with {@code ipns} and {@code presence}, which need the
 *     cryptography and the clock of the world, unless there is one of that name
 */
record DhtEnvironment(
    DhtSettings settings,
    World world,
    Host host,
    ActorRef<Connections.Command> connections,
    ActorRef<AddressBook.Command> addressBook,
    @Nullable ActorRef<BootstrapPool.Command> bootstrapPool,
    Store store) {

  DhtEnvironment {
    Namespaces known = settings.namespaces();
    if (!known.has(IpnsNamespace.NAME)) {
      known = known.with(IpnsNamespace.NAME, new IpnsNamespace(world.crypto(), world.clock()));
    }
    if (!known.has(PresenceNamespace.NAME)) {
      known =
          known.with(PresenceNamespace.NAME, new PresenceNamespace(world.crypto(), world.clock()));
    }
    settings = settings.withNamespaces(known);
  }

  /** Monotonic time, in nanoseconds. */
  long now() {
    return world.ticker().nanos();
  }
}
