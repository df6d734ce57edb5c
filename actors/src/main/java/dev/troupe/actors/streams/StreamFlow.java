package dev.troupe.actors.streams;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.InHandler;
import org.apache.pekko.stream.stage.OutHandler;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * A stream as a flow of bytes: what flows in is written, what is read flows out, both without a
 * copy but for the few bytes of a large array. An element that flows out has {@value #WINDOW} bytes
 * at most; that many are asked of the remote beyond what was taken downstream, so that a slow
 * reader slows down the sender.
 *
 * <p>Completing the upstream closes the writing half, and the flow goes on reading; the end of the
 * remote's half completes the downstream, and the flow goes on writing. A failing upstream, or a
 * downstream that cancels before the remote's end, resets the stream. A stream that fails, fails
 * both sides with a {@link StreamFailedException}.
 *
 * <p>Can be materialised once, on a stream that has not been started; a second time fails.
 */
public final class StreamFlow extends GraphStage<FlowShape<ByteString, ByteString>> {

  /** What may be under way or waiting to be taken, in bytes. */
  public static final int WINDOW = 64 * 1024;

  /**
   * What waits in pieces of less than a quarter of this is joined in chunks of this many bytes:
   * single bytes would take a hundred times their size.
   */
  private static final int CHUNK = 4 * 1024;

  /** An element of less than this that is a part of a larger one is copied before it is written. */
  private static final int SMALL_ELEMENT = 16 * 1024;

  private final Stream stream;
  private final Inlet<ByteString> in = Inlet.create("StreamFlow.in");
  private final Outlet<ByteString> out = Outlet.create("StreamFlow.out");
  private final FlowShape<ByteString, ByteString> shape = FlowShape.of(in, out);

  private StreamFlow(Stream stream) {
    this.stream = stream;
  }

  /** The flow of a stream that has not been started. */
  public static Flow<ByteString, ByteString, NotUsed> of(Stream stream) {
    return Flow.fromGraph(new StreamFlow(stream));
  }

  @Override
  public FlowShape<ByteString, ByteString> shape() {
    return shape;
  }

  @Override
  public GraphStageLogic createLogic(Attributes attributes) {
    return new Logic();
  }

  private final class Logic extends GraphStageLogic implements InHandler, OutHandler {
    private final Deque<ByteBuffer> received = new ArrayDeque<>(2);

    /** The last of what was received, where it is a chunk of our own. */
    private @Nullable ByteBuffer tail;

    private @Nullable ByteBuffer pending;
    private boolean upstreamDone;
    private boolean remoteClosed;
    private boolean over;

    Logic() {
      super(shape);
      setHandler(in, this);
      setHandler(out, this);
    }

    @Override
    public void preStart() {
      // Both halves end on their own.
      setKeepGoing(true);
      AsyncCallback<Runnable> hop = createAsyncCallback(Runnable::run);
      stream.start(
          new StreamListener() {
            @Override
            public void onData(ByteBuffer data) {
              hop.invoke(() -> receive(data));
            }

            @Override
            public void onWritable() {
              hop.invoke(Logic.this::write);
            }

            @Override
            public void onRemoteClosed() {
              hop.invoke(Logic.this::remoteClosed);
            }

            @Override
            public void onClosed(@Nullable HostFailure failure) {
              hop.invoke(() -> closed(failure));
            }
          });
      stream.request(WINDOW);
      pull(in);
    }

    // ---- out

    @Override
    public void onPush() {
      ByteString element = grab(in);
      // Otherwise a few bytes could hold a large array until they have been sent.
      pending = (element.size() < SMALL_ELEMENT ? element.compact() : element).asByteBuffer();
      write();
    }

    private void write() {
      ByteBuffer data = pending;
      if (data == null || over) {
        return;
      }
      stream.write(data);
      if (data.hasRemaining()) {
        return;
      }
      pending = null;
      if (upstreamDone) {
        stream.closeWrite();
      } else {
        pull(in);
      }
    }

    @Override
    public void onUpstreamFinish() {
      upstreamDone = true;
      if (pending == null) {
        stream.closeWrite();
      }
    }

    @Override
    public void onUpstreamFailure(Throwable cause) {
      stream.reset(0, "what was to be written failed");
      failStage(cause);
    }

    // ---- in

    private void receive(ByteBuffer data) {
      int size = data.remaining();
      if (received.isEmpty() || size >= CHUNK / 4) {
        received.add(data);
        tail = null;
      } else {
        ByteBuffer chunk = tail;
        if (chunk == null || chunk.capacity() - chunk.limit() < size) {
          chunk = ByteBuffer.allocate(CHUNK).limit(0);
          received.add(chunk);
          tail = chunk;
        }
        int end = chunk.limit();
        chunk.limit(end + size).put(end, data, data.position(), size);
      }
      push();
    }

    @Override
    public void onPull() {
      push();
    }

    private void push() {
      if (!isAvailable(out)) {
        return;
      }
      ByteBuffer data = received.poll();
      if (data != null) {
        int size = data.remaining();
        int from = data.arrayOffset() + data.position();
        if (data == tail) {
          tail = null;
        }
        // Whoever takes it may keep it: a few bytes do not hold a large array.
        push(
            out,
            size < data.array().length / 4
                ? ByteString.fromArray(data.array(), from, size)
                : ByteString.fromArrayUnsafe(data.array(), from, size));
        stream.request(size);
      }
      completeWhenRead();
    }

    private void remoteClosed() {
      remoteClosed = true;
      completeWhenRead();
    }

    private void completeWhenRead() {
      if (remoteClosed && received.isEmpty() && !isClosed(out)) {
        complete(out);
      }
      if (over && received.isEmpty()) {
        completeStage();
      }
    }

    @Override
    public void onDownstreamFinish(Throwable cause) {
      received.clear();
      if (!remoteClosed) {
        stream.reset(0, "nobody reads it any more");
        cancelStage(cause);
      }
    }

    private void closed(@Nullable HostFailure failure) {
      over = true;
      if (failure != null) {
        failStage(new StreamFailedException(failure));
      } else {
        completeWhenRead();
      }
    }

    @Override
    public void postStop() {
      if (!over) {
        // Does nothing where both halves are closed already.
        stream.reset(0, "the flow was stopped");
      }
    }
  }
}
