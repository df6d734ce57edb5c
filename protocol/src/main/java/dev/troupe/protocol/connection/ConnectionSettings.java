package dev.troupe.protocol.connection;

import dev.troupe.protocol.yamux.YamuxSettings;

/**
 * The limits of a {@link ConnectionMachine}.
 *
 * @param upgradeTimeoutNanos from the start until the connection is secured and its muxer agreed
 *     upon
 * @param yamux the muxer's
 */
public record ConnectionSettings(long upgradeTimeoutNanos, YamuxSettings yamux) {

  /** 10 s, and the muxer's defaults. */
  public static final ConnectionSettings DEFAULT =
      new ConnectionSettings(10_000_000_000L, YamuxSettings.DEFAULT);
}
