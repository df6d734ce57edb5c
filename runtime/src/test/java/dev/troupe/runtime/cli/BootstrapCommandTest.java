package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What the bootstrap command refuses; what it does is in {@link BootstrapCommandIT}. */
class BootstrapCommandTest {

  private static String refusal(String... arguments) {
    StringWriter errors = new StringWriter();
    CommandLine line =
        new CommandLine(new BootstrapCommand()).setErr(new PrintWriter(errors, true));
    assertEquals(2, line.execute(arguments));
    return errors.toString();
  }

  @Test
  void aNodeThatWouldBeAnotherEachTimeIsRefused() {
    assertTrue(refusal().contains("--data or --key"));
  }
}
