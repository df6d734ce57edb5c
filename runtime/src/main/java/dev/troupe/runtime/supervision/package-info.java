/**
 * A process that keeps another one running, and gives up in the end. Read {@link
 * dev.troupe.runtime.supervision.RestartPolicy}, then {@link
 * dev.troupe.runtime.supervision.Supervisor}.
 */
@NullMarked
package dev.troupe.runtime.supervision;

import org.jspecify.annotations.NullMarked;
