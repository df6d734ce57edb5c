package dev.troupe.simulation.world;

/** The built-in host keeps the contract, over simulated links. */
final class BuiltInHostContractTest extends SimulatedSurroundings {

  BuiltInHostContractTest() {
    super(SimulatedWorld::overLinks);
  }
}
