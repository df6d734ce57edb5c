package dev.troupe.protocol.gossipsub;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The versions of the protocol that the router speaks. */
public enum GossipsubVersion {
  /** Version 1.1: PRUNE carries a backoff. */
  V1_1("/meshsub/1.1.0"),
  /** Version 1.0. */
  V1_0("/meshsub/1.0.0");

  /** All versions, the preferred first. */
  public static final List<GossipsubVersion> PREFERRED_FIRST = List.of(V1_1, V1_0);

  private final String protocolId;

  GossipsubVersion(String protocolId) {
    this.protocolId = protocolId;
  }

  /** The protocol id that streams of this version negotiate. */
  public String protocolId() {
    return protocolId;
  }

  /** The version that a protocol id names, or null when it names none. */
  public static @Nullable GossipsubVersion of(String protocolId) {
    for (GossipsubVersion version : PREFERRED_FIRST) {
      if (version.protocolId.equals(protocolId)) {
        return version;
      }
    }
    return null;
  }
}
