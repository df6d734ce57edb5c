package dev.troupe.simulation.testkit;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** What guarded classes call where they would call what a simulation forbids. */
public final class GuardedCalls {

  private static final ThreadLocal<@Nullable Simulation> CURRENT = new ThreadLocal<>();

  private GuardedCalls() {}

  static <T> T in(Simulation simulation, Callable<T> body) throws Exception {
    Simulation before = CURRENT.get();
    CURRENT.set(simulation);
    try {
      return body.call();
    } finally {
      CURRENT.set(before);
    }
  }

  /**
   * Fails the run that goes on, even if the caller catches this.
   *
   * @param breach which call, from where, and what is wrong with it
   * @return never: it throws
   */
  public static AssertionError breach(String breach) {
    Simulation simulation = CURRENT.get();
    throw simulation == null ? new AssertionError(breach) : simulation.system().fail(breach);
  }
}
