package dev.troupe.simulation.kernel;

import org.apache.pekko.actor.AbstractActor;
import org.apache.pekko.event.Logging;

/** Collects what Pekko logs on its event stream, in the run's own list. */
final class SimulatedLogger extends AbstractActor {

  private final EventLoop loop = SimulationSetup.loopOf(getContext().getSystem().settings());

  @Override
  public Receive createReceive() {
    return receiveBuilder()
        .match(
            Logging.InitializeLogger.class,
            initialize -> getSender().tell(Logging.loggerInitialized(), getSelf()))
        .match(Logging.Error.class, event -> add("ERROR", event, event.cause()))
        .match(Logging.Warning.class, event -> add("WARNING", event, null))
        .match(Logging.Info.class, event -> add("INFO", event, null))
        .matchAny(other -> {})
        .build();
  }

  private void add(
      String level, Logging.LogEvent event, @org.jspecify.annotations.Nullable Throwable cause) {
    loop.log(
        new LogEntry(loop.now(), level, event.logSource(), String.valueOf(event.message()), cause));
  }
}
