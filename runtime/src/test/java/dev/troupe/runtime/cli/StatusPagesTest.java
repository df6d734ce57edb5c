package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.actors.health.Health;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.embedding.Troupe;
import dev.troupe.runtime.http.HttpEndpoint;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StatusPagesTest {

  @Test
  void aPeerThatIsDownIsServedAsUnavailable() throws Exception {
    int closed;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closed = socket.getLocalPort();
    }
    StatusPages pages = new StatusPages();
    try (Troupe troupe = Troupe.start(pages.measurements())) {
      PeerSettings settings =
          PeerSettings.of(troupe.newIdentity(), List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/0")));
      Multiaddr gone =
          Multiaddr.parse("/ip4/127.0.0.1/tcp/" + closed).withPeer(troupe.newIdentity().peerId());
      PeerManager.CreateReply created =
          troupe
              .createPeer(
                  "alice", settings.withDht(settings.dht().withBootstrapPeers(List.of(gone))))
              .toCompletableFuture()
              .get(30, TimeUnit.SECONDS);
      EmbeddedPeer peer = troupe.embed(assertInstanceOf(PeerManager.Created.class, created));
      CompletableFuture<Void> failed = new CompletableFuture<>();
      peer.onHealth(
          event -> {
            if (event instanceof Health.BootstrapFailed) {
              failed.complete(null);
            }
          });
      failed.get(30, TimeUnit.SECONDS);
      InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      try (HttpEndpoint endpoint = pages.open(any, peer)) {
        URI uri = URI.create("http://127.0.0.1:" + endpoint.address().getPort() + "/health");
        HttpResponse<String> response =
            HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        assertEquals(503, response.statusCode(), response::body);
        JsonNode report = new ObjectMapper().readTree(response.body());
        assertEquals("down", report.path("state").asText());
        assertEquals(gone.toString(), report.path("bootstraps").path(0).path("addr").asText());
      }
    }
  }
}
