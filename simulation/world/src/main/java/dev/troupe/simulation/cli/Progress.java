package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Run;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.Consumer;

/** One line on a terminal that says how far a long run is; says nothing where nobody looks on. */
final class Progress implements Consumer<Run>, AutoCloseable {

  private static final long EVERY_NANOS = 500_000_000L;

  private final PrintStream out;
  private final Parameters parameters;
  private final boolean shown;
  private final long begunNanos = System.nanoTime();
  private long lastNanos = begunNanos;
  private long lastEvents;
  private boolean any;

  Progress(PrintStream out, Parameters parameters) {
    this.out = out;
    this.parameters = parameters;
    this.shown = System.console() != null;
  }

  @Override
  public void accept(Run run) {
    long now = System.nanoTime();
    if (!shown || now - lastNanos < EVERY_NANOS) {
      return;
    }
    long events = run.cluster().system().eventCount();
    double virtual = run.cluster().system().now() / 1e9;
    out.printf(
        Locale.ROOT,
        "\r%s  %d peers  virtual %.0f s  %.1f times real time  %.0f events/s   ",
        parameters.scenario(),
        run.cluster().up().size(),
        virtual,
        virtual / ((now - begunNanos) / 1e9),
        (events - lastEvents) / ((now - lastNanos) / 1e9));
    lastNanos = now;
    lastEvents = events;
    any = true;
  }

  @Override
  public void close() {
    if (any) {
      out.println();
    }
  }
}
