package dev.troupe.simulation.world;

import dev.troupe.actors.host.HostContract;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * The Host contract on virtual time; a class because its interface is only seen by the contract's
 * heirs.
 */
abstract class SimulatedSurroundings extends HostContract {

  private final Function<SimulatedWorld, World> world;

  SimulatedSurroundings(Function<SimulatedWorld, World> world) {
    this.world = world;
  }

  @Override
  protected Surroundings surroundings() {
    SimulatedSystem system = SimulatedSystem.create(3, Order.RANDOM);
    SimulatedNetwork network = new SimulatedNetwork(system);
    SimulatedWorld near = network.machine("near");
    SimulatedWorld far = network.machine("far");
    World nearWorld = world.apply(near);
    World farWorld = world.apply(far);
    return new Surroundings() {
      @Override
      public World near() {
        return nearWorld;
      }

      @Override
      public World far() {
        return farWorld;
      }

      @Override
      public Multiaddr listenAddress() {
        return far.address(0);
      }

      @Override
      public Multiaddr refusingAddress() {
        return far.address(1);
      }

      @Override
      public Multiaddr silentAddress() {
        try {
          return Multiaddr.parse("/ip4/10.255.255.1/tcp/4001");
        } catch (MalformedException e) {
          throw new AssertionError(e);
        }
      }

      @Override
      public boolean await(BooleanSupplier condition, Duration limit) {
        return system.tryRunUntil(condition, limit);
      }

      @Override
      public void pause() {
        system.advance(Duration.ofSeconds(1));
      }

      @Override
      public void close() {
        system.close();
      }
    };
  }
}
