/**
 * The test kit for services that embed peers: your actors, unchanged, in a network that the test
 * owns, on virtual time and from one seed. No sleeps, no ports, and what failed once fails again.
 *
 * <pre>{@code
 * @Simulated(seeds = "1..20")
 * void bothFindEachOther(Simulation sim) {
 *   Machine hub = sim.machine("hub");
 *   Machine alice = sim.machine("alice");
 *   hub.startPeer();
 *   Service<Peer.Command> peer = alice.startPeer(hub);
 *   sim.awaitDhtReady(peer.ref());
 *   sim.partition(hub, alice);
 *   sim.advance(Duration.ofMinutes(1));
 *   sim.repair();
 * }
 * }</pre>
 *
 * <p>Read {@link dev.troupe.simulation.testkit.Simulated} first (how a test gets its world, and
 * what it may not call), then {@link dev.troupe.simulation.testkit.Simulation} (time, waiting,
 * faults), {@link dev.troupe.simulation.testkit.Machine} and {@link
 * dev.troupe.simulation.testkit.Service} (what runs where). {@link
 * dev.troupe.simulation.testkit.FakePeer} is a remote that does what a script says, {@link
 * dev.troupe.simulation.testkit.EveryCommand} checks that an actor answers whatever it is asked.
 * {@code SimulatedExtension} is what JUnit sees; {@code GuardingClassLoader} and {@code
 * ForbiddenCalls} make a call that could not be replayed fail. The tutorial is {@code
 * simulation/docs/tutorial.md}.
 */
@NullMarked
package dev.troupe.simulation.testkit;

import org.jspecify.annotations.NullMarked;
