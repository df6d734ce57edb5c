package dev.troupe.runtime.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.troupe.runtime.http.HttpEndpoint.Answer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
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
}
