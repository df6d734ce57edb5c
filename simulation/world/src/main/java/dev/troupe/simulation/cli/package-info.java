/** The command line of the simulator, {@code troupe-sim.jar}. */
@NullMarked
package dev.troupe.simulation.cli;

import org.jspecify.annotations.NullMarked;
