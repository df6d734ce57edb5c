/** What must hold in every run, each in a file of its own. */
@NullMarked
package dev.troupe.simulation.check;

import org.jspecify.annotations.NullMarked;
