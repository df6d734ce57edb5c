/**
 * The cryptography port, and its portable implementation over the JDK and Bouncy Castle. Key
 * material is always passed in.
 */
@NullMarked
package dev.troupe.protocol.crypto;

import org.jspecify.annotations.NullMarked;
