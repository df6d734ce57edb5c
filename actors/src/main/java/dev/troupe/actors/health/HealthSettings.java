package dev.troupe.actors.health;

import java.time.Duration;

/**
 * How closely a peer watches its health.
 *
 * @param watch whether bootstrap peers are measured at intervals (default yes); without, health
 *     knows only what connections and the DHT say
 * @param interval each connected bootstrap peer is measured so often, and the loss of one is
 *     noticed within (default 30 s)
 * @param pingTimeout how long it may take to answer a ping, at most half of the interval;
 *     measurements begin the rest of the interval apart (default 5 s)
 * @param slowLatency a round trip above this is called slow (default 200 ms)
 * @param warnLatency one above this is warned of, when it happens several times in a row (default
 *     500 ms)
 * @param warnAfter how many times in a row (default 3)
 * @param alertAfter a bootstrap peer that could not be reached for so long is an alert (default 2
 *     min)
 * @param verifyOnConnect whether to verify once, when the first bootstrap peer is connected and the
 *     DHT is ready, that the network can be used (default no)
 */
public record HealthSettings(
    boolean watch,
    Duration interval,
    Duration pingTimeout,
    Duration slowLatency,
    Duration warnLatency,
    int warnAfter,
    Duration alertAfter,
    boolean verifyOnConnect) {

  /** The defaults named above. */
  public static final HealthSettings DEFAULT =
      new HealthSettings(
          true,
          Duration.ofSeconds(30),
          Duration.ofSeconds(5),
          Duration.ofMillis(200),
          Duration.ofMillis(500),
          3,
          Duration.ofMinutes(2),
          false);

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the one that is wrong
   */
  public HealthSettings {
    positive("interval", interval.toNanos());
    positive("pingTimeout", pingTimeout.toNanos());
    if (pingTimeout.compareTo(interval.dividedBy(2)) > 0) {
      throw new IllegalArgumentException(
          "pingTimeout (" + pingTimeout + ") must be at most half of interval (" + interval + ")");
    }
    positive("slowLatency", slowLatency.toNanos());
    if (warnLatency.compareTo(slowLatency) < 0) {
      throw new IllegalArgumentException(
          "warnLatency (" + warnLatency + ") must not be below slowLatency (" + slowLatency + ")");
    }
    positive("warnAfter", warnAfter);
    positive("alertAfter", alertAfter.toNanos());
  }

  /** From the beginning of one measurement to the next. */
  Duration period() {
    return interval.minus(pingTimeout);
  }

  private static void positive(String name, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, not " + value);
    }
  }

  /** These, watching or not. */
  public HealthSettings withWatch(boolean other) {
    return new HealthSettings(
        other,
        interval,
        pingTimeout,
        slowLatency,
        warnLatency,
        warnAfter,
        alertAfter,
        verifyOnConnect);
  }

  /** These, verifying after connecting or not. */
  public HealthSettings withVerifyOnConnect(boolean other) {
    return new HealthSettings(
        watch, interval, pingTimeout, slowLatency, warnLatency, warnAfter, alertAfter, other);
  }
}
