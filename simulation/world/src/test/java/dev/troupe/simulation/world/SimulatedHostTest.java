package dev.troupe.simulation.world;

import dev.troupe.actors.world.World;

/** The host that has streams only. */
final class SimulatedHostTest extends NetworkedHostContract {

  @Override
  World world(SimulatedWorld machine) {
    return machine;
  }
}
