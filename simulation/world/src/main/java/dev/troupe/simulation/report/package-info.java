/**
 * The report of a run: a directory with one page, plots on it, and the data as CSV and JSON.
 *
 * <p>Read {@link dev.troupe.simulation.report.RunReport} first. {@code Survey} asks the peers at
 * the end, when the trace has been taken; {@code Findings} turns what is known into tables and
 * figures; {@code Plots} draws, {@code DataFiles} and {@code Page} write.
 */
@NullMarked
package dev.troupe.simulation.report;

import org.jspecify.annotations.NullMarked;
