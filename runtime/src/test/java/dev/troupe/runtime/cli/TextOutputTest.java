package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
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

  @Test
  void theNetworkAndTheDhtAreReadableOnATerminal() {
    List<String> lines = new CopyOnWriteArrayList<>();
    Map<String, Object> state = Map.of("state", "ready", "peers", 1, "stashed", 0);
    try (LineWriter writer = new LineWriter(lines::add, TextOutput::dropped)) {
      TextOutput output = new TextOutput(writer);
      Map<String, Object> bob =
          Map.of("peer", "bob", "addr", "/ip4/192.0.2.1/tcp/1", "direction", "outbound");
      output.ok(
          "network",
          1,
          Map.of("peer", "alice", "addrs", List.of("/a"), "connected", List.of(bob), "dht", state));
      Map<String, Object> dht = new LinkedHashMap<>(state);
      dht.put("table", List.of("bob"));
      dht.put(
          "buckets",
          List.of(
              Map.of("bucket", 3, "peers", 1, "waiting", 0),
              Map.of("bucket", 4, "peers", 20, "waiting", 8)));
      dht.put("refused", 5L);
      dht.put("lookups", List.of(Map.of("agoSeconds", 7, "asked", 4, "hops", 2, "millis", 30)));
      output.ok("dht", 2, dht);
    }
    assertEquals(
        List.of(
            "network: alice\n  listens at /a\n  DHT ready, 1 in the routing table, 0 operations"
                + " wait\n  1 connected\n  outbound bob at /ip4/192.0.2.1/tcp/1",
            "dht: ready, 1 in the routing table, 0 operations wait\n  bucket 3: 1\n"
                + "  bucket 4: 20, 8 waiting\n"
                + "  refused 5 times: there were enough of the same IP group\n  bob\n"
                + "  lookup 7 s ago: 30 ms, 4 asked, 2 hops"),
        lines);
  }

  @Test
  void whoIsPresentAndWhoOnlyClaimsItHaveALineEach() {
    List<String> lines = new CopyOnWriteArrayList<>();
    try (LineWriter writer = new LineWriter(lines::add, TextOutput::dropped)) {
      Map<String, Object> alice =
          Map.of("peer", "alice", "name", "A\nlice", "until", "noon", "addrs", List.of("/a"));
      Map<String, Object> mallory = Map.of("peer", "mallory", "message", "no record");
      new TextOutput(writer)
          .ok(
              "find-presence",
              1,
              Map.of("identity", "/eth/1", "present", List.of(alice), "refused", List.of(mallory)));
    }
    assertEquals(
        List.of(
            "find-presence: /eth/1, 1 present\n  [ok] alice, A\ufffdlice, until noon\n       at /a\n"
                + "  [--] mallory only claims it: no record"),
        lines);
  }
}
