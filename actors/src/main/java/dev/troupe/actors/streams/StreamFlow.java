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
 * copy. An element that flows out has {@value #WINDOW} bytes at most; that many are asked of the
 * remote beyond what was taken downstream, so that a slow reader slows down the sender.
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
      pending = grab(in).asByteBuffer();
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
      received.add(data);
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
        push(
            out,
            ByteString.fromArrayUnsafe(
                data.array(), data.arrayOffset() + data.position(), data.remaining()));
        stream.request(data.remaining());
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
