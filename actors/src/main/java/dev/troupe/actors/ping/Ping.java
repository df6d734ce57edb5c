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
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Both sides of ping: 32 random bytes, sent back as they came (libp2p ping specification). */
public final class Ping {

  /** The protocol. */
  public static final ProtocolId PROTOCOL = ProtocolId.of("/ipfs/ping/1.0.0");

  /** The most pings of one call. */
  public static final int MAX_COUNT = 1000;

  private static final int PAYLOAD = 32;

  private Ping() {}

  /** Answers pings from now on; the caller is to look for idle streams. */
  public static Answering answer(Host host) {
    Answering answering = new Answering();
    host.handle(PROTOCOL, answering::accept);
    return answering;
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

  /**
   * The answering side. A peer has {@value #MAX_STREAMS} streams at most; a further one is reset.
   * What came is kept until it has been sent back, one ping of each stream at a time. Thread-safe.
   */
  public static final class Answering {

    /** How many ping streams of one peer are served at once, as the specification advises. */
    public static final int MAX_STREAMS = 2;

    /** How often {@link #endIdle} is to be called. */
    public static final Duration IDLE = Duration.ofSeconds(60);

    private final ConcurrentSkipListMap<PeerId, Integer> counts = new ConcurrentSkipListMap<>();
    private final ConcurrentSkipListMap<Long, Echo> open = new ConcurrentSkipListMap<>();
    private final AtomicLong numbers = new AtomicLong();

    private Answering() {}

    private void accept(Stream stream) {
      if (counts.merge(stream.remote(), 1, Integer::sum) > MAX_STREAMS) {
        uncount(stream.remote());
        stream.reset(0, "a peer has " + MAX_STREAMS + " ping streams at most");
        return;
      }
      Echo echo = new Echo(this, numbers.incrementAndGet(), stream);
      open.put(echo.number, echo);
      stream.start(echo);
      stream.request(PAYLOAD);
    }

    private void uncount(PeerId peer) {
      counts.computeIfPresent(peer, (same, count) -> count == 1 ? null : count - 1);
    }

    /** Resets every stream on which nothing has been sent back since the call before. */
    public void endIdle() {
      open.values().forEach(Echo::endIfIdle);
    }
  }

  /** One stream that is answered. */
  private static final class Echo implements StreamListener {
    private final Answering answering;
    private final long number;
    private final Stream stream;
    private ByteBuffer ping = ByteBuffer.allocate(PAYLOAD);
    private boolean sending;
    private boolean remoteClosed;

    /** How many pings have been sent back. */
    private volatile int echoes;

    /** The same at the last look for idle streams; -1 before the first. */
    private int seen = -1;

    Echo(Answering answering, long number, Stream stream) {
      this.answering = answering;
      this.number = number;
      this.stream = stream;
    }

    private void endIfIdle() {
      int now = echoes;
      if (now == seen) {
        stream.reset(0, "no ping for " + Answering.IDLE.toSeconds() + " s");
      }
      seen = now;
    }

    @Override
    public void onData(ByteBuffer data) {
      ping.put(data);
      if (!ping.hasRemaining()) {
        ping.flip();
        sending = true;
        sendBack();
      }
    }

    @Override
    public void onWritable() {
      sendBack();
    }

    private void sendBack() {
      if (sending) {
        stream.write(ping);
        if (ping.hasRemaining()) {
          return;
        }
        sending = false;
        echoes = echoes + 1;
        ping = ByteBuffer.allocate(PAYLOAD);
        // No sooner: a remote that does not read gets no more than one ping kept for it.
        stream.request(PAYLOAD);
      }
      if (remoteClosed) {
        stream.closeWrite();
      }
    }

    @Override
    public void onRemoteClosed() {
      remoteClosed = true;
      if (sending || ping.position() == 0) {
        sendBack();
      } else {
        stream.reset(0, "a ping has " + PAYLOAD + " bytes");
      }
    }

    @Override
    public void onClosed(@Nullable HostFailure failure) {
      // The one who pings knows how it went.
      answering.open.remove(number);
      answering.uncount(stream.remote());
    }
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
