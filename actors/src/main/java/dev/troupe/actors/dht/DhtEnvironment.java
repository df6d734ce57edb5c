package dev.troupe.actors.dht;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.world.World;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** What the actors of this package have around them. */
record DhtEnvironment(
    DhtSettings settings,
    World world,
    Host host,
    ActorRef<Connections.Command> connections,
    ActorRef<AddressBook.Command> addressBook,
    @Nullable ActorRef<BootstrapPool.Command> bootstrapPool,
    Store store) {

  /** Monotonic time, in nanoseconds. */
  long now() {
    return world.ticker().nanos();
  }
}
