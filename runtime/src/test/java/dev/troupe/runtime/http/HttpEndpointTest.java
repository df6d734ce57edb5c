package dev.troupe.runtime.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.runtime.http.HttpEndpoint.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HttpEndpointTest {

  private final HttpClient client = HttpClient.newHttpClient();
  private HttpEndpoint endpoint;

  @BeforeEach
  void open() throws Exception {
    endpoint =
        HttpEndpoint.open(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            Map.of(
                "/page",
                () -> CompletableFuture.completedFuture(Answer.json(200, "{}")),
                "/slow",
                CompletableFuture::new,
                "/broken",
                () -> CompletableFuture.failedFuture(new IllegalStateException("broken"))),
            Duration.ofMillis(50));
  }

  @AfterEach
  void close() {
    endpoint.close();
  }

  private HttpResponse<String> ask(String method, String path) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + endpoint.address().getPort() + path);
    return client.send(
        HttpRequest.newBuilder(uri).method(method, BodyPublishers.noBody()).build(),
        BodyHandlers.ofString());
  }

  @Test
  void aPageIsServed() throws Exception {
    HttpResponse<String> response = ask("GET", "/page?a=b");
    assertEquals(200, response.statusCode());
    assertEquals("{}", response.body());
    assertEquals(
        "application/json; charset=utf-8", response.headers().firstValue("Content-Type").get());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/page/", "/pages", "/page/../slow/more", "/%00"})
  void everythingElseIsNotFound(String path) throws Exception {
    assertEquals(404, ask("GET", path).statusCode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "DELETE", "HEAD", "OPTIONS"})
  void otherMethodsAreNotAllowed(String method) throws Exception {
    HttpResponse<String> response = ask(method, "/page");
    assertEquals(405, response.statusCode());
    assertEquals("GET", response.headers().firstValue("Allow").get());
  }

  @ParameterizedTest
  @CsvSource({"/slow, no answer in time", "/broken, no answer"})
  void aPageThatCannotBeHadSaysSo(String path, String message) throws Exception {
    // More often than there are threads: none is lost.
    for (int request = 0; request < 2 * HttpEndpoint.THREADS; request++) {
      HttpResponse<String> response = ask("GET", path);
      assertEquals(503, response.statusCode());
      assertEquals(message + "\n", response.body());
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), endpoint.address().getPort());
    socket.setSoTimeout(40_000);
    return socket;
  }

  /** What the endpoint says until it closes the connection, or resets it. */
  private static String rest(Socket socket) throws IOException {
    try {
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    } catch (SocketException reset) {
      return "";
    }
  }

  @Test
  void whoDoesNotFinishItsRequestIsDisconnectedAndOthersAreServed() throws Exception {
    try (Socket slow = connect()) {
      slow.getOutputStream().write("GET /page HTTP/1.1\r\nHost: x\r\nX: ".getBytes(UTF_8));
      assertEquals(200, ask("GET", "/page").statusCode());
      assertFalse(rest(slow).contains("200 OK"));
    }
  }

  @Test
  void aRequestThatIsTooLongIsNotReadToItsEnd() throws Exception {
    try (Socket endless = connect()) {
      byte[] header = ("X: " + "x".repeat(8000) + "\r\n").getBytes(UTF_8);
      endless.getOutputStream().write("GET /page HTTP/1.1\r\nHost: x\r\n".getBytes(UTF_8));
      int written = 0;
      try {
        while (written < 64 << 20) {
          endless.getOutputStream().write(header);
          written += header.length;
        }
      } catch (SocketException closed) {
        assertTrue(written < 8 << 20, "read " + written + " bytes of one request");
      }
      assertTrue(written < 64 << 20);
    }
    assertEquals(200, ask("GET", "/page").statusCode());
  }

  @Test
  void connectionsBeyondTheLimitAreClosedAndOthersServedWhenTheyHaveGone() throws Exception {
    List<Socket> open = new ArrayList<>();
    try {
      for (int i = 0; i < HttpEndpoint.CONNECTIONS; i++) {
        Socket one = connect();
        open.add(one);
        one.getOutputStream().write("GET /page HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
        assertTrue(one.getInputStream().read() >= 0);
      }
      try (Socket beyond = connect()) {
        open.add(beyond);
        try {
          beyond.getOutputStream().write("GET /page HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
        } catch (SocketException closedAlready) {
          assertTrue(open.size() > HttpEndpoint.CONNECTIONS);
        }
        assertEquals("", rest(beyond));
      }
    } finally {
      for (Socket each : open) {
        each.close();
      }
    }
    assertEquals(200, ask("GET", "/page").statusCode());
  }
}
