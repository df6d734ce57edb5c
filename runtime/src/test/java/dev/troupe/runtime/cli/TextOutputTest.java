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

  @Test
  void aBootstrapPeerThatFailedIsToldWithWhatCanBeDone() {
    List<String> lines = new CopyOnWriteArrayList<>();
    try (LineWriter writer = new LineWriter(lines::add, TextOutput::dropped)) {
      new TextOutput(writer)
          .event(
              "bootstrap-failed",
              Map.of(
                  "addr", "/ip4/192.0.2.1/tcp/1",
                  "reason", "no answer",
                  "offers", List.of("retry", "use-backup")));
    }
    assertEquals(
        List.of(
            "* the bootstrap peer at /ip4/192.0.2.1/tcp/1 cannot be reached: no answer; what you"
                + " can do: retry, use-backup"),
        lines);
  }

  @Test
  void aVerificationHasALineForEachStep() {
    List<String> lines = new CopyOnWriteArrayList<>();
    try (LineWriter writer = new LineWriter(lines::add, TextOutput::dropped)) {
      new TextOutput(writer)
          .ok(
              "verify",
              1,
              Map.of(
                  "verdict",
                  "partial",
                  "steps",
                  List.of(
                      Map.of("name", "publish", "ok", false, "millis", 3, "detail", "no\npeer"))));
    }
    assertEquals(List.of("verify: partial\n  [--] publish, 3 ms: no\ufffdpeer"), lines);
  }
}
