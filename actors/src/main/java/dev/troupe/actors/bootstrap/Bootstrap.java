package dev.troupe.actors.bootstrap;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How it stands with one bootstrap peer.
 *
 * @param address as it was configured, the first of several
 * @param peer who it is; null while the configured address does not say and nobody has answered
 * @param backup whether it stands in for others only
 * @param status how it stands
 * @param reason why it could not be reached last, for a person; null while it can
 * @param unreachableFor since when it cannot be reached, as a length of time; null while it can, or
 *     has not been tried
 */
public record Bootstrap(
    Multiaddr address,
    @Nullable PeerId peer,
    boolean backup,
    Status status,
    @Nullable String reason,
    @Nullable Duration unreachableFor) {

  /** How it stands with one. */
  public enum Status {
    /** Nothing is wanted of it: enough others are connected. */
    STANDBY,
    /** It is being dialled. */
    DIALLING,
    /** It is connected. */
    CONNECTED,
    /** It could not be reached, or was lost, and is tried again after a pause. */
    RESTING
  }

  /** Whether it is connected. */
  public boolean isReachable() {
    return status == Status.CONNECTED;
  }

  /** The same without what changes by the mere passing of time. */
  Bootstrap timeless() {
    return new Bootstrap(address, peer, backup, status, reason, null);
  }
}
