package dev.troupe.actors.presence;

import dev.troupe.protocol.presence.PresenceRecord;
import java.time.Duration;

/**
 * How a peer is present under identities of applications, and looks for others.
 *
 * @param refresh an announced presence is published again so often (default 60 s)
 * @param lifetime others believe it for so long; longer than the refresh, and at most a day
 *     (default 5 min, so that a few refreshes may fail)
 * @param identities announced at a time; one more is refused (default 64)
 * @param searches for others at a time; one more is refused (default 32)
 * @param candidates how many peers that say they are to be found under an identity one search looks
 *     at; those beyond are left out (default 20)
 */
public record PresenceSettings(
    Duration refresh, Duration lifetime, int identities, int searches, int candidates) {

  /** The defaults named above. */
  public static final PresenceSettings DEFAULT =
      new PresenceSettings(Duration.ofSeconds(60), Duration.ofMinutes(5), 64, 32, 20);

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the one that is wrong
   */
  public PresenceSettings {
    positive("refresh", refresh.toNanos());
    if (lifetime.compareTo(refresh) <= 0) {
      throw new IllegalArgumentException(
          "lifetime (" + lifetime + ") must be longer than refresh (" + refresh + ")");
    }
    if (lifetime.compareTo(PresenceRecord.MAX_LIFETIME) > 0) {
      throw new IllegalArgumentException(
          "lifetime must be at most " + PresenceRecord.MAX_LIFETIME + ", not " + lifetime);
    }
    positive("identities", identities);
    positive("searches", searches);
    positive("candidates", candidates);
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }
}
