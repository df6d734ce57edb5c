package dev.troupe.runtime.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Pages to GET, each at one path; every other path is 404, every other method 405.
 *
 * <p><b>Limits</b>: {@value #THREADS} requests at a time and {@value #WAITING} that wait, the
 * connection of one more is closed; a page that is not there within {@link #PATIENCE} is 503; a
 * request that takes longer than {@value #SECONDS} s to come, or an answer to go, costs its
 * connection, and {@value #CONNECTIONS} connections may be open, where the JDK knows that limit.
 * The last three are the JDK's, for all its HTTP servers of a process, and hold unless they have
 * been set already. Thread-safe.
 */
public final class HttpEndpoint implements AutoCloseable {

  static final int THREADS = 4;
  static final int WAITING = 32;
  static final int SECONDS = 10;
  static final int CONNECTIONS = 64;

  /** How long a page may take. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  static {
    setUnlessSet("sun.net.httpserver.maxReqTime", SECONDS);
    setUnlessSet("sun.net.httpserver.maxRspTime", SECONDS);
    setUnlessSet("sun.net.httpserver.idleInterval", SECONDS);
    setUnlessSet("sun.net.httpserver.maxIdleConnections", CONNECTIONS);
    setUnlessSet("jdk.httpserver.maxConnections", CONNECTIONS);
  }

  private static void setUnlessSet(String property, int value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, Integer.toString(value));
    }
  }

  /** What a path is answered with. */
  public record Answer(int status, String contentType, String body) {

    /** JSON. */
    public static Answer json(int status, String body) {
      return new Answer(status, "application/json; charset=utf-8", body);
    }

    static Answer text(int status, String body) {
      return new Answer(status, "text/plain; charset=utf-8", body + "\n");
    }
  }

  private final HttpServer server;
  private final ThreadPoolExecutor threads;
  private final Map<String, Supplier<CompletionStage<Answer>>> pages;
  private final Duration patience;

  private HttpEndpoint(
      InetSocketAddress address,
      Map<String, Supplier<CompletionStage<Answer>>> pages,
      Duration patience)
      throws IOException {
    this.pages = Map.copyOf(pages);
    this.patience = patience;
    this.server = HttpServer.create(address, CONNECTIONS);
    AtomicInteger number = new AtomicInteger();
    this.threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            1,
            TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(WAITING),
            task -> {
              Thread thread = new Thread(task, "troupe-http-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    server.createContext("/", this::answer);
    server.setExecutor(threads);
    server.start();
  }

  /**
   * Serves from now on.
   *
   * @param pages by path; a page is asked for on a thread of the endpoint
   * @throws IOException if the address cannot be had
   */
  public static HttpEndpoint open(
      InetSocketAddress address, Map<String, Supplier<CompletionStage<Answer>>> pages)
      throws IOException {
    return open(address, pages, PATIENCE);
  }

  static HttpEndpoint open(
      InetSocketAddress address,
      Map<String, Supplier<CompletionStage<Answer>>> pages,
      Duration patience)
      throws IOException {
    return new HttpEndpoint(address, pages, patience);
  }

  /** Where it serves. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      Answer answer = answerTo(exchange);
      byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", answer.contentType());
      exchange.getResponseHeaders().set("Cache-Control", "no-store");
      boolean head = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(answer.status(), head ? -1 : body.length);
      if (!head) {
        exchange.getResponseBody().write(body);
      }
    }
  }

  private Answer answerTo(HttpExchange exchange) {
    Supplier<CompletionStage<Answer>> page = pages.get(exchange.getRequestURI().getPath());
    if (page == null) {
      return Answer.text(
          404, "there is " + String.join(", ", pages.keySet().stream().sorted().toList()));
    }
    if (!exchange.getRequestMethod().equals("GET")) {
      exchange.getResponseHeaders().set("Allow", "GET");
      return Answer.text(405, "GET only");
    }
    try {
      return page.get().toCompletableFuture().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return Answer.text(503, "no answer in time");
    } catch (ExecutionException e) {
      return Answer.text(503, "no answer");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Answer.text(503, "the endpoint closes");
    }
  }

  /** Closes all connections at once. */
  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
