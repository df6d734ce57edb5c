package dev.troupe.simulation.cli;

import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Result;
import java.io.PrintStream;
import java.util.Locale;

/** How a run went, in words. */
final class Report {

  /** Beyond this many violations the rest is counted only. */
  private static final int MAX_SHOWN = 20;

  private Report() {}

  /** Prints it; answers the exit code. */
  static int print(PrintStream out, Result result, long wallNanos) {
    result.violations().stream().limit(MAX_SHOWN).forEach(each -> out.println("VIOLATED " + each));
    if (result.violations().size() > MAX_SHOWN) {
      out.println("and " + (result.violations().size() - MAX_SHOWN) + " more");
    }
    if (!result.isClean()) {
      out.println(replay(result.parameters()));
    }
    out.printf(
        Locale.ROOT,
        "trace %s peers %d virtual %.3f wall %.3f events %d%n",
        result.traceText(),
        result.peers(),
        result.virtualNanos() / 1e9,
        wallNanos / 1e9,
        result.events());
    return result.isClean() ? 0 : 1;
  }

  /** The one line that plays a run again. */
  static String replay(Parameters parameters) {
    return "replay " + parameters.token();
  }
}
