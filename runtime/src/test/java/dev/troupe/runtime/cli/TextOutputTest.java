package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TextOutputTest {

  @Test
  void whatARemoteWroteDoesNotSteerTheTerminal() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TextOutput output = new TextOutput(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    output.event(
        "message",
        Map.of("topic", "lobby", "from", "alice", "text", "\u001b[2J\u202egrün \ud83d\ude00\nx"));
    assertEquals(
        "[lobby] alice: \ufffd[2J\ufffdgrün \ud83d\ude00\ufffdx" + System.lineSeparator(),
        bytes.toString(StandardCharsets.UTF_8));
  }
}
