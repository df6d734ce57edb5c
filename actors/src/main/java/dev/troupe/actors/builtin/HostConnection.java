package dev.troupe.actors.builtin;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.protocol.multistream.MultistreamSelect;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** One connection of the built-in host, once it is secured. */
final class HostConnection {

  private final ConnectionInfo info;
  private final MuxedConnection muxed;
  private final long streamTimeoutNanos;
  private final long lingerNanos;
  private final Predicate<ProtocolId> isInternal;
  private final AtomicInteger userStreams = new AtomicInteger();

  HostConnection(
      ConnectionInfo info,
      MuxedConnection muxed,
      long streamTimeoutNanos,
      long lingerNanos,
      Predicate<ProtocolId> isInternal) {
    this.info = info;
    this.muxed = muxed;
    this.streamTimeoutNanos = streamTimeoutNanos;
    this.lingerNanos = lingerNanos;
    this.isInternal = isInternal;
  }

  ConnectionInfo info() {
    return info;
  }

  /** Streams of the host's users; from any thread. */
  int userStreams() {
    return userStreams.get();
  }

  /** From any thread. */
  void close(String reason) {
    muxed.loop().execute(() -> muxed.close(0, reason));
  }

  /** Opens a stream and agrees on its protocol; from any thread. */
  Cancellable open(List<ProtocolId> protocols, Completion<Stream> completion) {
    AtomicBoolean cancelled = new AtomicBoolean();
    @Nullable Cancellable[] negotiation = new Cancellable[1];
    muxed
        .loop()
        .execute(
            () -> {
              if (cancelled.get()) {
                completion.failed(
                    new HostFailure(
                        HostFailure.Kind.CANCELLED, "the opening of a stream was called off"));
                return;
              }
              MuxedStream stream = muxed.openStream();
              if (stream == null) {
                completion.failed(
                    muxed.isOver()
                        ? new HostFailure(
                            HostFailure.Kind.CONNECTION_LOST,
                            "the connection to peer " + info.peer() + " is over")
                        : new HostFailure(
                            HostFailure.Kind.LIMIT_EXCEEDED,
                            "no further stream to peer " + info.peer() + " can be opened now"));
                return;
              }
              negotiation[0] =
                  StreamNegotiation.start(
                      muxed.loop(),
                      stream,
                      MultistreamSelect.dialer(protocols),
                      streamTimeoutNanos,
                      new StreamNegotiation.Outcome() {
                        @Override
                        public void agreed(
                            MuxedStream agreed,
                            ProtocolId protocol,
                            ByteBuffer early,
                            long granted) {
                          completion.succeeded(
                              wrap(agreed, protocol, Direction.OUTBOUND, early, granted));
                        }

                        @Override
                        public void failed(HostFailure failure) {
                          completion.failed(
                              new HostFailure(
                                  failure.kind(),
                                  "stream "
                                      + protocols
                                      + " to peer "
                                      + info.peer()
                                      + ": "
                                      + failure.message()));
                        }
                      });
            });
    return () -> {
      if (cancelled.compareAndSet(false, true)) {
        muxed
            .loop()
            .execute(
                () -> {
                  Cancellable open = negotiation[0];
                  if (open != null) {
                    open.cancel();
                  }
                });
      }
    };
  }

  /** Agrees on the protocol of a stream that the remote opened; on the loop. */
  void accept(MuxedStream stream, Predicate<ProtocolId> accepts, Consumer<Stream> handler) {
    StreamNegotiation.start(
        muxed.loop(),
        stream,
        MultistreamSelect.listener(accepts),
        streamTimeoutNanos,
        new StreamNegotiation.Outcome() {
          @Override
          public void agreed(
              MuxedStream agreed, ProtocolId protocol, ByteBuffer early, long granted) {
            handler.accept(wrap(agreed, protocol, Direction.INBOUND, early, granted));
          }

          @Override
          public void failed(HostFailure failure) {
            // The remote's stream, the remote's loss: the negotiation has reset it.
          }
        });
  }

  private Stream wrap(
      MuxedStream stream,
      ProtocolId protocol,
      Direction direction,
      ByteBuffer early,
      long granted) {
    boolean counted = !isInternal.test(protocol);
    if (counted) {
      userStreams.incrementAndGet();
    }
    return new HostStream(
        muxed.loop(),
        stream,
        info,
        protocol,
        direction,
        early,
        granted,
        lingerNanos,
        () -> {
          if (counted) {
            userStreams.decrementAndGet();
          }
        });
  }
}
