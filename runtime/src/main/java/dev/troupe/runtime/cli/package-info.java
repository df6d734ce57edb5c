/**
 * The command line: {@code demo}, {@code peer} and {@code bootstrap}. Read {@link
 * dev.troupe.runtime.cli.Main}, then {@link dev.troupe.runtime.cli.Session}.
 */
@NullMarked
package dev.troupe.runtime.cli;

import org.jspecify.annotations.NullMarked;
