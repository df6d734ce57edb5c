package dev.troupe.actors.builtin;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Identification;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.identify.IdentifyMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The two sides of an identify stream: one writes a message and closes, the other reads until the
 * end.
 */
final class Identify {

  private Identify() {}

  /**
   * How long a written message waits for the reader's half-close before ours follows, in
   * nanoseconds. js-libp2p loses a stream whose end arrives together with the answer to its
   * protocol; go-libp2p reads until the end. So the end comes, but not at once.
   */
  private static final long LINGER_NANOS = 250_000_000;

  /** Says who we are, and closes when the remote does, or a moment later. */
  static void write(Stream stream, IdentifyMessage message, EventLoop timers) {
    ByteBuffer frame = ByteBuffer.wrap(Frames.encode(message.encoded()));
    stream.start(
        new StreamListener() {
          @Override
          public void onData(ByteBuffer data) {
            // The remote has nothing to say here.
          }

          @Override
          public void onWritable() {
            continueWriting();
          }

          private void continueWriting() {
            stream.write(frame);
            linger(stream, frame, timers);
          }

          @Override
          public void onRemoteClosed() {
            if (!frame.hasRemaining()) {
              stream.closeWrite();
            }
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            // Delivered or lost: the remote asks again if it wants to.
          }
        });
    stream.request(1);
    stream.write(frame);
    linger(stream, frame, timers);
  }

  private static void linger(Stream stream, ByteBuffer frame, EventLoop timers) {
    if (!frame.hasRemaining()) {
      timers.schedule(LINGER_NANOS, stream::closeWrite);
    }
  }

  /**
   * Reads until the remote closes; nothing is called if it resets, or sends too much or what cannot
   * be read.
   */
  static void read(Stream stream, Consumer<Identification> heard) {
    stream.start(
        new StreamListener() {
          private final FrameDecoder frames = new FrameDecoder(IdentifyMessage.MAX_BYTES);
          private Bytes message = Bytes.EMPTY;

          @Override
          public void onData(ByteBuffer data) {
            stream.request(data.remaining());
            frames.feed(data);
            try {
              for (Bytes frame = frames.next(); frame != null; frame = frames.next()) {
                message = message.concat(frame);
                if (message.size() > IdentifyMessage.MAX_BYTES) {
                  throw new MalformedException("an identify message over the limit");
                }
                stream.closeWrite(); // It may have waited for us before it closes.
              }
            } catch (MalformedException e) {
              stream.reset(0, String.valueOf(e.getMessage()));
            }
          }

          @Override
          public void onWritable() {
            // Nothing is written.
          }

          @Override
          public void onRemoteClosed() {
            stream.closeWrite();
            try {
              IdentifyMessage read = IdentifyMessage.decode(message);
              PublicKey key = read.publicKey();
              if (key != null && !PeerId.of(key).equals(stream.remote())) {
                return;
              }
              heard.accept(
                  new Identification(
                      read.agentVersion(),
                      read.protocolVersion(),
                      read.protocols(),
                      read.listenAddresses(),
                      read.observedAddress(),
                      false));
            } catch (MalformedException e) {
              stream.reset(0, String.valueOf(e.getMessage()));
            }
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            // Heard, or not to be heard.
          }
        });
    stream.request(IdentifyMessage.MAX_BYTES);
  }
}
