/**
 * A simulated network, and the world of the peers that live in it: the Host door without bytes
 * below the stream, on the virtual time and the one seed of {@link
 * dev.troupe.simulation.kernel.SimulatedSystem}.
 *
 * <pre>{@code
 * try (SimulatedSystem system = SimulatedSystem.create(seed, Order.RANDOM)) {
 *   SimulatedNetwork network = new SimulatedNetwork(system);
 *   SimulatedWorld alice = network.machine("alice");
 *   SimulatedWorld bob = network.machine("bob");
 *   ... // spawn a PeerManager in each world, let them listen at alice.address(4001) and bob.address(4001)
 *   network.partition(List.of(alice), List.of(bob));
 *   system.advance(Duration.ofMinutes(1));
 *   network.repair();
 * }
 * }</pre>
 *
 * <p>Read {@link dev.troupe.simulation.world.SimulatedNetwork} (machines and faults), then {@code
 * SimulatedHost} (dialling in three legs), {@code SimulatedConnection}, {@code SimulatedStream}
 * (flow control) and {@code Pipe} (latency, partition, loss).
 *
 * <p>{@code SimulatedWorld.overLinks()} is the same machine with the built-in host over {@code
 * SimulatedLinks}: every byte of multistream, Noise and Yamux, where the wire itself is under test.
 */
@NullMarked
package dev.troupe.simulation.world;

import org.jspecify.annotations.NullMarked;
