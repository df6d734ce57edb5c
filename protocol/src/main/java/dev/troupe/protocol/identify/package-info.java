/** The identify message (libp2p identify specification). */
@NullMarked
package dev.troupe.protocol.identify;

import org.jspecify.annotations.NullMarked;
