package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class TextOutputTest {

  @Test
  void whatARemoteWroteDoesNotSteerTheTerminal() {
    List<String> lines = new CopyOnWriteArrayList<>();
    try (LineWriter writer = new LineWriter(lines::add, TextOutput::dropped)) {
      TextOutput output = new TextOutput(writer);
      output.event(
          "message",
          Map.of("topic", "lobby", "from", "alice", "text", "\u001b[2J\u202egrün \ud83d\ude00\nx"));
    }
    assertEquals(List.of("[lobby] alice: \ufffd[2J\ufffdgrün \ud83d\ude00\ufffdx"), lines);
  }
}
