package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.runtime.foreign.JsonPeerProcess;
import dev.troupe.runtime.foreign.PeerKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The bootstrap node as a service, in processes of its own. */
@Timeout(240)
class BootstrapCommandIT {

  private static final int SIGTERM = 128 + 15;
  private static final int SIGKILL = 128 + 9;

  private final List<JsonPeerProcess> peers = new ArrayList<>();
  private final List<JsonPeerProcess> services = new ArrayList<>();

  @TempDir Path directory;

  /** Nobody reads what a service is told on its standard input: it is killed at once. */
  @AfterEach
  void endAll() {
    services.forEach(service -> service.handle().destroyForcibly());
    services.forEach(JsonPeerProcess::close);
    peers.forEach(JsonPeerProcess::close);
  }

  private JsonPeerProcess service(int port, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "bootstrap",
                "--json",
                "--data",
                directory.toString(),
                "--listen",
                "/ip4/127.0.0.1/tcp/" + port));
    arguments.addAll(List.of(more));
    JsonPeerProcess service =
        JsonPeerProcess.start("service", PeerKind.ours(arguments.toArray(String[]::new)));
    services.add(service);
    return service;
  }

  private static ProcessHandle child(JsonPeerProcess service, int number) {
    JsonNode started = service.awaitEvent("child-started", number);
    return ProcessHandle.of(started.path("pid").asLong()).orElseThrow();
  }

  private static void awaitEnd(ProcessHandle process) throws Exception {
    process.onExit().get(JsonPeerProcess.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void aKilledNodeServesAgainWithinAMinuteAsTheSamePeerAndEndsWithTheService() throws Exception {
    JsonPeerProcess service = service(freePort());
    ProcessHandle first = child(service, 1);
    long killedAt = System.nanoTime();
    first.destroyForcibly();
    JsonNode died = service.awaitEvent("child-died", 1);
    assertEquals(SIGKILL, died.path("exitCode").asInt());
    JsonNode again = service.awaitEvent("listening", 2);
    assertEquals(service.peerId(), again.path("peer").asText());
    assertEquals(service.address(), again.path("addrs").path(0).asText());
    assertEquals(1, service.awaitEvent("child-started", 2).path("restarts").asInt());

    JsonPeerProcess alice = PeerKind.TROUPE.start("alice", "--bootstrap", service.address());
    peers.add(alice);
    alice.awaitDhtReady();
    Duration took = Duration.ofNanos(System.nanoTime() - killedAt);
    assertTrue(took.compareTo(Duration.ofMinutes(1)) < 0, took::toString);

    ProcessHandle second = child(service, 2);
    service.handle().destroy();
    assertEquals(SIGTERM, service.awaitExit());
    awaitEnd(second);
    alice.awaitEvent("disconnected", service);
  }

  @Test
  void theFourthDeathIsTheLast() throws Exception {
    JsonPeerProcess service = service(freePort());
    for (int death = 1; death <= 4; death++) {
      service.awaitEvent("listening", death);
      child(service, death).destroyForcibly();
    }
    JsonNode alert = service.awaitEvent("alert", 1);
    assertEquals(3, alert.path("restarts").asInt());
    assertTrue(alert.path("reason").asText().contains("not started again"), alert::toString);
    assertEquals(1, service.awaitExit());
  }

  @Test
  void theNodeDoesNotOutliveAServiceThatWasKilled() throws Exception {
    JsonPeerProcess service = service(freePort());
    ProcessHandle child = child(service, 1);
    service.handle().destroyForcibly();
    awaitEnd(child);
  }

  @Test
  void withoutASupervisorItIsOneProcessWhichTellsHowItIsOnLoopbackOnly() throws Exception {
    JsonPeerProcess service = service(0, "--unsupervised", "--http", "0");
    assertEquals(0, service.handle().children().count());
    String at = service.awaitEvent("http", 1).path("addr").asText();

    HttpResponse<String> health = get("http://" + at + "/health");
    JsonNode report = new ObjectMapper().readTree(health.body());
    assertEquals(200, health.statusCode());
    assertEquals("health", report.path("reply").asText());
    assertEquals("healthy", report.path("state").asText(), health::body);
    assertTrue(report.path("bootstraps").isArray() && report.has("tableSize"), health::body);
    assertEquals(404, get("http://" + at + "/").statusCode());

    JsonPeerProcess alice =
        PeerKind.TROUPE.start("alice", "--bootstrap", service.address(), "--http", "127.0.0.1:0");
    peers.add(alice);
    alice.awaitDhtReady();
    alice.ask("provide something");
    String metrics =
        get("http://" + alice.awaitEvent("http", 1).path("addr").asText() + "/metrics").body();
    for (String line :
        List.of(
            "troupe_dht_table{bucket=",
            "troupe_dht_lookup_seconds_count",
            "troupe_dht_lookup_hops_count",
            "troupe_dht_operations_total{operation=\"provide\",outcome=\"ok\"} 1.0",
            "troupe_dht_stash{",
            "troupe_dht_stash_wait_seconds_count 1",
            "troupe_dht_ready_seconds_count{peer=\"" + alice.peerId() + "\"} 1",
            "troupe_bootstrap_reachable{addr=\"" + service.address() + "\"",
            "troupe_connections{peer=\"" + alice.peerId() + "\"} 1.0")) {
      assertTrue(metrics.contains(line), () -> line + " is not in\n" + metrics);
    }

    String kept = get("http://" + at + "/metrics").body();
    String providers = "troupe_dht_providers{peer=\"" + service.peerId() + "\"} 1.0";
    assertTrue(kept.contains(providers), kept);

    int port = Integer.parseInt(at.substring(at.lastIndexOf(':') + 1));
    for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      for (InetAddress address : Collections.list(each.getInetAddresses())) {
        if (!address.isLoopbackAddress()) {
          assertThrows(IOException.class, () -> new Socket(address, port).close());
        }
      }
    }
    service.handle().destroy();
    assertEquals(SIGTERM, service.awaitExit());
  }

  private static HttpResponse<String> get(String uri) throws Exception {
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(URI.create(uri)).build(), BodyHandlers.ofString());
  }
}
