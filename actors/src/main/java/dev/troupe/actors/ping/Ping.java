package dev.troupe.actors.ping;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.world.Ticker;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Both sides of ping: 32 random bytes, sent back as they came (libp2p ping specification). */
public final class Ping {

  /** The protocol. */
  public static final ProtocolId PROTOCOL = ProtocolId.of("/ipfs/ping/1.0.0");

  /** The most pings of one call. */
  public static final int MAX_COUNT = 1000;

  private static final int PAYLOAD = 32;

  private Ping() {}

  /** Answers pings from now on. */
  public static void answer(Host host) {
    host.handle(PROTOCOL, Ping::echo);
  }

  /**
   * Pings a connected peer, one ping after the other.
   *
   * @param count 1 to {@link #MAX_COUNT}
   * @param completion the round trips in nanoseconds, in order; fails as {@link Host#openStream}
   *     and {@link Stream} do, and with {@code MALFORMED} when something else comes back
   * @return calls it off; whoever asks decides how long it may take
   */
  public static Cancellable run(
      Host host,
      Ticker ticker,
      RandomSource random,
      PeerId peer,
      int count,
      Completion<List<Long>> completion) {
    if (count < 1 || count > MAX_COUNT) {
      throw new IllegalArgumentException("pings are 1 to " + MAX_COUNT + ", not " + count);
    }
    Session session = new Session(ticker, random, count, completion);
    session.opening = host.openStream(peer, List.of(PROTOCOL), session);
    return session;
  }

  private static void echo(Stream stream) {
    stream.start(
        new StreamListener() {
          private final Deque<ByteBuffer> pending = new ArrayDeque<>();
          private boolean remoteClosed;
          private int sinceLastPing;

          @Override
          public void onData(ByteBuffer data) {
            sinceLastPing = (sinceLastPing + data.remaining()) % PAYLOAD;
            pending.add(data);
            writeMore();
          }

          @Override
          public void onWritable() {
            writeMore();
          }

          private void writeMore() {
            while (!pending.isEmpty()) {
              int written = stream.write(pending.element());
              if (written > 0) {
                // No sooner: a remote that does not read gets no more than one ping kept for it.
                stream.request(written);
              }
              if (pending.element().hasRemaining()) {
                return;
              }
              pending.remove();
            }
            if (remoteClosed) {
              stream.closeWrite();
            }
          }

          @Override
          public void onRemoteClosed() {
            remoteClosed = true;
            if (sinceLastPing == 0) {
              writeMore();
            } else {
              stream.reset(0, "a ping has " + PAYLOAD + " bytes");
            }
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            // The one who pings knows.
          }
        });
    stream.request(PAYLOAD);
  }

  private static final class Session implements Completion<Stream>, StreamListener, Cancellable {
    private final Ticker ticker;
    private final RandomSource random;
    private final int count;
    private final Completion<List<Long>> completion;
    private final List<Long> roundTrips = new ArrayList<>();
    private volatile @Nullable Cancellable opening;
    private volatile @Nullable Stream stream;
    private volatile boolean cancelled;
    private byte[] sent = new byte[0];
    private byte[] received = new byte[0];
    private long sentAt;
    private boolean over;

    Session(Ticker ticker, RandomSource random, int count, Completion<List<Long>> completion) {
      this.ticker = ticker;
      this.random = random;
      this.count = count;
      this.completion = completion;
    }

    @Override
    public void succeeded(Stream opened) {
      stream = opened;
      opened.start(this);
      if (cancelled) {
        opened.reset(0, "the ping was called off");
        return;
      }
      send(opened);
    }

    @Override
    public void failed(HostFailure failure) {
      over = true;
      completion.failed(failure);
    }

    private void send(Stream to) {
      sent = random.bytes(PAYLOAD);
      received = new byte[0];
      sentAt = ticker.nanos();
      to.write(ByteBuffer.wrap(sent));
      to.request(PAYLOAD);
    }

    @Override
    public void onData(ByteBuffer data) {
      Stream of = stream;
      if (of == null || over) {
        return;
      }
      int before = received.length;
      received = Arrays.copyOf(received, before + data.remaining());
      data.get(received, before, data.remaining());
      if (received.length < PAYLOAD) {
        return;
      }
      if (!Arrays.equals(sent, received)) {
        over = true;
        of.reset(0, "not what was sent");
        completion.failed(
            new HostFailure(
                HostFailure.Kind.MALFORMED,
                "peer " + of.remote() + " sent back something else than the ping"));
        return;
      }
      roundTrips.add(ticker.nanos() - sentAt);
      if (roundTrips.size() < count) {
        send(of);
      } else {
        over = true;
        of.closeWrite();
        completion.succeeded(List.copyOf(roundTrips));
      }
    }

    @Override
    public void onWritable() {
      // 32 bytes always fit.
    }

    @Override
    public void onRemoteClosed() {
      Stream of = stream;
      if (!over && of != null) {
        of.reset(0, "closed before the answer");
      }
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
        open.reset(0, "the ping was called off");
      }
    }
  }
}
