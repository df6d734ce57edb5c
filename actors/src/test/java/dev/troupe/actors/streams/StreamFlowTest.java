package dev.troupe.actors.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StreamFlowTest {

  private final SimulatedSystem simulation = SimulatedSystem.create();
  private final Materializer materializer = Materializer.matFromSystem(simulation.system());
  private final Remote remote = new Remote();

  @AfterEach
  void close() {
    simulation.close();
  }

  @Test
  void whatFlowsInIsWrittenAndItsEndClosesTheHalf() {
    CompletionStage<String> read =
        Source.from(List.of("one ", "two"))
            .map(ByteString::fromString)
            .via(StreamFlow.of(remote))
            .runWith(texts(), materializer);
    simulation.runUntilIdle();
    assertEquals("one two", remote.written());
    assertEquals(List.of("closeWrite"), remote.calls);

    remote.sends("still reading");
    remote.ends();
    remote.isOver(null);
    simulation.runUntilIdle();
    assertEquals("still reading", now(read));
    assertEquals(List.of("closeWrite"), remote.calls);
  }

  @Test
  void aWriterWaitsForRoom() {
    remote.room = 5;
    Source.single(ByteString.fromString("more than there is room for"))
        .via(StreamFlow.of(remote))
        .runWith(texts(), materializer);
    simulation.runUntilIdle();
    assertEquals("more ", remote.written());
    assertEquals(List.of(), remote.calls);
    remote.room = 100;
    remote.listener().onWritable();
    simulation.runUntilIdle();
    assertEquals("more than there is room for", remote.written());
    assertEquals(List.of("closeWrite"), remote.calls);
  }

  @Test
  void aReaderThatDoesNotPullHoldsTheWindowAndNoMore() {
    SinkQueueWithCancel<ByteString> reader =
        Source.<ByteString>maybe()
            .via(StreamFlow.of(remote))
            .toMat(Sink.<ByteString>queue(1), Keep.right())
            .run(materializer);
    simulation.runUntilIdle();
    assertEquals(StreamFlow.WINDOW, remote.requested);
    for (int i = 0; i < 100; i++) {
      remote.sends("0123456789");
    }
    simulation.runUntilIdle();
    long unread = remote.requested;
    // The queue takes up to 16 elements of its own accord; nobody asks for what follows.
    assertTrue(unread <= StreamFlow.WINDOW + 200, "requested " + unread);
    for (int i = 0; i < 100; i++) {
      reader.pull();
    }
    simulation.runUntilIdle();
    assertEquals(StreamFlow.WINDOW + 1000, remote.requested);
  }

  @Test
  void singleBytesThatWaitAreJoined() {
    SinkQueueWithCancel<ByteString> reader =
        Source.<ByteString>maybe()
            .via(StreamFlow.of(remote))
            .toMat(Sink.<ByteString>queue(1), Keep.right())
            .run(materializer);
    simulation.runUntilIdle();
    StringBuilder sent = new StringBuilder();
    for (int i = 0; i < 9000; i++) {
      String each = String.valueOf((char) ('a' + i % 26));
      sent.append(each);
      remote.sends(each);
    }
    simulation.runUntilIdle();
    StringBuilder read = new StringBuilder();
    int elements = 0;
    while (read.length() < sent.length()) {
      CompletionStage<Optional<ByteString>> next = reader.pull();
      simulation.runUntilIdle();
      read.append(next.toCompletableFuture().getNow(Optional.empty()).orElseThrow().utf8String());
      elements++;
    }
    assertEquals(sent.toString(), read.toString());
    assertTrue(elements < 100, elements + " elements");
  }

  @Test
  void theRemotesEndCompletesTheReaderAndWritingGoesOn() {
    CompletableFuture<ByteString> late = new CompletableFuture<>();
    CompletionStage<String> read =
        Source.completionStage(late).via(StreamFlow.of(remote)).runWith(texts(), materializer);
    simulation.runUntilIdle();
    remote.sends("all");
    remote.ends();
    simulation.runUntilIdle();
    assertEquals("all", now(read));
    simulation.execute(() -> late.complete(ByteString.fromString("answer")));
    simulation.runUntilIdle();
    assertEquals("answer", remote.written());
    assertEquals(List.of("closeWrite"), remote.calls);
  }

  @Test
  void aFailureOfTheStreamIsTheReaders() {
    CompletionStage<String> read =
        Source.<ByteString>maybe().via(StreamFlow.of(remote)).runWith(texts(), materializer);
    simulation.runUntilIdle();
    remote.isOver(new HostFailure(HostFailure.Kind.STREAM_RESET, "the remote reset the stream"));
    simulation.runUntilIdle();
    StreamFailedException failure = assertInstanceOf(StreamFailedException.class, failureOf(read));
    assertEquals(HostFailure.Kind.STREAM_RESET, failure.failure().kind());
    assertEquals("the remote reset the stream", failure.getMessage());
  }

  @Test
  void aReaderThatGoesAwayEarlyResetsTheStream() {
    Source.<ByteString>maybe().via(StreamFlow.of(remote)).runWith(Sink.cancelled(), materializer);
    simulation.runUntilIdle();
    assertEquals("reset", remote.calls.get(0));
  }

  @Test
  void aFailingWriterResetsTheStream() {
    Source.<ByteString>failed(new IllegalArgumentException("spoilt"))
        .via(StreamFlow.of(remote))
        .runWith(texts(), materializer);
    simulation.runUntilIdle();
    assertEquals("reset", remote.calls.get(0));
  }

  @Test
  void aStreamIsMaterialisedOnce() {
    Flow<ByteString, ByteString, NotUsed> flow = StreamFlow.of(remote);
    CompletionStage<String> first =
        Source.<ByteString>maybe().via(flow).runWith(texts(), materializer);
    CompletionStage<String> second =
        Source.<ByteString>maybe().via(flow).runWith(texts(), materializer);
    simulation.runUntilIdle();
    assertInstanceOf(IllegalStateException.class, failureOf(second));
    assertFalse(first.toCompletableFuture().isDone());
  }

  private static Sink<ByteString, CompletionStage<String>> texts() {
    return Sink.fold("", (text, bytes) -> text + bytes.utf8String());
  }

  private static String now(CompletionStage<String> stage) {
    assertTrue(stage.toCompletableFuture().isDone());
    return stage.toCompletableFuture().join();
  }

  private static Throwable failureOf(CompletionStage<?> stage) {
    assertTrue(stage.toCompletableFuture().isCompletedExceptionally());
    try {
      stage.toCompletableFuture().join();
      throw new AssertionError("it completed");
    } catch (CompletionException e) {
      return e.getCause();
    }
  }

  /** The stream, and what the remote does with it. */
  private static final class Remote implements Stream {
    private final List<String> calls = new ArrayList<>();
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private @Nullable StreamListener listener;
    private long requested;
    private int room = 1000;

    StreamListener listener() {
      if (listener == null) {
        throw new AssertionError("not started");
      }
      return listener;
    }

    String written() {
      return written.toString(StandardCharsets.UTF_8);
    }

    void sends(String text) {
      listener().onData(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    void ends() {
      listener().onRemoteClosed();
    }

    void isOver(@Nullable HostFailure failure) {
      listener().onClosed(failure);
    }

    @Override
    public ConnectionInfo connection() {
      throw new UnsupportedOperationException("nobody asks");
    }

    @Override
    public ProtocolId protocol() {
      return ProtocolId.of("/test/flow/1");
    }

    @Override
    public Direction direction() {
      return Direction.OUTBOUND;
    }

    @Override
    public void start(StreamListener newListener) {
      if (listener != null) {
        throw new IllegalStateException("the stream has been started before");
      }
      listener = newListener;
    }

    @Override
    public void request(long bytes) {
      requested += bytes;
    }

    @Override
    public int write(ByteBuffer data) {
      int part = Math.min(room, data.remaining());
      for (int i = 0; i < part; i++) {
        written.write(data.get());
      }
      room -= part;
      return part;
    }

    @Override
    public void closeWrite() {
      calls.add("closeWrite");
    }

    @Override
    public void reset(long code, String reason) {
      calls.add("reset");
    }
  }
}
