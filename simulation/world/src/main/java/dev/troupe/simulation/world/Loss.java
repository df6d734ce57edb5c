package dev.troupe.simulation.world;

import java.time.Duration;

/**
 * What goes wrong by chance between two machines, drawn from the seed. Streams of bytes lose
 * nothing: a lost packet is a wait for whoever carries it, or in the end a lost connection.
 *
 * @param dial the part of dials that hear no answer
 * @param connection the part of parcels whose connection is lost with them: the sender's end fails
 *     at once, the other when the parcel would have arrived
 * @param stall the part of parcels that are late, with all that is sent after them on the same
 *     connection, as when TCP sends again
 * @param longestStall how late at most; drawn evenly
 */
public record Loss(double dial, double connection, double stall, Duration longestStall) {

  /** Nothing is lost. */
  public static final Loss NONE = new Loss(0, 0, 0, Duration.ZERO);

  /**
   * Checks them.
   *
   * @throws IllegalArgumentException naming what is out of range
   */
  public Loss {
    requirePart("dial", dial);
    requirePart("connection", connection);
    requirePart("stall", stall);
    if (longestStall.isNegative()) {
      throw new IllegalArgumentException("longestStall must not be negative");
    }
  }

  private static void requirePart(String name, double part) {
    if (!(part >= 0 && part <= 1)) {
      throw new IllegalArgumentException(name + " must be from 0 to 1, not " + part);
    }
  }
}
