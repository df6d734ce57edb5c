package dev.troupe.simulation.scenario;

import java.time.Duration;

/**
 * What happens to a cluster. Written in plain Java: start peers, ask them things, break things,
 * repair them; the checkers of the {@link Run} watch all the while.
 */
public interface Scenario {

  /** Its name on the command line. */
  String name();

  /** One line that says what it is about. */
  String description();

  /** How many peers where nobody says otherwise. */
  int peers();

  /** How long the stress lasts where nobody says otherwise. */
  Duration length();

  /** Plays it. */
  void play(Run run);
}
