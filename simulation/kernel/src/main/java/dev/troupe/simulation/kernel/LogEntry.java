package dev.troupe.simulation.kernel;

import org.jspecify.annotations.Nullable;

/**
 * What Pekko itself logged on its event stream (not what actors log through SLF4J, which goes to
 * the SLF4J binding of the test).
 *
 * @param nanos virtual time, in nanoseconds since the start of the run
 * @param level one of ERROR, WARNING, INFO
 * @param source the path of the actor or the name of the component that logged
 * @param message the rendered message
 * @param cause the exception logged with it, if any
 */
public record LogEntry(
    long nanos, String level, String source, String message, @Nullable Throwable cause) {}
