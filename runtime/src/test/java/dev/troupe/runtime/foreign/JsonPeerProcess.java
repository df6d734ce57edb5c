package dev.troupe.runtime.foreign;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A peer in a process of its own, driven by the JSON lines of {@code troupe peer --json}. Every
 * wait is for a line that the peer writes, and is bounded; what fails carries the end of the peer's
 * transcript. Thread-safe.
 */
public final class JsonPeerProcess implements AutoCloseable {

  /** How long a reply or an event may take unless a caller says otherwise. */
  public static final Duration PATIENCE = Duration.ofSeconds(40);

  private static final Duration START_PATIENCE = Duration.ofSeconds(60);
  private static final Duration STOP_PATIENCE = Duration.ofSeconds(10);
  private static final int TRANSCRIPT_LINES = 60;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String name;
  private final Process process;
  private final Writer input;
  private final Thread killer;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<JsonNode> events = new ArrayList<>();
  private final Map<Integer, JsonNode> replies = new HashMap<>();
  private final Deque<String> transcript = new ArrayDeque<>();
  private int lines;
  private boolean ended;
  private @Nullable String violation;

  private final JsonNode listening;

  private JsonPeerProcess(String name, List<String> command) throws IOException {
    this.name = name;
    this.process = new ProcessBuilder(command).start();
    this.killer = new Thread(process::destroyForcibly, name + "-killer");
    Runtime.getRuntime().addShutdownHook(killer);
    this.input =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    follow("out", process.getInputStream(), this::onOutput, this::onEnd);
    follow("err", process.getErrorStream(), line -> note("! " + line), () -> {});
    try {
      this.listening =
          awaitEvent(
              "listening", START_PATIENCE, e -> e.path("event").asText().equals("listening"));
    } catch (AssertionError e) {
      close();
      throw e;
    }
  }

  /**
   * Starts a peer and waits until it listens.
   *
   * @param name what messages call it
   * @throws AssertionError if it does not listen in a minute
   */
  public static JsonPeerProcess start(String name, List<String> command) {
    try {
      return new JsonPeerProcess(name, command);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + name + ": " + command, e);
    }
  }

  /** What messages call it. */
  public String name() {
    return name;
  }

  /** Its peer id, in base58. */
  public String peerId() {
    return listening.path("peer").asText();
  }

  /** The first address it listens on, with its peer id. */
  public String address() {
    String address = listening.path("addrs").path(0).asText();
    if (!address.endsWith("/p2p/" + peerId())) {
      throw new AssertionError(name + " listens on '" + address + "', which lacks its peer id");
    }
    return address;
  }

  /**
   * Runs a command that is to succeed.
   *
   * @return its reply
   */
  public JsonNode ask(String command) {
    return ask(command, PATIENCE);
  }

  /** As {@link #ask(String)}, with another bound. */
  public JsonNode ask(String command, Duration patience) {
    JsonNode reply = reply(submit(command), command, patience);
    if (!reply.path("ok").asBoolean()) {
      throw failure("'" + command + "' failed: " + reply);
    }
    return reply;
  }

  /**
   * Runs a command that is to fail.
   *
   * @return its reply, whose {@code error} and {@code message} are not empty
   */
  public JsonNode askInVain(String command) {
    JsonNode reply = reply(submit(command), command, PATIENCE);
    if (reply.path("ok").asBoolean(true)
        || reply.path("error").asText().isEmpty()
        || reply.path("message").asText().isEmpty()) {
      throw failure("'" + command + "' was to fail with a code and a message: " + reply);
    }
    return reply;
  }

  /**
   * Writes a command and does not wait.
   *
   * @return the number of its line, for {@link #reply}
   */
  public int submit(String command) {
    lock.lock();
    try {
      input.write(command + "\n");
      input.flush();
      note("> " + command);
      return ++lines;
    } catch (IOException e) {
      throw failure("it took no command: " + e);
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the reply to a line. */
  public JsonNode reply(int line, String command, Duration patience) {
    return await("a reply to '" + command + "'", patience, () -> replies.get(line));
  }

  /** Waits for an event, or returns the first such event that already came. */
  public JsonNode awaitEvent(String description, Predicate<JsonNode> accepts) {
    return awaitEvent(description, PATIENCE, accepts);
  }

  private JsonNode awaitEvent(String description, Duration patience, Predicate<JsonNode> accepts) {
    return await(
        description,
        patience,
        () -> {
          for (JsonNode event : events) {
            if (accepts.test(event)) {
              return event;
            }
          }
          return null;
        });
  }

  /** Waits for an event of a kind to have come so many times, and returns the last of these. */
  public JsonNode awaitEvent(String kind, int times) {
    return await(
        kind + ", " + times + " times",
        START_PATIENCE,
        () ->
            events.stream()
                .filter(event -> event.path("event").asText().equals(kind))
                .skip(times - 1L)
                .findFirst()
                .orElse(null));
  }

  /** Its process. */
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /** Waits for its end, and returns its exit code. */
  public int awaitExit() {
    try {
      if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        throw failure("it did not end");
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure("interrupted");
    }
  }

  /** Waits for the connection with a peer to be open and its identify message to be here. */
  public JsonNode awaitIdentified(JsonPeerProcess other) {
    return awaitIdentified(other.peerId());
  }

  /** The same of a peer that is no process of its own. */
  public JsonNode awaitIdentified(String peer) {
    return awaitEvent("identified " + peer, e -> is(e, "identified", peer));
  }

  /** Waits for an event about a peer. */
  public JsonNode awaitEvent(String event, JsonPeerProcess other) {
    return awaitEvent(event + " " + other.name, e -> is(e, event, other.peerId()));
  }

  /** Waits until the DHT says that it is ready. */
  public void awaitDhtReady() {
    awaitEvent(
        "dht ready",
        e ->
            e.path("event").asText().equals("dht")
                && e.path("state").asText().equals("ready")
                && e.path("peers").asInt() > 0);
  }

  /** Waits until another is known to subscribe to a topic. */
  public void awaitTopicPeer(String topic, JsonPeerProcess other, boolean joined) {
    awaitEvent(
        other.name + (joined ? " in " : " out of ") + topic,
        e ->
            is(e, "topic-peer", other.peerId())
                && e.path("topic").asText().equals(topic)
                && e.path("joined").asBoolean() == joined);
  }

  /** Waits until the mesh peers of a topic, as far as the peer tells of them, are so many. */
  public void awaitMesh(String topic, IntPredicate size) {
    await(
        "the mesh of " + topic,
        PATIENCE,
        () -> {
          List<String> mesh = new ArrayList<>();
          for (JsonNode event : events) {
            if (event.path("event").asText().equals("mesh-peer")
                && event.path("topic").asText().equals(topic)) {
              String peer = event.path("peer").asText();
              mesh.remove(peer);
              if (event.path("grafted").asBoolean()) {
                mesh.add(peer);
              }
            }
          }
          return size.test(mesh.size()) ? JSON.valueToTree(mesh) : null;
        });
  }

  /** Waits for a message with this text. */
  public JsonNode awaitMessage(String topic, JsonPeerProcess from, String text) {
    return awaitEvent(
        "message '" + text + "'",
        e ->
            e.path("event").asText().equals("message")
                && e.path("topic").asText().equals(topic)
                && e.path("from").asText().equals(from.peerId())
                && e.path("text").asText().equals(text));
  }

  /** How often a message with this text has come so far. */
  public long messages(String text) {
    lock.lock();
    try {
      return events.stream()
          .filter(e -> e.path("event").asText().equals("message"))
          .filter(e -> e.path("text").asText().equals(text))
          .count();
    } finally {
      lock.unlock();
    }
  }

  /** Kills it (SIGKILL), and waits until it is gone. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Asks it to stop, and kills it if it does not. */
  @Override
  public void close() {
    try {
      submit("quit");
    } catch (AssertionError e) {
      note("it has stopped already");
    }
    try {
      if (!process.waitFor(STOP_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().removeShutdownHook(killer);
  }

  /**
   * Asks it to stop and waits for its exit code.
   *
   * @throws AssertionError if it does not stop
   */
  public int quit() {
    ask("quit");
    try {
      if (!process.waitFor(STOP_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        throw failure("it did not stop after 'quit'");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure("interrupted");
    }
    return process.exitValue();
  }

  @Override
  public String toString() {
    return name;
  }

  private static boolean is(JsonNode event, String kind, String peer) {
    return event.path("event").asText().equals(kind) && event.path("peer").asText().equals(peer);
  }

  /** Looks again whenever a line has come. */
  private JsonNode await(String what, Duration patience, Attempt attempt) {
    lock.lock();
    try {
      long left = patience.toNanos();
      while (true) {
        JsonNode found = attempt.look();
        if (violation != null) {
          throw failure(violation);
        }
        if (found != null) {
          return found;
        }
        if (ended) {
          throw failure("it ended while we waited for " + what);
        }
        if (left <= 0) {
          throw failure("no " + what + " in " + patience.toSeconds() + " s");
        }
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure("interrupted while we waited for " + what);
    } finally {
      lock.unlock();
    }
  }

  /** Called with the lock held. */
  private interface Attempt {
    @Nullable JsonNode look();
  }

  private void onOutput(String line) {
    lock.lock();
    try {
      note("< " + line);
      JsonNode object = JSON.readTree(line);
      if (object.has("event")) {
        events.add(object);
      } else if (object.has("reply")) {
        if (replies.putIfAbsent(object.path("line").asInt(), object) != null) {
          violation = "it answered one line twice: " + line;
        }
      } else {
        violation = "it wrote neither an event nor a reply: " + line;
      }
    } catch (JsonProcessingException e) {
      violation = "it wrote what is not JSON: " + line;
    } finally {
      changed.signalAll();
      lock.unlock();
    }
  }

  private void onEnd() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void note(String line) {
    lock.lock();
    try {
      transcript.addLast(line.length() > 400 ? line.substring(0, 400) + "…" : line);
      if (transcript.size() > TRANSCRIPT_LINES) {
        transcript.removeFirst();
      }
    } finally {
      lock.unlock();
    }
  }

  private AssertionError failure(String message) {
    lock.lock();
    try {
      return new AssertionError(
          name + ": " + message + "\nits last lines:\n  " + String.join("\n  ", transcript));
    } finally {
      lock.unlock();
    }
  }

  private void follow(String what, InputStream stream, LineSink sink, Runnable end) {
    Thread thread =
        new Thread(
            () -> {
              try (BufferedReader reader =
                  new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                  sink.accept(line);
                }
              } catch (IOException e) {
                note("(" + what + ": " + e + ")");
              } finally {
                end.run();
              }
            },
            name + "-" + what);
    thread.setDaemon(true);
    thread.start();
  }

  private interface LineSink {
    void accept(String line);
  }
}
