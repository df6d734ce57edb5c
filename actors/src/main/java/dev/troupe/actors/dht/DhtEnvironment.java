package dev.troupe.actors.dht;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.ipns.IpnsNamespace;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.Namespaces;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What the actors of this package have around them.
 *
 * @param settings their namespaces with {@code ipns}, which needs the cryptography and the clock of
 *     the world, unless there is one of that name
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
      Namespace ipns = new IpnsNamespace(world.crypto(), world.clock());
      settings = settings.withNamespaces(known.with(IpnsNamespace.NAME, ipns));
    }
  }

  /** Monotonic time, in nanoseconds. */
  long now() {
    return world.ticker().nanos();
  }
}
