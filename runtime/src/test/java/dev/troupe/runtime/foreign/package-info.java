/**
 * Troupe among peers that others wrote, over real sockets.
 *
 * <p>Every peer here is a process that speaks the JSON lines of {@code troupe peer --json}: ours
 * from the command line, theirs from a program that puts the same lines before their library. Read
 * {@link dev.troupe.runtime.foreign.JsonPeerProcess} first, then {@link
 * dev.troupe.runtime.foreign.PeerKind}, then the tests. {@link
 * dev.troupe.runtime.foreign.ForeignPeers} decides what happens where a foreign peer cannot run.
 */
@NullMarked
package dev.troupe.runtime.foreign;

import org.jspecify.annotations.NullMarked;
