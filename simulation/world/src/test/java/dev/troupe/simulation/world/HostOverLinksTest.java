package dev.troupe.simulation.world;

import dev.troupe.actors.world.World;

/** The built-in host, every byte of it, over simulated links. */
final class HostOverLinksTest extends NetworkedHostContract {

  @Override
  World world(SimulatedWorld machine) {
    return machine.overLinks();
  }
}
