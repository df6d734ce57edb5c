package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.troupe.runtime.foreign.JsonPeerProcess;
import dev.troupe.runtime.foreign.PeerKind;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The command line, in this process where it refuses, in processes of their own where it runs. */
@Timeout(120)
class PeerCommandTest {

  private final List<JsonPeerProcess> started = new ArrayList<>();

  @AfterEach
  void stopPeers() {
    started.forEach(JsonPeerProcess::close);
  }

  private JsonPeerProcess start(String name, String... arguments) {
    JsonPeerProcess peer = PeerKind.TROUPE.start(name, arguments);
    started.add(peer);
    return peer;
  }

  private static String refusal(String... arguments) {
    StringWriter errors = new StringWriter();
    CommandLine line = new CommandLine(new PeerCommand()).setErr(new PrintWriter(errors, true));
    assertEquals(2, line.execute(arguments), () -> Arrays.toString(arguments));
    return errors.toString();
  }

  @ParameterizedTest
  @CsvSource({
    "--listen, /ip4/300.1.1.1/tcp/0",
    "--listen, nonsense",
    "--bootstrap, /ip4/127.0.0.1/tcp/70000",
    "--bootstrap, /ip4/127.0.0.1/tcp/4001",
    "--backup, /ip4/127.0.0.1/tcp/4001",
    "--role, king",
    "--dht, sometimes",
    "--namespace, a/b",
    "--nonsense, 1"
  })
  void whatCannotBeUnderstoodIsNamed(String option, String value) {
    String errors = refusal(option, value);
    assertTrue(errors.contains(option), errors);
    assertTrue(errors.contains(value), errors);
  }

  @Test
  void aKeyFileWithoutAKeyIsNamed(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("key");
    Files.writeString(file, "nonsense");
    assertTrue(refusal("--key", file.toString()).contains(file.toString()));
    assertTrue(refusal("--key", directory.toString()).contains(directory.toString()));
    assertEquals("nonsense", Files.readString(file));
  }

  @Test
  void everyLineIsAnsweredOnceAndBadOnesStopNothing() {
    JsonPeerProcess alice = start("alice", "--dht", "off");
    JsonPeerProcess bob = start("bob", "--dht", "off");
    String stranger = "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5";
    String at = bob.address().substring(0, bob.address().indexOf("/p2p/"));

    assertRefused(alice, "nonsense", "unknown-command", "nonsense");
    assertRefused(alice, "connect", "bad-argument", "usage: connect ADDR");
    assertRefused(alice, "connect /ip4/1.2.3/tcp/1", "bad-argument", "1.2.3");
    assertRefused(alice, "connect /ip4/1.2.3.4/udp/1/quic-v1", "unsupported-address", "quic-v1");
    assertRefused(alice, "connect " + at + "/p2p/" + stranger, "wrong-peer", stranger);
    assertRefused(alice, "ping " + stranger, "unreachable", stranger);
    assertRefused(alice, "ping nobody", "bad-argument", "nobody");
    assertRefused(alice, "name-resolve /ipns/example.org", "bad-argument", "example.org");
    assertRefused(alice, "disconnect " + stranger, "not-connected", stranger);
    assertRefused(alice, "perf " + stranger + " -1 1", "bad-argument", "-1");
    assertRefused(alice, "send " + stranger + " /test/mail/1", "bad-argument", "usage: send");
    assertRefused(alice, "unsubscribe news", "not-subscribed", "news");
    assertRefused(alice, "publish news " + "x".repeat(2 * 1024 * 1024), "line-too-long", "1114112");
    assertRefused(alice, "publish news " + "x".repeat(1024 * 1024), "too-large", "");

    alice.ask("connect " + bob.address());
    assertEquals(3, alice.ask("ping " + bob.peerId() + " 3").path("rttMicros").size());
    assertEquals(bob.peerId(), alice.ask("peers").path("peers").path(0).asText());
    bob.ask("start /test/mail/1");
    JsonNode sent = alice.ask("send " + bob.peerId() + " /test/mail/1 good evening");
    assertTrue(sent.path("delivered").asBoolean());
    assertEquals(1, sent.path("attempts").asInt());
    JsonNode data = bob.awaitEvent("data", alice);
    assertEquals("good evening", data.path("text").asText());
    assertEquals("Z29vZCBldmVuaW5n", data.path("data").asText());
    assertEquals(0, alice.quit());
    bob.awaitEvent("disconnected", alice);
    assertEquals(0, bob.quit());
  }

  @Test
  void healthAndVerificationAreToldAndAFailedBootstrapPeerOffersWhatToDo() {
    JsonPeerProcess alice = start("alice", "--role", "bootstrap");
    String dead = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5";
    JsonPeerProcess bob = start("bob", "--bootstrap", dead, "--backup", alice.address());
    JsonNode failed =
        bob.awaitEvent(
            "bootstrap-failed", event -> event.path("event").asText().equals("bootstrap-failed"));
    assertEquals(dead, failed.path("addr").asText());
    assertEquals("[\"retry\",\"use-backup\"]", failed.path("offers").toString());
    bob.awaitDhtReady();
    JsonNode health = bob.ask("health");
    assertEquals("degraded", health.path("state").asText());
    assertEquals(dead, health.path("bootstraps").path(0).path("addr").asText());
    assertFalse(health.path("bootstraps").path(0).path("reachable").asBoolean());
    JsonNode backup = health.path("bootstraps").path(1);
    assertTrue(backup.path("reachable").asBoolean());
    assertTrue(backup.has("latencyMillis") && backup.has("peers") && backup.has("tableSize"));
    JsonNode verified = bob.ask("verify " + alice.peerId());
    assertEquals("verified", verified.path("verdict").asText(), verified::toString);
    assertEquals(6, verified.path("steps").size());
    assertEquals(1, bob.ask("ready").path("attempts").asInt());
    assertEquals(dead, bob.ask("retry").path("addrs").path(0).asText());
    assertEquals(alice.address(), bob.ask("use-backup").path("addrs").path(0).asText());
    assertEquals(1, bob.ask("dht").path("table").size());
    assertEquals(1, bob.ask("dht").path("buckets").path(0).path("peers").asInt());
    assertTrue(bob.ask("dht").path("buckets").path(0).has("waiting"));
    assertTrue(bob.ask("dht").has("refused"));
    assertTrue(bob.ask("dht").path("lookups").path(0).has("hops"));
    assertRefused(alice, "retry", "declined", "no bootstrap peer");
  }

  @Test
  void aPeerIsFoundUnderTheIdentityThatItAnnounced() {
    JsonPeerProcess alice = start("alice");
    JsonPeerProcess bob = start("bob", "--bootstrap", alice.address());
    bob.awaitDhtReady();
    alice.awaitDhtReady();
    assertRefused(alice, "announce", "bad-argument", "usage: announce IDENTITY [NAME]");
    assertRefused(alice, "announce alice", "bad-identity", "/");
    assertRefused(alice, "withdraw /eth/0x1", "not-announced", "/eth/0x1");

    assertEquals(1, alice.ask("announce /eth/0x1 Alice of the pond").path("peers").asInt());
    assertRefused(alice, "announce /eth/0x1", "already-announced", "/eth/0x1");
    JsonNode own = alice.ask("presence").path("presences");
    assertEquals("[{\"identity\":\"/eth/0x1\",\"peers\":1}]", own.toString());
    JsonNode found = bob.ask("find-presence /eth/0x1");
    assertEquals("[]", found.path("refused").toString());
    assertEquals(1, found.path("present").size(), found::toString);
    JsonNode present = found.path("present").path(0);
    assertEquals(alice.peerId(), present.path("peer").asText());
    assertEquals("Alice of the pond", present.path("name").asText());
    assertTrue(alice.address().startsWith(present.path("addrs").path(0).asText()), own::toString);

    assertEquals("/eth/0x1", alice.ask("withdraw /eth/0x1").path("identity").asText());
    assertEquals("[]", alice.ask("presence").path("presences").toString());
    assertEquals("[]", bob.ask("find-presence /eth/0x2").path("present").toString());
  }

  @Test
  void whatAPeerHasKeptIsThereAfterItWasKilled(@TempDir Path directory) throws Exception {
    Path data = directory.resolve("alice");
    JsonPeerProcess alice = start("alice", "--data", data.toString());
    JsonPeerProcess bob = start("bob");
    bob.ask("connect " + alice.address());
    bob.awaitIdentified(alice);
    alice.awaitIdentified(bob);
    bob.ask("put /test/k v");
    alice.kill();
    // It is who it was, and knows whom it knew: bob, who kept nothing, is not needed for the value.
    JsonPeerProcess again = start("alice", "--data", data.toString());
    assertEquals(alice.peerId(), again.peerId());
    assertEquals("v", again.ask("get /test/k").path("value").asText());
    assertTrue(Files.exists(data.resolve("key")));

    assertDoesNotStart(data, "in use");
    assertEquals(0, again.quit());
    Files.writeString(data.resolve("FORMAT"), "nonsense");
    assertDoesNotStart(data, "damaged");
    assertEquals("nonsense", Files.readString(data.resolve("FORMAT")));
  }

  private static void assertDoesNotStart(Path data, String why) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "peer",
                "--data",
                data.toString())
            .redirectErrorStream(true)
            .start();
    StringWriter said = new StringWriter();
    process.inputReader().transferTo(said);
    assertEquals(1, process.waitFor());
    assertTrue(said.toString().contains(why), said.toString());
    assertTrue(said.toString().contains(data.toString()), said.toString());
  }

  private static void assertRefused(
      JsonPeerProcess peer, String command, String code, String named) {
    JsonNode reply = peer.askInVain(command);
    assertEquals(code, reply.path("error").asText(), reply::toString);
    assertTrue(reply.path("message").asText().contains(named), reply::toString);
    assertFalse(reply.path("reply").asText().isEmpty());
  }
}
