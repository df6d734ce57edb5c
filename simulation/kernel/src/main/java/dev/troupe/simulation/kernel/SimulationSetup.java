package dev.troupe.simulation.kernel;

import java.util.Optional;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.setup.Setup;

/** Carries the event loop into the parts that Pekko instantiates by name from the configuration. */
final class SimulationSetup extends Setup {

  private final EventLoop loop;

  SimulationSetup(EventLoop loop) {
    this.loop = loop;
  }

  static EventLoop loopOf(ActorSystem.Settings settings) {
    Optional<SimulationSetup> setup = settings.setup().get(SimulationSetup.class);
    return setup.orElseThrow(
            () -> new IllegalStateException("this configuration only works in a SimulatedSystem"))
        .loop;
  }
}
