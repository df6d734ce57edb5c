/** The scenarios that come with the simulator. */
@NullMarked
package dev.troupe.simulation.scenarios;

import org.jspecify.annotations.NullMarked;
