package dev.troupe.actors.connections;

import java.time.Duration;

/**
 * How a peer dials, and how many peers it stays connected to.
 *
 * @param dialBudget for all addresses of one peer (default 10 s)
 * @param dialStagger between the start of one address and the next, unless the first fails sooner
 *     (default 250 ms)
 * @param maxAddressesPerDial of one peer (default 16); the most trusted are dialled
 * @param maxDials dials under way at once (default 128); a further one waits its turn
 * @param maxWaitingDials dials that wait their turn (default 1024); a further one is refused with
 *     {@code LIMIT_EXCEEDED}
 * @param maxWaitersPerDial who may wait for one dial (default 1024); a further one is refused
 *     likewise
 * @param addressTimeToLive how long the address book is to remember where a peer was reached and
 *     what it said of itself, from the connection's beginning, and from its end where the
 *     connection took more than half of that (default 1 h)
 * @param highWater more connections than this are trimmed (default 800)
 * @param lowWater down to so many (default 600)
 * @param outboundShare of both marks, kept for connections that this peer opens (default 0.125):
 *     those that remotes open have marks that are lower by this, and are trimmed for themselves; up
 *     to twice their upper mark are let in while they are young, and more are refused
 * @param trimInterval how often trimming is tried again while there are too many connections
 *     (default 10 s)
 * @param grace a connection younger than this is not trimmed (default 20 s)
 * @param surplusCheck how often a second connection to a peer is looked at, and closed when idle
 *     (default 10 s)
 */
public record ConnectionsSettings(
    Duration dialBudget,
    Duration dialStagger,
    int maxAddressesPerDial,
    int maxDials,
    int maxWaitingDials,
    int maxWaitersPerDial,
    Duration addressTimeToLive,
    int highWater,
    int lowWater,
    double outboundShare,
    Duration trimInterval,
    Duration grace,
    Duration surplusCheck) {

  /** The defaults named above. */
  public static final ConnectionsSettings DEFAULT =
      new ConnectionsSettings(
          Duration.ofSeconds(10),
          Duration.ofMillis(250),
          16,
          128,
          1024,
          1024,
          Duration.ofHours(1),
          800,
          600,
          0.125,
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofSeconds(10));

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the one that is wrong
   */
  public ConnectionsSettings {
    positive("dialBudget", dialBudget.toNanos());
    positive("dialStagger", dialStagger.toNanos());
    positive("maxAddressesPerDial", maxAddressesPerDial);
    positive("maxDials", maxDials);
    positive("maxWaitingDials", maxWaitingDials);
    positive("maxWaitersPerDial", maxWaitersPerDial);
    positive("addressTimeToLive", addressTimeToLive.toNanos());
    positive("lowWater", lowWater);
    positive("trimInterval", trimInterval.toNanos());
    positive("surplusCheck", surplusCheck.toNanos());
    if (highWater < lowWater) {
      throw new IllegalArgumentException(
          "highWater (" + highWater + ") must not be below lowWater (" + lowWater + ")");
    }
    if (!(outboundShare >= 0 && outboundShare <= 1)) {
      throw new IllegalArgumentException("outboundShare must be from 0 to 1, not " + outboundShare);
    }
    if (grace.isNegative()) {
      throw new IllegalArgumentException("grace must not be negative: " + grace);
    }
  }

  /** These, with other water marks. */
  public ConnectionsSettings withWaterMarks(int high, int low) {
    return new ConnectionsSettings(
        dialBudget,
        dialStagger,
        maxAddressesPerDial,
        maxDials,
        maxWaitingDials,
        maxWaitersPerDial,
        addressTimeToLive,
        high,
        low,
        outboundShare,
        trimInterval,
        grace,
        surplusCheck);
  }

  /** More inbound connections than this are trimmed. */
  int inboundHighWater() {
    return below(highWater, outboundShare);
  }

  /** Down to so many. */
  int inboundLowWater() {
    return below(lowWater, outboundShare);
  }

  private static int below(int mark, double share) {
    return (int) Math.floor(mark * (1 - share));
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }
}
