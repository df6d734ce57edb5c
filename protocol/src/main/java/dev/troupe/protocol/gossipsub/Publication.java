package dev.troupe.protocol.gossipsub;

import java.util.List;

/**
 * What became of a call of {@link Router#publish}.
 *
 * @param recipients how many peers the message is to be sent to now; with 0 it waits in the message
 *     cache, from where the gossip of the next heartbeats offers it to whoever comes
 */
public record Publication(Message message, int recipients, List<Effect> effects) {
  /** Copies the list. */
  public Publication {
    effects = List.copyOf(effects);
  }
}
