/** The fastest cryptography that this machine has. */
@NullMarked
package dev.troupe.runtime.crypto;

import org.jspecify.annotations.NullMarked;
