package dev.troupe.actors.builtin;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multistream.MultistreamSelect;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Agrees on the protocol of one stream, in bounded time; on the connection's event loop. */
final class StreamNegotiation implements StreamListener {

  /** What it comes to; one of the two is called, once. */
  interface Outcome {

    /**
     * A protocol is agreed upon.
     *
     * @param early bytes of that protocol that have come already; position to limit
     * @param granted how many bytes the muxer may still deliver without being asked
     */
    void agreed(MuxedStream stream, ProtocolId protocol, ByteBuffer early, long granted);

    /** There is no agreement, and the stream is over. */
    void failed(HostFailure failure);
  }

  /** How much is let in at a time: enough for any line, little enough to hold. */
  private static final int DEMAND = 1024;

  private final MuxedStream stream;
  private final MultistreamSelect negotiation;
  private final Outcome outcome;
  private final Cancellable timer;
  private boolean over;

  private StreamNegotiation(
      EventLoop loop,
      MuxedStream stream,
      MultistreamSelect negotiation,
      long timeoutNanos,
      Outcome outcome) {
    this.stream = stream;
    this.negotiation = negotiation;
    this.outcome = outcome;
    this.timer =
        loop.schedule(
            timeoutNanos,
            () ->
                fail(
                    new HostFailure(
                        HostFailure.Kind.TIMED_OUT, "no agreement on a protocol in time")));
  }

  /** Starts it. @return calls it off, on the loop */
  static Cancellable start(
      EventLoop loop,
      MuxedStream stream,
      MultistreamSelect negotiation,
      long timeoutNanos,
      Outcome outcome) {
    StreamNegotiation self =
        new StreamNegotiation(loop, stream, negotiation, timeoutNanos, outcome);
    stream.listen(self);
    negotiation.start(stream::write);
    stream.request(DEMAND);
    return () ->
        self.fail(new HostFailure(HostFailure.Kind.CANCELLED, "the opening was called off"));
  }

  @Override
  public void onData(ByteBuffer data) {
    int before = data.remaining();
    try {
      negotiation.receive(data, stream::write);
    } catch (MalformedException e) {
      fail(new HostFailure(HostFailure.Kind.MALFORMED, String.valueOf(e.getMessage())));
      return;
    }
    if (!negotiation.isOver()) {
      stream.request(before);
    } else if (negotiation.agreed() == null) {
      fail(
          new HostFailure(
              HostFailure.Kind.PROTOCOL_NOT_SUPPORTED, "the remote speaks none of the protocols"));
    } else {
      agree(negotiation.agreed(), data, DEMAND - before);
    }
  }

  private void agree(@Nullable ProtocolId protocol, ByteBuffer early, long granted) {
    if (!over && protocol != null) {
      over = true;
      timer.cancel();
      outcome.agreed(stream, protocol, early, granted);
    }
  }

  private void fail(HostFailure failure) {
    if (!over) {
      over = true;
      timer.cancel();
      stream.reset(0, failure.message());
      outcome.failed(failure);
    }
  }

  @Override
  public void onWritable() {
    // A few lines always fit.
  }

  @Override
  public void onRemoteClosed() {
    fail(
        new HostFailure(
            HostFailure.Kind.STREAM_RESET, "the remote closed the stream before an agreement"));
  }

  @Override
  public void onClosed(@Nullable HostFailure failure) {
    if (!over) {
      over = true;
      timer.cancel();
      outcome.failed(
          failure != null
              ? failure
              : new HostFailure(HostFailure.Kind.STREAM_RESET, "the stream ended"));
    }
  }
}
