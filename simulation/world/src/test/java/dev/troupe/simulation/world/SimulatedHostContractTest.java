package dev.troupe.simulation.world;

/** The simulated host keeps the contract. */
final class SimulatedHostContractTest extends SimulatedSurroundings {

  SimulatedHostContractTest() {
    super(machine -> machine);
  }
}
