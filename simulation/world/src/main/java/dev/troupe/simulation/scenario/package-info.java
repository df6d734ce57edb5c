/**
 * Whole networks under stress: a {@link dev.troupe.simulation.scenario.Cluster} of complete peers,
 * a {@link dev.troupe.simulation.scenario.Scenario} that says what happens to them, and one {@link
 * dev.troupe.simulation.scenario.Run} of it, replayable from its {@link
 * dev.troupe.simulation.scenario.Parameters}. Read in this order.
 */
@NullMarked
package dev.troupe.simulation.scenario;

import org.jspecify.annotations.NullMarked;
