package dev.troupe.actors.perf;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.world.Ticker;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Both sides of perf (libp2p perf specification): the client says in 8 bytes how much it wants,
 * uploads, closes its half, and downloads what it asked for.
 */
public final class Perf {

  /** The protocol. */
  public static final ProtocolId PROTOCOL = ProtocolId.of("/perf/1.0.0");

  /** How many streams are served at once, of all peers; a further one is reset. */
  public static final int MAX_SERVED = 8;

  /** What is sent, over and over; never written to. */
  private static final byte[] BLOCK = new byte[1024 * 1024];

  private Perf() {}

  /**
   * How long both halves took, in nanoseconds: the upload until the remote's first byte (or its
   * end), the download from then to its end.
   */
  public record Timing(long uploadNanos, long downloadNanos) {}

  /**
   * Serves the protocol from now on. Whoever connects can have as much sent as they like: a peer
   * does so only where it is told to, as the specification asks.
   */
  public static void serve(Host host) {
    AtomicInteger served = new AtomicInteger();
    host.handle(PROTOCOL, stream -> serve(stream, served));
  }

  /**
   * Measures one stream to a connected peer.
   *
   * @param uploadBytes 0 or more
   * @param downloadBytes 0 or more
   * @param completion fails as {@link Host#openStream} and {@link Stream} do, and with {@code
   *     MALFORMED} when less or more comes than was asked for
   * @return calls it off
   */
  public static Cancellable run(
      Host host,
      Ticker ticker,
      PeerId peer,
      long uploadBytes,
      long downloadBytes,
      Completion<Timing> completion) {
    if (uploadBytes < 0 || downloadBytes < 0) {
      throw new IllegalArgumentException("a negative number of bytes");
    }
    Client client = new Client(ticker, uploadBytes, downloadBytes, completion);
    client.opening = host.openStream(peer, List.of(PROTOCOL), client);
    return client;
  }

  /** Writes so many bytes as fast as the stream takes them, then closes. */
  private static final class Sender {
    private final Stream stream;
    private long left;
    private ByteBuffer block = ByteBuffer.wrap(BLOCK).limit(0);

    Sender(Stream stream, long bytes) {
      this.stream = stream;
      this.left = bytes;
    }

    void send() {
      while (left > 0) {
        if (!block.hasRemaining()) {
          block = ByteBuffer.wrap(BLOCK).limit((int) Math.min(left, BLOCK.length));
        }
        int taken = stream.write(block);
        left -= taken;
        if (taken == 0) {
          return;
        }
      }
      stream.closeWrite();
    }

    boolean isDone() {
      return left == 0;
    }
  }

  private static void serve(Stream stream, AtomicInteger served) {
    if (served.incrementAndGet() > MAX_SERVED) {
      served.decrementAndGet();
      stream.reset(0, MAX_SERVED + " perf streams are served already");
      return;
    }
    stream.start(
        new StreamListener() {
          private final ByteBuffer wanted = ByteBuffer.allocate(8);
          private @Nullable Sender sender;

          @Override
          public void onData(ByteBuffer data) {
            while (wanted.hasRemaining() && data.hasRemaining()) {
              wanted.put(data.get());
            }
          }

          @Override
          public void onRemoteClosed() {
            if (wanted.hasRemaining() || wanted.getLong(0) < 0) {
              stream.reset(0, "perf asks in 8 bytes how much is wanted");
            } else {
              sender = new Sender(stream, wanted.getLong(0));
              sender.send();
            }
          }

          @Override
          public void onWritable() {
            if (sender != null) {
              sender.send();
            }
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            // The client says how it went.
            served.decrementAndGet();
          }
        });
    stream.request(Long.MAX_VALUE);
  }

  private static final class Client implements Completion<Stream>, StreamListener, Cancellable {
    private final Ticker ticker;
    private final long uploadBytes;
    private final long downloadBytes;
    private final Completion<Timing> completion;
    private volatile @Nullable Cancellable opening;
    private volatile @Nullable Stream stream;
    private volatile boolean cancelled;
    private @Nullable Sender sender;
    private long received;
    private long startedAt;
    private long uploadedAt;
    private boolean over;

    Client(Ticker ticker, long uploadBytes, long downloadBytes, Completion<Timing> completion) {
      this.ticker = ticker;
      this.uploadBytes = uploadBytes;
      this.downloadBytes = downloadBytes;
      this.completion = completion;
    }

    @Override
    public void succeeded(Stream opened) {
      stream = opened;
      startedAt = ticker.nanos();
      opened.start(this);
      if (cancelled) {
        opened.reset(0, "called off");
        return;
      }
      opened.request(Long.MAX_VALUE);
      opened.write(ByteBuffer.allocate(8).putLong(0, downloadBytes));
      Sender made = new Sender(opened, uploadBytes);
      sender = made;
      made.send();
    }

    @Override
    public void failed(HostFailure failure) {
      over = true;
      completion.failed(failure);
    }

    @Override
    public void onData(ByteBuffer data) {
      if (over) {
        return;
      }
      if (received == 0) {
        uploadedAt = ticker.nanos();
      }
      received += data.remaining();
      if (received > downloadBytes) {
        // It may never end.
        misbehaved("asked for " + downloadBytes + " bytes and got more");
      }
    }

    private void misbehaved(String how) {
      over = true;
      Stream of = stream;
      if (of != null) {
        of.reset(0, how);
      }
      completion.failed(new HostFailure(HostFailure.Kind.MALFORMED, how));
    }

    @Override
    public void onWritable() {
      Sender of = sender;
      if (of != null) {
        of.send();
      }
    }

    @Override
    public void onRemoteClosed() {
      if (over) {
        return;
      }
      Sender of = sender;
      if (of != null && !of.isDone()) {
        misbehaved("the remote closed before the end of the upload");
        return;
      }
      if (received != downloadBytes) {
        misbehaved("asked for " + downloadBytes + " bytes and got " + received);
        return;
      }
      over = true;
      long now = ticker.nanos();
      if (received == 0) {
        uploadedAt = now;
      }
      completion.succeeded(new Timing(uploadedAt - startedAt, now - uploadedAt));
    }

    @Override
    public void onClosed(@Nullable HostFailure failure) {
      if (!over) {
        over = true;
        completion.failed(
            failure != null
                ? failure
                : new HostFailure(HostFailure.Kind.STREAM_RESET, "the stream ended"));
      }
    }

    @Override
    public void cancel() {
      cancelled = true;
      Cancellable of = opening;
      if (of != null) {
        of.cancel();
      }
      Stream open = stream;
      if (open != null) {
        open.reset(0, "called off");
      }
    }
  }
}
