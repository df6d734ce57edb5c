package dev.troupe.runtime.foreign;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestPlan;

/** Ends a test run by naming the foreign peers that were left out of it. Found as a service. */
public final class ForeignPeersSummary implements TestExecutionListener {

  @Override
  public void testPlanExecutionStarted(TestPlan plan) {
    try {
      ForeignPeers.forget();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void testPlanExecutionFinished(TestPlan plan) {
    try {
      List<String> lines = ForeignPeers.notRun();
      if (!lines.isEmpty()) {
        System.out.println("Foreign peers that were NOT run (-Dtroupe.foreign=required to fail):");
        lines.forEach(line -> System.out.println("  " + line));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
